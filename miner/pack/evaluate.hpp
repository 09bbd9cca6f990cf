// SPDX-License-Identifier: MIT
// miner/pack/evaluate.hpp
//
// One measurement: a pack, run by the exact engine, against the f32 reference of what it came from.
//
// In       text: a file, or the built-in text of about 8000 tokens.
// Errors   those of the files; kInvalidArgument when pack and original differ in shape.
// Threads  `threads` (0: all cores) for the reference and the engine.
// Tests    tests/unit/miner/pack/pack_command_test.cpp
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/eval.hpp"
#include "common/model/pack.hpp"
#include "kernels/core/isa.h"

namespace adit::miner {

[[nodiscard]] std::string_view builtin_eval_text();
// The text of a file, or the built-in one.
[[nodiscard]] Result<std::string> eval_text(const std::optional<std::filesystem::path>& path);

struct EvaluateSettings {
  std::optional<std::filesystem::path> text = {};
  int window = 1024;
  int threads = 0;
  kernels::Isa isa = kernels::best_isa();
};

// The ids that settings.text is measured on.
[[nodiscard]] Result<std::vector<TokenId>> evaluation_ids(const model::Pack& pack,
                                                          const EvaluateSettings& settings);
[[nodiscard]] Result<model::EvalReport> evaluate(const model::Pack& pack,
                                                 const std::filesystem::path& original,
                                                 const EvaluateSettings& settings,
                                                 const model::EvalProgress& progress);

}  // namespace adit::miner
