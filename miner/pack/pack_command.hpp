// SPDX-License-Identifier: MIT
// miner/pack/pack_command.hpp
//
// `adit-miner pack IN -o OUT [--bits 4|8|as-stored] [--group 32|64|128|row] [--act a16|a8g|auto]
// [--target-size BYTES] [--target-kl X] [--max-kl X]`.
//
// Out      the pack at `output`, complete and checked, or what stood there before, untouched. A summary on
//          stdout; progress on stderr.
//          max_kl: the pack declares what was measured and the bound (declaration.hpp).
//          target_size: bits are chosen for each layer (choose_forms.hpp). chooses_act: so are activations.
// Errors   one line on stderr. Exit codes: kOk, kFailed (KL over target or bound), kUsage, kModel (the file),
//          kUnavailable (the disk).
// Threads  `threads`, 0 for all cores.
// Tests    tests/unit/miner/pack/pack_command_test.cpp
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "common/model/pack_writer.hpp"
#include "kernels/linear/params.h"

namespace CLI {
class App;
}

namespace adit::miner {

struct PackCommand {
  std::filesystem::path input;
  std::filesystem::path output;
  int bits = model::kBitsAsStored;
  kernels::ActForm act = kernels::ActForm::kA16;
  kernels::ScaleGroup group = kernels::ScaleGroup::k32;
  // Needs target_kl or max_kl.
  bool chooses_act = false;
  std::optional<std::uint64_t> target_size = {};
  // Measured as `eval` does, before the pack is put in place.
  std::optional<double> target_kl = {};
  // The same, and declared in the pack.
  std::optional<double> max_kl = {};
  std::optional<std::filesystem::path> text = {};
  int threads = 0;
};

[[nodiscard]] int run_pack(const PackCommand& command);
void add_pack_command(CLI::App& app, int& exit_code);

}  // namespace adit::miner
