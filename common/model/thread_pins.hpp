// SPDX-License-Identifier: MIT
// common/model/thread_pins.hpp
//
// On which processor each worker of a thread team stays.
//
// In       the choice: "none"; "cores"; or a list of processors as 0-3,8. place_workers: the number of workers, and the
//          processors that this process may use.
// Out      place_workers: one processor a worker, all different; empty for "none".
//          cores   one worker a core as long as there are cores, then their other threads. The workers are spread over
//                  the memory nodes evenly, and those of a node have neighbouring numbers: a team's shares of a linear
//                  are contiguous, and who has done its own helps its neighbour first, so a node's workers read one
//                  stretch of each matrix.
//          list    worker i on the i-th of them, ascending.
//          threads_of: as many as the choice names; a core's second thread would add nothing to an engine that waits
//          for memory or for vector units.
// Does not Memory is where it is touched first: activations and a sequence's keys and values on the node of the worker
//          that writes them, which need not be the one that reads them; the pack's pages are spread over all nodes
//          (huge_pages.hpp), not laid beside their readers: the same file serves any number of workers and processes.
// Errors   parse_pin: kInvalidArgument. place_workers: kFailedPrecondition: more workers than processors, or a
//          processor that this process may not use; those of read_cpus.
// Threads  pure, but for the two that ask this machine.
// Tests    tests/unit/common/model/thread_pins_test.cpp
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/cpu_topology.hpp"

namespace adit::model {

struct PinChoice {
  enum class Kind : std::uint8_t { kNone, kCores, kList };
  Kind kind = Kind::kNone;
  // Of kList.
  std::vector<int> cpus{};

  [[nodiscard]] std::string text() const;
};

[[nodiscard]] Result<PinChoice> parse_pin(std::string_view text);
[[nodiscard]] Result<std::vector<int>> place_workers(const PinChoice& choice, int workers, std::span<const Cpu> cpus);
[[nodiscard]] int threads_of(const PinChoice& choice, std::span<const Cpu> cpus);

// The same for this machine and process; threads_here is at least 1 and within limits::kEngineThreadsMax.
[[nodiscard]] Result<std::vector<int>> place_workers(const PinChoice& choice, int workers);
[[nodiscard]] int threads_here(const PinChoice& choice);

}  // namespace adit::model
