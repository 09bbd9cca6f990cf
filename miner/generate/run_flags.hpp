// SPDX-License-Identifier: MIT
// miner/generate/run_flags.hpp
//
// The flags that say how to run the engine, the same for every command that does.
//
// In       --isa scalar|avx2|avx512 (default: the widest here), --threads N, --prefill-chunk N.
// Errors   apply: kInvalidArgument, kFailedPrecondition for an instruction set this machine lacks.
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
  int prefill_chunk = 512;
};

void add_run_flags(CLI::App& command, RunFlags& flags);
// Threads 0: as many as the machine has processors.
[[nodiscard]] Result<model::EngineOptions> engine_options(const RunFlags& flags);

}  // namespace adit::miner
