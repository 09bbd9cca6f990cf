// SPDX-License-Identifier: MIT
#include "kernels/hash/hash_rows.h"

#include <algorithm>
#include <cstring>

#include "kernels/core/by_isa.h"
#include "kernels/hash/blake2b.h"

namespace adit::kernels {
namespace {

constexpr std::size_t kLanesMax = 16;

struct Lanes {
  std::size_t width;
  blake2b::HashLanes hash;
};

// For `count` rows or more of them.
Lanes lanes_for(Isa isa, [[maybe_unused]] std::size_t count) {
  // NEON holds two lanes and cannot rotate them: the integer registers do as well.
  constexpr Lanes one{1, blake2b::hash_lanes_1};
  return ADIT_BY_ISA(isa, one, (Lanes{4, blake2b::hash_lanes_4_avx2}),
                     (count > 8 ? Lanes{16, blake2b::hash_lanes_16_avx512} : Lanes{8, blake2b::hash_lanes_8_avx512}),
                     one);
}

}  // namespace

void hash_rows(Isa isa, const char* personal, const std::uint8_t* rows, std::size_t row_bytes,
               std::size_t row_stride, std::size_t count, std::uint8_t* out) {
  blake2b::Personal words{};
  std::memcpy(words.words, personal, std::min(std::strlen(personal), blake2b::kPersonalBytes));

  std::size_t here = 0;
  for (std::size_t first = 0; first < count; first += here) {
    const Lanes wide = lanes_for(isa, count - first);
    here = std::min(wide.width, count - first);
    const std::uint8_t* row[kLanesMax];
    std::uint8_t* digest[kLanesMax];
    std::uint8_t unused[kDigestBytes];
    // A short last group repeats its last row: one pass over all lanes costs as much as a scalar
    // one.
    for (std::size_t lane = 0; lane < wide.width; ++lane) {
      row[lane] = rows + (first + std::min(lane, here - 1)) * row_stride;
      digest[lane] = lane < here ? out + (first + lane) * kDigestBytes : unused;
    }
    if (here == 1) {
      blake2b::hash_lanes_1(words, row, row_bytes, digest);
    } else {
      wide.hash(words, row, row_bytes, digest);
    }
  }
}

}  // namespace adit::kernels
