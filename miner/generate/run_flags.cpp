// SPDX-License-Identifier: MIT
#include "miner/generate/run_flags.hpp"

#include <utility>

#include <CLI/CLI.hpp>

#include "common/base/limits.hpp"
#include "common/model/thread_pins.hpp"
#include "kernels/core/isa.h"

namespace adit::miner {

void add_pin_flag(CLI::App& command, std::string& pin) {
  command
      .add_option("--pin", pin,
                  "Keep threads on processors: none, cores (one a core, spread over memory nodes) or a list as 0-3,8")
      ->capture_default_str();
}

void add_kv_flag(CLI::App& command, std::string& kv) {
  command.add_option("--kv", kv, "Form of cached keys and values: f16 (numerics 1) or int8 (numerics 2)")
      ->check(CLI::IsMember({"f16", "int8"}))
      ->capture_default_str();
}

void add_run_flags(CLI::App& command, RunFlags& flags) {
  add_kv_flag(command, flags.kv);
  add_pin_flag(command, flags.pin);
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
  const auto pin = model::parse_pin(flags.pin);
  if (!pin) return tl::unexpected<Error>(pin.error().context("--pin"));
  options.threads = flags.threads > 0 ? flags.threads : model::threads_here(*pin);
  auto cpus = model::place_workers(*pin, options.threads);
  if (!cpus) return tl::unexpected<Error>(cpus.error().context("--pin"));
  options.cpus = *std::move(cpus);
  options.prefill_chunk = flags.prefill_chunk;
  const auto kv = model::parse_kv(flags.kv);
  if (!kv) return tl::unexpected<Error>(kv.error().context("--kv"));
  options.kv = *kv;
  if (!flags.isa.empty() && !kernels::isa_from_name(flags.isa.c_str(), options.isa)) {
    return invalid_argument("--isa: '{}' is not scalar, avx2 or avx512", flags.isa);
  }
  if (!kernels::isa_supported(options.isa)) {
    return failed_precondition("--isa {}: this machine does not support it", flags.isa);
  }
  return options;
}

}  // namespace adit::miner
