// SPDX-License-Identifier: MIT
// The codes of a pack's linears in their storages. Whatever the bytes are, a view that passes here can be read:
// every tile's stored bytes lie inside the tensor, as many as its masks say.
#include <algorithm>
#include <bit>

#include "common/model/pack_state.hpp"

namespace adit::model {

using kernels::kTileRows;
using kernels::LinearWeights;
using kernels::Storage;

namespace {

const safetensors::Tensor& named(const std::vector<safetensors::Tensor>& tensors, std::string_view suffix) {
  return *std::find_if(tensors.begin(), tensors.end(), [&](const auto& t) { return t.name.ends_with(suffix); });
}

// Bits of the padding of one vector: rows from `rows` on, columns from `columns` on.
std::uint64_t padding_bits(int rows, int columns) {
  std::uint64_t bits = 0;
  for (int row = 0; row < kTileRows; ++row) {
    for (int i = 0; i < 4; ++i) {
      if (row >= rows || i >= columns) bits |= std::uint64_t{1} << (4 * row + i);
    }
  }
  return bits;
}

}  // namespace

// 2:4: exactly two bits of every four.
Result<void> Pack::State::check_pairs(const LinearWeights& w, const safetensors::Tensor& mask) const {
  constexpr std::uint64_t kOnes = 0x1111111111111111ULL;
  for (std::uint64_t i = 0; i < mask.bytes / 8; ++i) {
    const std::uint64_t m = w.mask[i];
    // The count of each four bits, in place.
    const std::uint64_t counts =
        (m & kOnes) + (m >> 1 & kOnes) + (m >> 2 & kOnes) + (m >> 3 & kOnes);
    if (counts != 2 * kOnes) return bad(mask, 8 * i, "a mask of {:016x}, expected two bits of every four", m);
  }
  return {};
}

Result<void> Pack::State::check_tail(const safetensors::Tensor& values) const {
  const std::uint8_t* tail = data<std::uint8_t>(values) + values.bytes - kStoredTail;
  for (std::uint64_t i = 0; i < kStoredTail; ++i) {
    if (tail[i] != 0) return bad(values, values.bytes - kStoredTail + i, "padding that is not 0");
  }
  return {};
}

// A bitmask or blocks: offsets against masks, tile by tile; block_rows: of blocks, else 0.
Result<void> Pack::State::check_stored(const LinearWeights& w, const Part& part, int block_rows) const {
  const bool block = w.storage == Storage::kBlock;
  const auto& values = container.tensors.at(part.name + ".values");
  const auto& offsets = container.tensors.at(part.name + ".offsets");
  const auto& masks = container.tensors.at(part.name + (block ? ".rows" : ".mask"));
  const std::uint64_t stored = values.bytes - kStoredTail;
  if (w.offsets[0] != 0) return bad(offsets, 0, "the first tile at {}, expected 0", w.offsets[0]);
  const int vectors = w.k_pad / 4, blocks = block ? kernels::blocks_of(w) : vectors;
  for (int tile = 0; tile < w.m_pad / kTileRows; ++tile) {
    const int rows = std::min(kTileRows, w.m - tile * kTileRows);
    std::uint64_t count = 0;
    for (int i = 0; i < blocks; ++i) {
      const auto at = static_cast<std::uint64_t>(tile) * static_cast<std::uint64_t>(blocks) +
                      static_cast<std::uint64_t>(i);
      if (!block) {
        if ((w.mask[at] & padding_bits(rows, w.k - 4 * i)) != 0) {
          return bad(masks, 8 * at, "padding that is not 0");
        }
        count += static_cast<std::uint64_t>(std::popcount(w.mask[at]));
        continue;
      }
      const std::uint16_t kept = w.block_rows[at];
      const bool pair = block_rows == 32 && tile % 2 == 1;
      if (block_rows > 1 && kept != 0 && kept != 0xffff) {
        return bad(masks, 2 * at, "a part of a block of {} rows", block_rows);
      }
      if (pair && kept != w.block_rows[at - static_cast<std::uint64_t>(blocks)]) {
        return bad(masks, 2 * at, "half a block of 32 rows");
      }
      if (block_rows == 1 && (kept >> rows) != 0) return bad(masks, 2 * at, "padding that is not 0");
      const int columns = std::min(w.block_columns, w.k_pad - i * w.block_columns);
      count += static_cast<std::uint64_t>(std::popcount(kept)) * static_cast<std::uint64_t>(columns);
    }
    const auto next = static_cast<std::uint64_t>(tile) + 1;
    if (w.offsets[next] < w.offsets[next - 1] || w.offsets[next] > stored ||
        w.offsets[next] - w.offsets[next - 1] != count) {
      return bad(offsets, 8 * next, "tile {} from {} to {} of {} bytes, its masks say {} bytes", tile,
                 w.offsets[next - 1], w.offsets[next], stored, count);
    }
    if (next == static_cast<std::uint64_t>(w.m_pad / kTileRows) && w.offsets[next] != stored) {
      return bad(offsets, 8 * next, "the last tile ends at {} of {} bytes", w.offsets[next], stored);
    }
  }
  return check_tail(values);
}

Result<void> Pack::State::load_codes(const Part& part, const LinearNote& note, LinearWeights& w) const {
  w.storage = note.storage.storage;
  w.block_columns = note.storage.block_columns;
  if (w.storage == Storage::kDense) {
    ADIT_TRY(const auto* q, find(part_tensors(part, w.form).front()));
    w.q = data<std::uint8_t>(*q);
    return {};
  }
  // How many bytes a bitmask or blocks store only the file knows.
  const auto values = container.tensors.find(part.name + ".values");
  const std::uint64_t size = values == container.tensors.end() ? 0 : values->second.bytes;
  const auto expected = linear_tensors(part, note, std::max(size, kStoredTail) - kStoredTail);
  ADIT_TRY(const auto* q, find(named(expected, ".values")));
  w.q = data<std::uint8_t>(*q);
  if (w.storage == Storage::kBlock) {
    ADIT_TRY(const auto* rows, find(named(expected, ".rows")));
    w.block_rows = data<std::uint16_t>(*rows);
  } else {
    ADIT_TRY(const auto* mask, find(named(expected, ".mask")));
    w.mask = data<std::uint64_t>(*mask);
    if (w.storage == Storage::k24) return check_pairs(w, *mask);
  }
  ADIT_TRY(const auto* offsets, find(named(expected, ".offsets")));
  w.offsets = data<std::uint64_t>(*offsets);
  return check_stored(w, part, note.storage.block_rows);
}

}  // namespace adit::model
