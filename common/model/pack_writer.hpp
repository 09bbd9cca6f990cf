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
#include <string_view>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/model/weight_source.hpp"
#include "kernels/linear/params.h"

namespace adit::model {

struct PackOptions {
  // 8: all int8. 4: the layers' linears become affine u4, except what the source stores in 8 bits.
  int bits = 4;
  kernels::ActForm act = kernels::ActForm::kA16;
  // 0: all cores.
  int threads = 0;
};

struct PackSummary {
  Hash256 content_hash{};
  std::uint64_t file_bytes = 0;
  int linears_u4 = 0;
  int linears_i8 = 0;
  // Root mean square of (effective weight - source weight), over that of the source, all linears.
  double weight_error = 0;
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
