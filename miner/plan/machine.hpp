// SPDX-License-Identifier: MIT
// miner/plan/machine.hpp
//
// What this machine has for inference: processors, instruction set, memory, and how fast it reads it.
//
// In       seconds: how long to read; the figure is the best of the passes over a buffer larger than the caches.
// Out      memory: what is free for a program now, within the control group's limit.
// Errors   kUnavailable: the system does not say how much memory there is.
// Units    bytes; bytes a second.
// Threads  measures with one thread a processor.
// Tests    tests/unit/miner/plan/machine_test.cpp
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "kernels/core/isa.h"

namespace adit::miner {

struct Machine {
  int processors = 1;
  kernels::Isa isa = kernels::Isa::kScalar;
  std::uint64_t memory_bytes = 0;
  double read_bytes_per_second = 0;
};

[[nodiscard]] Result<Machine> measure_machine(double seconds);

// MemAvailable of a text like /proc/meminfo.
[[nodiscard]] std::optional<std::uint64_t> available_of(std::string_view meminfo);
// What a control group (version 2) leaves: memory.max - memory.current; none for "max".
[[nodiscard]] std::optional<std::uint64_t> group_left(std::string_view memory_max,
                                                      std::string_view memory_current);
// Every byte of `buffer_bytes` is read again and again by `threads` threads for so long.
[[nodiscard]] double read_bandwidth(int threads, std::uint64_t buffer_bytes, double seconds);

}  // namespace adit::miner
