// SPDX-License-Identifier: MIT
// common/proof/trace.hpp
//
// trace/1: one hash that commits to every residual row and every cached key and value of a
// generation.
//
// In       leaves of one position after another: hashes of rows that the caller computed with
//          kernels::hash_rows under kResidualDomain (f32 row leaving a layer) and kKvDomain (K || V
//          of one kv head, f16, K after RoPE; numerics 2: int8 codes of K, their f32 scale, then those of V;
//          MLA, where g = 1: the latent row and k_pe, f16, then
//          the indexer's key and its scale, if the model has one).
// Shapes   lanes in the order R_l, KV_{l,0} ... KV_{l,g-1} for l = 0 ... layers-1. The last
// residual lane,
//          R_{layers-1}, has leaves for positions n_p - 1 ... only; every other lane for positions
//          0 ... .
// Out      root: B2("adit1.trace", u32 1 || card || request || seed || u32 n_p || u32 n_g || u32
// lanes ||
//          B2("adit1.ids", prompt and generated ids, u32 each) || lane roots), integers
//          little-endian.
// Errors   none; positions out of order, or ids that do not fit the number of rows, abort.
// Threads  one thread per object.
// Source   design: receipts and audit, "Trace"
// Tests    tests/unit/common/proof/trace_test.cpp, tests/vectors/trace/trace1.json
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/base/bytes.hpp"
#include "common/base/strong.hpp"
#include "common/proof/lane_stack.hpp"
#include "kernels/core/isa.h"

namespace adit::proof {

inline constexpr std::uint32_t kTraceVersion = 1;
inline constexpr const char* kResidualDomain = "adit1.res";
inline constexpr const char* kKvDomain = "adit1.kv";

struct TraceShape {
  int layers = 0;
  int kv_heads = 0;
};
[[nodiscard]] constexpr std::size_t lane_count(const TraceShape& shape) {
  return static_cast<std::size_t>(shape.layers) * static_cast<std::size_t>(1 + shape.kv_heads);
}
[[nodiscard]] constexpr std::size_t residual_lane(const TraceShape& shape, int layer) {
  return static_cast<std::size_t>(layer) * static_cast<std::size_t>(1 + shape.kv_heads);
}
[[nodiscard]] constexpr std::size_t kv_lane(const TraceShape& shape, int layer, int head) {
  return residual_lane(shape, layer) + 1 + static_cast<std::size_t>(head);
}

// What the trace is bound to beside its rows.
struct TraceBinding {
  Hash256 card{};
  Hash256 request{};
  Hash256 seed{};
};

class TraceBuilder {
 public:
  TraceBuilder(const TraceShape& shape, std::uint32_t prompt_tokens, kernels::Isa isa);

  // leaves [lane_count][32] of `position`, which is the number of positions so far. The leaf of the
  // last residual lane is read only from position prompt_tokens - 1 on.
  void append(std::uint32_t position, const std::uint8_t* leaves);

  [[nodiscard]] std::uint32_t positions() const { return static_cast<std::uint32_t>(main_.size()); }
  [[nodiscard]] std::uint32_t prompt_tokens() const { return prompt_tokens_; }

  // ids: prompt and generated; one more than positions() (the last id was chosen, not computed
  // with).
  [[nodiscard]] Hash256 root(const TraceBinding& binding, std::span<const TokenId> ids) const;

 private:
  TraceShape shape_;
  std::uint32_t prompt_tokens_;
  // All lanes but the last residual lane, and that one.
  LaneStack main_;
  LaneStack last_residual_;
  Bytes row_;
};

// B2("adit1.ids", ids as u32).
[[nodiscard]] Hash256 ids_hash(std::span<const TokenId> ids);

}  // namespace adit::proof
