// SPDX-License-Identifier: MIT
#include "common/model/sparse_tiles.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <limits>
#include <optional>

#include <fmt/core.h>

namespace adit::model {
namespace {

using kernels::kGroup;
using kernels::kTileRows;
using kernels::LinearWeights;
using kernels::Storage;

std::size_t z(int value) { return static_cast<std::size_t>(value); }

template <class T>
ByteView bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(T)};
}

// The 64 bytes of 16 rows x 4 columns.
const std::uint8_t* vector_at(const LinearWeights& w, int tile, int vector) {
  return w.q + (z(tile) * z(w.k_pad / 4) + z(vector)) * 64;
}

std::uint64_t nonzero(const std::uint8_t* vector) {
  std::uint64_t mask = 0;
  for (int byte = 0; byte < 64; ++byte) mask |= static_cast<std::uint64_t>(vector[byte] != 128) << byte;
  return mask;
}

// Two bits of every four, the lowest free ones added; nullopt if a four has three.
std::optional<std::uint64_t> two_of_four(std::uint64_t mask) {
  for (int four = 0; four < 64; four += 4) {
    if (std::popcount(mask >> four & 15) > 2) return std::nullopt;
    for (int bit = four; std::popcount(mask >> four & 15) < 2; ++bit) mask |= std::uint64_t{1} << bit;
  }
  return mask;
}

// The rows of a tile whose block is not all zeros; with blocks of several rows all rows of such a block.
std::vector<std::uint16_t> rows_of_blocks(const LinearWeights& w, const StorageForm& form) {
  const int blocks = (w.k_pad + form.block_columns - 1) / form.block_columns;
  const int tiles = w.m_pad / kTileRows, tall = std::max(form.block_rows / kTileRows, 1);
  std::vector<std::uint16_t> out(z(tiles) * z(blocks));
  for (int tile = 0; tile < tiles; ++tile) {
    for (int vector = 0; vector < w.k_pad / 4; ++vector) {
      const std::uint64_t mask = nonzero(vector_at(w, tile, vector));
      std::uint16_t& rows = out[z(tile) * z(blocks) + z(4 * vector / form.block_columns)];
      for (int row = 0; row < kTileRows; ++row) {
        if ((mask >> (4 * row) & 15) != 0) rows = static_cast<std::uint16_t>(rows | 1 << row);
      }
    }
  }
  if (form.block_rows == 1) return out;
  for (int first = 0; first < tiles; first += tall) {
    for (int block = 0; block < blocks; ++block) {
      bool any = false;
      const int end = std::min(first + tall, tiles);
      for (int tile = first; tile < end; ++tile) any |= out[z(tile) * z(blocks) + z(block)] != 0;
      for (int tile = first; tile < end; ++tile) out[z(tile) * z(blocks) + z(block)] = any ? 0xffff : 0;
    }
  }
  return out;
}

std::uint64_t rows_to_mask(std::uint16_t rows) {
  std::uint64_t mask = 0;
  for (int row = 0; row < kTileRows; ++row) {
    mask |= static_cast<std::uint64_t>(rows >> row & 1) * 15 << (4 * row);
  }
  return mask;
}

Result<int> number_of(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return invalid_argument("not a number");
  return value;
}

}  // namespace

std::string storage_name(const StorageForm& form) {
  switch (form.storage) {
    case Storage::kDense: return "dense";
    case Storage::k24: return "2:4";
    case Storage::kBitmask: return "bitmask";
    case Storage::kBlock: return fmt::format("block {}x{}", form.block_rows, form.block_columns);
  }
  return "";
}

Result<StorageForm> parse_storage(std::string_view name) {
  if (name == "dense") return StorageForm{};
  if (name == "2:4") return StorageForm{Storage::k24, 0, 0};
  if (name == "bitmask") return StorageForm{Storage::kBitmask, 0, 0};
  const std::size_t cross = name.find('x');
  if (name.starts_with("block ") && cross != std::string_view::npos) {
    const auto rows = number_of(name.substr(6, cross - 6)), columns = number_of(name.substr(cross + 1));
    if (rows && columns && (*rows == 1 || *rows == 16 || *rows == 32) && *columns > 0 &&
        *columns % kGroup == 0 && *columns <= 1024) {
      return StorageForm{Storage::kBlock, *rows, *columns};
    }
  }
  return invalid_argument(
      "storage {}: expected dense, 2:4, bitmask or block RxC with R of 1, 16, 32 and C a multiple of 32 up to 1024",
      name.substr(0, 40));
}

Result<SparseTiles> SparseTiles::encode(const LinearWeights& w, const StorageForm& form) {
  SparseTiles out;
  out.form_ = form;
  if (form.storage == Storage::kDense) return invalid_argument("dense tiles are not encoded");
  if (form.storage == Storage::kBlock) out.rows_ = rows_of_blocks(w, form);
  const int blocks = form.storage == Storage::kBlock ? (w.k_pad + form.block_columns - 1) / form.block_columns : 0;
  for (int tile = 0; tile < w.m_pad / kTileRows; ++tile) {
    out.offsets_.push_back(out.values_.size());
    for (int vector = 0; vector < w.k_pad / 4; ++vector) {
      const std::uint8_t* bytes = vector_at(w, tile, vector);
      std::uint64_t mask = nonzero(bytes);
      if (form.storage == Storage::kBlock) {
        mask = rows_to_mask(out.rows_[z(tile) * z(blocks) + z(4 * vector / form.block_columns)]);
      } else if (form.storage == Storage::k24) {
        const auto two = two_of_four(mask);
        if (!two) {
          return invalid_argument("2:4: rows {}..{}, columns {}..{}: three weights in a group of four",
                                  tile * kTileRows, tile * kTileRows + kTileRows - 1, 4 * vector,
                                  4 * vector + 3);
        }
        mask = *two;
      }
      if (form.storage != Storage::kBlock) out.mask_.push_back(mask);
      for (; mask != 0; mask &= mask - 1) out.values_.push_back(bytes[std::countr_zero(mask)]);
    }
  }
  out.offsets_.push_back(out.values_.size());
  if (form.storage == Storage::k24) {
    out.offsets_.clear();
  } else {
    out.values_.resize(out.values_.size() + kStoredTail);
  }
  return out;
}

LinearWeights SparseTiles::view(const LinearWeights& dense) const {
  LinearWeights out = dense;
  out.storage = form_.storage;
  out.q = values_.data();
  out.mask = mask_.empty() ? nullptr : mask_.data();
  out.block_rows = rows_.empty() ? nullptr : rows_.data();
  out.block_columns = form_.block_columns;
  out.offsets = offsets_.empty() ? nullptr : offsets_.data();
  return out;
}

ByteView SparseTiles::values() const { return values_; }
ByteView SparseTiles::mask() const { return bytes_of(mask_); }
ByteView SparseTiles::block_rows() const { return bytes_of(rows_); }
ByteView SparseTiles::offsets() const { return bytes_of(offsets_); }
std::uint64_t SparseTiles::bytes() const {
  return values_.size() + mask().size() + block_rows().size() + offsets().size();
}

StorageForm best_storage(const LinearWeights& dense, std::span<const StorageForm> forms) {
  if (forms.size() == 1) return forms.front();
  constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
  std::vector<std::uint64_t> sizes;
  for (const StorageForm& form : forms) {
    if (form.storage == Storage::kDense) {
      sizes.push_back(z(dense.m_pad) * z(dense.k_pad));
      continue;
    }
    const auto tiles = SparseTiles::encode(dense, form);
    sizes.push_back(tiles ? tiles->bytes() : kNever);
  }
  const std::uint64_t smallest = *std::min_element(sizes.begin(), sizes.end());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] != kNever && sizes[i] - smallest <= smallest / 20) return forms[i];
  }
  return StorageForm{};
}

}  // namespace adit::model
