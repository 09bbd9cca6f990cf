// SPDX-License-Identifier: MIT
// common/model/sparse_tiles.hpp
//
// Int8 tiles in a storage that leaves codes of 0 out (kernels/linear/params.h), made from dense ones.
//
// In       a dense int8 layer as LinearTiles gives it: codes of padding are 0.
// Out      the same codes: kernels::expand_tile gives the dense bytes again.
// Errors   kInvalidArgument: 2:4 for a row with three codes in a group of four; unknown names.
// Threads  const after encode.
// Source   kernels/NUMERICS.md, "Packs"
// Tests    tests/unit/common/model/sparse_tiles_test.cpp
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "kernels/linear/params.h"

namespace adit::model {

struct StorageForm {
  kernels::Storage storage = kernels::Storage::kDense;
  // kBlock: 1, 16 or 32 rows; a multiple of 32 columns.
  int block_rows = 0;
  int block_columns = 0;
  [[nodiscard]] bool operator==(const StorageForm&) const = default;
};
// "dense", "2:4", "bitmask", "block 16x64".
[[nodiscard]] std::string storage_name(const StorageForm& form);
[[nodiscard]] Result<StorageForm> parse_storage(std::string_view name);

// Readable bytes behind the last stored one of a bitmask or of blocks.
inline constexpr std::uint64_t kStoredTail = 64;

class SparseTiles {
 public:
  [[nodiscard]] static Result<SparseTiles> encode(const kernels::LinearWeights& dense,
                                                  const StorageForm& form);
  [[nodiscard]] const StorageForm& form() const { return form_; }
  // Of the dense layer with the codes from here; valid as long as both.
  [[nodiscard]] kernels::LinearWeights view(const kernels::LinearWeights& dense) const;
  [[nodiscard]] ByteView values() const;
  // Empty for blocks; [tiles][k_pad/4] u64.
  [[nodiscard]] ByteView mask() const;
  // Blocks only; [tiles][blocks] u16.
  [[nodiscard]] ByteView block_rows() const;
  // Empty for 2:4; [tiles + 1] u64.
  [[nodiscard]] ByteView offsets() const;
  // All of them together.
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  StorageForm form_;
  std::vector<std::uint8_t> values_;
  std::vector<std::uint64_t> mask_;
  std::vector<std::uint16_t> rows_;
  std::vector<std::uint64_t> offsets_;
};

// A single form; else of `forms`, fastest first, the first that can hold the layer in at most 1/20 more bytes
// than the smallest.
[[nodiscard]] StorageForm best_storage(const kernels::LinearWeights& dense,
                                       std::span<const StorageForm> forms);

}  // namespace adit::model
