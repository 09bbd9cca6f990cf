// SPDX-License-Identifier: MIT
// common/model/pack_writer.hpp
//
// A published model -> pack file.
//
// In       anything that weight_source.hpp opens.
// Out      a pack, written beside `out` and renamed over it when complete and checked.
// Errors   as open_weights; kResourceExhausted for a full disk.
// Threads  pack_model uses options.threads threads; `progress` is called from the calling thread.
// Source   kernels/NUMERICS.md, "Packs"
// Tests    tests/unit/common/model/pack_test.cpp
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/model/model_parts.hpp"
#include "common/model/pack.hpp"
#include "common/model/sparse_tiles.hpp"
#include "common/model/weight_source.hpp"
#include "kernels/linear/params.h"

namespace adit::model {

// What is done to a linear's weights before they are quantised: some are set to 0.
class PruneStep {
 public:
  virtual ~PruneStep() = default;
  // The linear becomes int8 in one of storages().
  [[nodiscard]] virtual bool prunes(const Part& part) const = 0;
  // f32 rows [begin, begin + count) of [k], begin a multiple of 32; called from several threads.
  [[nodiscard]] virtual Result<void> apply(const Part& part, int begin, int count, float* rows) const = 0;
  // Fastest first; the first that is about as small as the smallest is taken.
  [[nodiscard]] virtual std::span<const StorageForm> storages() const = 0;
};

// What the source stores as 16 evenly spaced levels a group (Q4_0, Q4_1, Q4_K) becomes u4, all else int8.
inline constexpr int kBitsAsStored = 0;

struct PackOptions {
  // 8: all int8. 4: the layers' linears become affine u4, except what the source stores in 8 bits.
  // kBitsAsStored: as close to the source as can be.
  int bits = 4;
  // Of the layers' linears; a head reads A16.
  kernels::ActForm act = kernels::ActForm::kA16;
  // Columns that share a scale, of every linear; other than 32 not with kBitsAsStored.
  kernels::ScaleGroup group = kernels::ScaleGroup::k32;
  // Linears that differ from the above.
  LinearChoices choices = {};
  // 0: all cores.
  int threads = 0;
  // Must outlive the packing.
  const PruneStep* prune = nullptr;
  // Sets room aside in the header for a declaration (declaration.hpp).
  bool declares = false;
};

// One pruned linear.
struct PrunedLinear {
  std::string name;
  StorageForm storage;
  // Share of codes that are 0.
  double sparsity = 0;
  // Of the codes: as stored, and dense.
  std::uint64_t bytes = 0;
  std::uint64_t dense_bytes = 0;
};

struct PackSummary {
  Hash256 content_hash{};
  std::uint64_t file_bytes = 0;
  int linears_u4 = 0;
  int linears_i8 = 0;
  // By the form of activations that they read.
  int linears_a16 = 0;
  int linears_a8 = 0;
  // Root mean square of (effective weight - source weight), over that of the source, all linears.
  double weight_error = 0;
  std::vector<PrunedLinear> pruned;
  // The source's.
  std::vector<std::string> notes;
};

// Called with the share of the work done, 0..1, and what is being done.
using PackProgress = std::function<void(double done, std::string_view what)>;

[[nodiscard]] Result<PackSummary> pack_model(const WeightSource& source, const std::filesystem::path& out,
                                             const PackOptions& options, const PackProgress& progress);
// The same for the file or folder at `path`.
[[nodiscard]] Result<PackSummary> pack_model(const std::filesystem::path& path,
                                             const std::filesystem::path& out, const PackOptions& options,
                                             const PackProgress& progress);

}  // namespace adit::model
