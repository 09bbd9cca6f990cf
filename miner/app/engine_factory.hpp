// SPDX-License-Identifier: MIT
// miner/app/engine_factory.hpp
//
// From settings to a running engine.
//
// Errors   those of Pack::open; kDataLoss when the pack's content hash is not that of its content;
//          kFailedPrecondition when this machine lacks the instruction set asked for.
// Threads  as EngineSource.
// Tests    tests/integration/miner_serve_test.cpp
#pragma once

#include <memory>

#include "common/model/pack.hpp"
#include "miner/config/serve_config.hpp"
#include "miner/serve/answer_source.hpp"

namespace adit::miner {

[[nodiscard]] Result<std::shared_ptr<const model::Pack>> open_checked_pack(
    const std::filesystem::path& path);

// Runs `pack` and declares `card`.
[[nodiscard]] Result<std::unique_ptr<AnswerSource>> make_engine_source(
    const ServeConfig& config, std::shared_ptr<const model::Pack> pack, protocol::Card card);

}  // namespace adit::miner
