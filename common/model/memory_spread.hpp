// SPDX-License-Identifier: MIT
// common/model/memory_spread.hpp
//
// While it lives, what the calling thread brings into memory is spread over the memory nodes, so that workers of
// all of them read it with the bandwidth of all of them.
//
// In       nodes: ascending, as memory_nodes() gives them. Fewer than two: nothing is done.
// Out      a thread that has a policy of its own (numactl) keeps it; otherwise pages are allocated in turns, files'
//          cached pages too, until the destructor puts the old policy back.
// Errors   none: where the system refuses, memory comes as it would.
// Threads  made and destroyed on one thread, which alone it concerns.
// Source   Linux: set_mempolicy(2)
// Tests    tests/unit/common/model/thread_pins_test.cpp
#pragma once

#include <cstddef>
#include <span>

namespace adit::model {

class MemorySpread {
 public:
  explicit MemorySpread(std::span<const int> nodes, std::size_t nodes_min = 2);
  MemorySpread(const MemorySpread&) = delete;
  MemorySpread& operator=(const MemorySpread&) = delete;
  ~MemorySpread();
  [[nodiscard]] bool is_active() const { return is_active_; }

 private:
  bool is_active_ = false;
};

}  // namespace adit::model
