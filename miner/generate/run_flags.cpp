// SPDX-License-Identifier: MIT
#include "miner/generate/run_flags.hpp"

#include <algorithm>
#include <thread>

#include <CLI/CLI.hpp>

#include "common/base/limits.hpp"
#include "kernels/core/isa.h"

namespace adit::miner {

void add_run_flags(CLI::App& command, RunFlags& flags) {
  command.add_option("--threads", flags.threads, "Threads (default: one a processor)")
      ->check(CLI::Range(1, limits::kEngineThreadsMax));
  command
      .add_option("--isa", flags.isa,
                  "Instruction set: scalar, avx2 or avx512 (default: the widest here)")
      ->check(CLI::IsMember({"scalar", "avx2", "avx512"}));
  command.add_option("--prefill-chunk", flags.prefill_chunk, "Prompt tokens of one step")
      ->check(CLI::Range(1, limits::kBatchRowsMax / 2))
      ->capture_default_str();
}

Result<model::EngineOptions> engine_options(const RunFlags& flags) {
  model::EngineOptions options;
  const int processors = static_cast<int>(std::thread::hardware_concurrency());
  options.threads =
      flags.threads > 0 ? flags.threads : std::clamp(processors, 1, limits::kEngineThreadsMax);
  options.prefill_chunk = flags.prefill_chunk;
  if (!flags.isa.empty() && !kernels::isa_from_name(flags.isa.c_str(), options.isa)) {
    return invalid_argument("--isa: '{}' is not scalar, avx2 or avx512", flags.isa);
  }
  if (!kernels::isa_supported(options.isa)) {
    return failed_precondition("--isa {}: this machine does not support it", flags.isa);
  }
  return options;
}

}  // namespace adit::miner
