// SPDX-License-Identifier: MIT
// common/model/adapter.hpp
//
// A low-rank adapter as integers, ready to run beside a pack: for some linears y = base(x) + B(A(x)), A and B being
// exact int8 linear layers.
//
// In       what PEFT saves (lora_adapter.hpp), and the pack it is for.
// Out      linears by layer and role; the scale is in the row scales of B.
// Shapes   a [width][k], b [m][width]: rows and columns beyond a pair's own rank are 0.
// Errors   those of load_lora; kInvalidArgument naming the part: not in the pack, of another shape, values that are
//          not finite.
// Exact    the same integers, and the same hash, on every machine. The hash does not depend on the pack, so that an
//          adapter has one name for all forms of its base.
// Threads  const after it is made; any thread may read. It does not need the pack once it is made.
// Source   kernels/NUMERICS.md, "Low-rank adapters"
// Tests    tests/unit/common/model/adapter_test.cpp, tests/conformance/adapters_test.cpp
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/model/linear_tiles.hpp"
#include "common/model/lora_adapter.hpp"
#include "common/model/pack.hpp"
#include "kernels/linear/params.h"

namespace adit::model {

// What one linear has beside it.
struct LowRank {
  kernels::LinearWeights a;
  kernels::LinearWeights b;
};

class Adapter {
 public:
  [[nodiscard]] static Result<std::shared_ptr<const Adapter>> make(const LoraAdapter& lora, const Pack& pack);
  // The folder that PEFT wrote.
  [[nodiscard]] static Result<std::shared_ptr<const Adapter>> load(const std::filesystem::path& folder,
                                                                   const Pack& pack);
  Adapter(const Adapter&) = delete;
  Adapter& operator=(const Adapter&) = delete;

  [[nodiscard]] const Hash256& content_hash() const { return content_hash_; }
  // That of the pack that it was made for.
  [[nodiscard]] const Hash256& pack_hash() const { return pack_hash_; }
  // nullptr: the linear stays as it is. Layer -1: the head.
  [[nodiscard]] const LowRank* find(int layer, PartRole role) const {
    const std::size_t at = static_cast<std::size_t>(layer + 1) * kRoles + static_cast<std::size_t>(role);
    return at < table_.size() ? table_[at] : nullptr;
  }
  // The largest rank: what lies between A and B has as many columns.
  [[nodiscard]] int width() const { return width_; }
  [[nodiscard]] std::size_t pairs() const { return pairs_.size(); }

 private:
  static constexpr std::size_t kRoles = static_cast<std::size_t>(PartRole::kInvFreq) + 1;
  struct Pair {
    LinearTiles a;
    LinearTiles b;
    LowRank linears;
  };
  Adapter() = default;
  [[nodiscard]] Result<void> add(const LoraPair& pair, kernels::ActForm act, class AdapterHash& hash);

  int width_ = 0;
  std::vector<std::unique_ptr<Pair>> pairs_;
  // By layer, then role.
  std::vector<const LowRank*> table_;
  Hash256 content_hash_{};
  Hash256 pack_hash_{};
};

}  // namespace adit::model
