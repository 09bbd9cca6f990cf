// SPDX-License-Identifier: MIT
// miner/app/engine_factory.hpp
//
// From settings to a running engine.
//
// Errors   those of Pack::open; kDataLoss when the pack's content hash is not that of its content;
//          kFailedPrecondition when this machine lacks the instruction set asked for, or engine.kv is not what the
//          charter's numerics say; kUnimplemented when the model knows no int8 keys and values.
// Threads  as EngineSource.
// Tests    tests/integration/miner_serve_test.cpp
#pragma once

#include <memory>

#include "common/model/kv_form.hpp"
#include "common/model/pack.hpp"
#include "miner/config/serve_config.hpp"
#include "miner/serve/answer_source.hpp"

namespace adit::miner {

[[nodiscard]] Result<std::shared_ptr<const model::Pack>> open_checked_pack(
    const std::filesystem::path& path);

[[nodiscard]] model::KvForm kv_form_of(KvChoice choice);
// Whether the pack can be served as the settings say: its family knows engine.kv, and engine.charter_file, if there
// is one, names this pack and the numerics that engine.kv makes.
[[nodiscard]] Result<void> check_served(const ServeConfig& config, const model::Pack& pack);

// Runs `pack` and declares `card`.
[[nodiscard]] Result<std::unique_ptr<AnswerSource>> make_engine_source(
    const ServeConfig& config, std::shared_ptr<const model::Pack> pack, protocol::Card card);

}  // namespace adit::miner
