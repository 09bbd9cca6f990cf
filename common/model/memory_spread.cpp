// SPDX-License-Identifier: MIT
#include "common/model/memory_spread.hpp"

#include <array>
#include <cstddef>

#include <sys/syscall.h>
#include <unistd.h>

namespace adit::model {
namespace {

// linux/mempolicy.h
constexpr int kDefault = 0;
constexpr int kInterleave = 3;
constexpr std::size_t kNodesMax = 1024;
constexpr std::size_t kWordBits = 8 * sizeof(unsigned long);

}  // namespace

MemorySpread::MemorySpread(std::span<const int> nodes, std::size_t nodes_min) {
  if (nodes.size() < nodes_min) return;
  int mode = kDefault;
  if (syscall(SYS_get_mempolicy, &mode, nullptr, 0UL, nullptr, 0UL) != 0 || mode != kDefault) return;
  std::array<unsigned long, kNodesMax / kWordBits> mask{};
  for (const int node : nodes) {
    const auto bit = static_cast<std::size_t>(node);
    if (node >= 0 && bit < kNodesMax) mask[bit / kWordBits] |= 1UL << (bit % kWordBits);
  }
  is_active_ = syscall(SYS_set_mempolicy, kInterleave, mask.data(), kNodesMax) == 0;
}

MemorySpread::~MemorySpread() {
  if (is_active_) syscall(SYS_set_mempolicy, kDefault, nullptr, 0UL);
}

}  // namespace adit::model
