// SPDX-License-Identifier: MIT
#include "common/proof/lane_stack.hpp"

#include <cstring>

#include "common/base/check.hpp"
#include "kernels/hash/hash_rows.h"

namespace adit::proof {

using kernels::kDigestBytes;

LaneStack::LaneStack(std::size_t lanes, kernels::Isa isa)
    : lanes_(lanes), isa_(isa), carry_(lanes * kDigestBytes), pairs_(lanes * 2 * kDigestBytes) {}

void LaneStack::join(const Bytes& left, Bytes& node, Bytes& pairs) const {
  for (std::size_t lane = 0; lane < lanes_; ++lane) {
    std::uint8_t* pair = pairs.data() + lane * 2 * kDigestBytes;
    std::memcpy(pair, left.data() + lane * kDigestBytes, kDigestBytes);
    std::memcpy(pair + kDigestBytes, node.data() + lane * kDigestBytes, kDigestBytes);
  }
  constexpr std::size_t kPairBytes = 2 * kDigestBytes;
  kernels::hash_rows(isa_, "adit1.node", pairs.data(), kPairBytes, kPairBytes, lanes_, node.data());
}

void LaneStack::append(const std::uint8_t* leaves) {
  if (lanes_ == 0) {
    ++size_;
    return;
  }
  std::memcpy(carry_.data(), leaves, carry_.size());
  std::size_t level = 0;
  for (; (size_ >> level & 1) != 0; ++level) join(levels_[level], carry_, pairs_);
  if (level == levels_.size()) levels_.emplace_back(carry_.size());
  levels_[level].swap(carry_);
  ++size_;
}

Bytes LaneStack::roots() const {
  ADIT_CHECK(size_ > 0);
  Bytes node;
  Bytes pairs(pairs_.size());
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    if ((size_ >> level & 1) == 0) continue;
    if (node.empty()) {
      node = levels_[level];
    } else {
      join(levels_[level], node, pairs);
    }
  }
  return node;
}

}  // namespace adit::proof
