// SPDX-License-Identifier: MIT
// common/proof/lane_stack.hpp
//
// The Merkle roots of several lanes that grow in step, one leaf each at a time, in RFC 6962's
// shape.
//
// In       leaves [lanes][32], the next leaf of every lane.
// Out      roots [lanes][32] of all leaves so far: the left subtree holds the largest power of two
// that is
//          smaller than the size; a node is B2("adit1.node", left || right); a single leaf is its
//          own root.
// Units    memory: at most 32 nodes a lane, one for each set bit of the size.
// Errors   none; roots() before the first leaf aborts.
// Threads  one thread per object.
// Source   RFC 6962, section 2.1 (shape only: domains are separated by personalisation, not by a
// prefix byte) Tests    tests/unit/common/proof/trace_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/base/bytes.hpp"
#include "kernels/core/isa.h"

namespace adit::proof {

class LaneStack {
 public:
  LaneStack(std::size_t lanes, kernels::Isa isa);
  void append(const std::uint8_t* leaves);
  [[nodiscard]] Bytes roots() const;
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::size_t lanes() const { return lanes_; }

 private:
  // node[lane] = B2("adit1.node", left[lane] || node[lane]).
  void join(const Bytes& left, Bytes& node, Bytes& pairs) const;

  std::size_t lanes_;
  kernels::Isa isa_;
  std::uint64_t size_ = 0;
  // levels_[i] [lanes][32]: the complete subtrees of 2^i leaves; meaningful where bit i of size_ is
  // set.
  std::vector<Bytes> levels_;
  Bytes carry_;
  Bytes pairs_;
};

}  // namespace adit::proof
