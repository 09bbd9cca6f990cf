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
#include "common/model/declaration.hpp"
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
  model::KvForm kv = model::KvForm::kF16;
};

// The ids that settings.text is measured on.
[[nodiscard]] Result<std::vector<TokenId>> evaluation_ids(const model::Pack& pack,
                                                          const EvaluateSettings& settings);
[[nodiscard]] Result<model::EvalReport> evaluate(const model::Pack& pack,
                                                 const std::filesystem::path& original,
                                                 const EvaluateSettings& settings,
                                                 const model::EvalProgress& progress);

// What a measurement with these settings lets a pack declare. `original`: its last name is told, no folder.
[[nodiscard]] Result<model::Declaration> declaration_of(const model::EvalReport& report, double bound,
                                                        const std::filesystem::path& original,
                                                        const EvaluateSettings& settings, int context);
// kAborted if the mean KL of the pack at `output` is over the bound; `then` ends the message.
[[nodiscard]] Result<void> keep_bound(const std::filesystem::path& output, double mean_kl, double bound,
                                      std::string_view then = "");
// kInvalidArgument unless the bound is a number above 0; `flag` names it.
[[nodiscard]] Result<void> check_bound(std::string_view flag, const std::optional<double>& bound);

}  // namespace adit::miner
