// SPDX-License-Identifier: MIT
// miner/generate/run_flags.hpp
//
// The flags that say how to run the engine, the same for every command that does.
//
// In       --isa scalar|avx2|avx512 (default: the widest here), --kv f16|int8,
//          --threads N, --prefill-chunk N, --pin none|cores|LIST.
// Errors   apply: kInvalidArgument, kFailedPrecondition for an instruction set or a processor
//          that this machine lacks.
// Threads  the main thread.
// Tests    tests/unit/miner/generate/cli_test.cpp
#pragma once

#include <string>

#include "common/base/result.hpp"
#include "common/model/generator.hpp"

namespace CLI {
class App;
}

namespace adit::miner {

struct RunFlags {
  std::string isa;
  int threads = 0;
  std::string pin = "none";
  std::string kv = "f16";
  int prefill_chunk = model::EngineOptions{}.prefill_chunk;
};

void add_run_flags(CLI::App& command, RunFlags& flags);
void add_kv_flag(CLI::App& command, std::string& kv);
void add_pin_flag(CLI::App& command, std::string& pin);
// Threads 0: as many as the machine has processors, or as --pin names.
[[nodiscard]] Result<model::EngineOptions> engine_options(const RunFlags& flags);

}  // namespace adit::miner
