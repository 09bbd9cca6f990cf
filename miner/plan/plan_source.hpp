// SPDX-License-Identifier: MIT
// miner/plan/plan_source.hpp
//
// A model's configuration from whatever is in hand: a GGUF file, a pack, or a folder in Hugging Face's layout.
//
// In       of a folder, config.json is enough: weights need not be there.
// Out      the configuration, and how many bits a weight has in the file (0: not known, or more than matters).
// Errors   those of the readers: each names the file and the key.
// Threads  pure.
// Tests    tests/unit/miner/plan/plan_command_test.cpp
#pragma once

#include <filesystem>
#include <string>

#include "common/base/result.hpp"
#include "common/model/model_config.hpp"
#include "kernels/linear/params.h"

namespace adit::miner {

struct PlanSource {
  std::string label;
  // "GGUF", "pack", "folder"
  std::string kind;
  model::ModelConfig config;
  double bits = 0;
  // Columns that share a scale, of a pack's linears.
  kernels::ScaleGroup group = kernels::ScaleGroup::k32;
};

[[nodiscard]] Result<PlanSource> read_plan_source(const std::filesystem::path& path);

}  // namespace adit::miner
