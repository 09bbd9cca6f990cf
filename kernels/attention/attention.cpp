// SPDX-License-Identifier: MIT
#include "kernels/attention/attention.h"

#include <array>
#include <cstring>
#include <vector>

#include "kernels/attention/paths.h"
#include "kernels/core/by_isa.h"
#include "kernels/indexer/indexer.h"

namespace adit::kernels {
namespace {

bool is_vector_shape(int head_dim) {
  return head_dim % 8 == 0 && head_dim <= kHeadDimMax;
}

void store_f16(Isa isa, int head_dim, int position, const float* key, const float* value,
               std::uint16_t* k, std::uint16_t* v) {
  const auto dim = static_cast<std::size_t>(head_dim);
  to_f16(isa, value, head_dim, v + static_cast<std::size_t>(position) * dim);
  std::uint16_t* column =
      k + static_cast<std::size_t>(position / kKeyBlock) * dim * kKeyBlock + position % kKeyBlock;
  std::array<std::uint16_t, kHeadDimMax> half;
  for (std::size_t first = 0; first < dim; first += half.size()) {
    const std::size_t count = dim - first < half.size() ? dim - first : half.size();
    to_f16(isa, key + first, static_cast<int>(count), half.data());
    for (std::size_t i = 0; i < count; ++i) column[(first + i) * kKeyBlock] = half[i];
  }
}

void store_int8(Isa isa, int head_dim, int position, const float* key, const float* value,
                std::uint16_t* k, std::uint16_t* v) {
  const auto dim = static_cast<std::size_t>(head_dim);
  const std::size_t block =
      static_cast<std::size_t>(position / kKeyBlock) * kv_block_cells(KvForm::kI8, head_dim);
  const int within = position % kKeyBlock;
  auto* keys = reinterpret_cast<std::int8_t*>(k + block);
  auto* values = reinterpret_cast<std::int8_t*>(v + block);
  float scale = 0;
  std::int8_t* row = values + static_cast<std::size_t>(within) * dim;
  quantize_int8(isa, value, head_dim, row, scale);
  std::memcpy(values + kv_scale_at(within, head_dim), &scale, sizeof scale);
  std::array<std::int8_t, kHeadDimMax> few;
  // Longer heads have no vector version: they may be slow.
  std::vector<std::int8_t> many(dim <= few.size() ? 0 : dim);
  std::int8_t* codes = many.empty() ? few.data() : many.data();
  quantize_int8(isa, key, head_dim, codes, scale);
  for (std::size_t i = 0; i < dim; ++i) keys[i * kKeyBlock + static_cast<std::size_t>(within)] = codes[i];
  std::memcpy(keys + kv_scale_at(within, head_dim), &scale, sizeof scale);
}

}  // namespace

void to_f16(Isa isa, const float* x, int n, std::uint16_t* out) {
  ADIT_BY_ISA(isa, to_f16_scalar, to_f16_avx2, to_f16_avx512, to_f16_neon)(x, n, out);
}

std::size_t attend_scratch_floats(int rows, int group, int keys_max) {
  // Scores of every slot over whole key blocks, and what goes before them to the next cache line.
  const int slots = rows * group < kSlotsMax ? rows * group : kSlotsMax;
  return static_cast<std::size_t>(slots) *
             static_cast<std::size_t>((keys_max + kKeyBlock - 1) / kKeyBlock * kKeyBlock + kScorePad) +
         kScorePad;
}

void attend_rows(Isa isa, const AttendParams& params) {
  const Isa used = is_vector_shape(params.head_dim) ? isa : Isa::kScalar;
  if (used == Isa::kScalar) {
    attend_scalar(params);
    return;
  }
  // In parts of at most kSlotsMax heads of rows.
  AttendParams part = params;
  for (int head = 0; head < params.group; head += part.group) {
    part.group = params.group - head < kSlotsMax ? params.group - head : kSlotsMax;
    const int rows = kSlotsMax / part.group;
    for (int row = 0; row < params.rows; row += part.rows) {
      part.rows = params.rows - row < rows ? params.rows - row : rows;
      part.first_keys = params.first_keys + row;
      const auto r = static_cast<std::size_t>(row);
      const auto column = static_cast<std::size_t>(head) * static_cast<std::size_t>(params.head_dim);
      part.q = params.q + r * params.q_stride + column;
      part.out = params.out + r * params.out_stride + column;
      ADIT_BY_ISA(used, attend_scalar, attend_avx2, attend_avx512, attend_neon)(part);
    }
  }
}

void store_kv(Isa isa, int head_dim, int position, const float* key, const float* value,
              std::uint16_t* k, std::uint16_t* v, KvForm form) {
  if (form == KvForm::kI8) {
    store_int8(isa, head_dim, position, key, value, k, v);
  } else {
    store_f16(isa, head_dim, position, key, value, k, v);
  }
}

}  // namespace adit::kernels
