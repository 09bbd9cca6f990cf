// SPDX-License-Identifier: MIT
#include <immintrin.h>

#include "kernels/hash/blake2b.h"

namespace adit::kernels::blake2b {
namespace {

struct FourLanes {
  using Reg = __m256i;
  static constexpr int kLanes = 4;
  static Reg set(std::uint64_t value) { return _mm256_set1_epi64x(static_cast<long long>(value)); }
  static Reg add(Reg a, Reg b) { return _mm256_add_epi64(a, b); }
  static Reg xor_(Reg a, Reg b) { return _mm256_xor_si256(a, b); }
  template <int R>
  static Reg rot(Reg a) {
    if constexpr (R == 32) {
      return _mm256_shuffle_epi32(a, 0xB1);
    } else if constexpr (R == 63) {
      return _mm256_or_si256(_mm256_srli_epi64(a, 63), _mm256_add_epi64(a, a));
    } else {
      // A rotation by whole bytes is a byte shuffle of each 8-byte lane.
      constexpr int n = R / 8;
      const __m256i order = _mm256_setr_epi8(
          n, n + 1, n + 2, n + 3, n + 4, (n + 5) % 8, (n + 6) % 8, (n + 7) % 8, 8 + n, 9 + n,
          10 + n, 11 + n, 12 + n, 8 + (n + 5) % 8, 8 + (n + 6) % 8, 8 + (n + 7) % 8, n, n + 1,
          n + 2, n + 3, n + 4, (n + 5) % 8, (n + 6) % 8, (n + 7) % 8, 8 + n, 9 + n, 10 + n, 11 + n,
          12 + n, 8 + (n + 5) % 8, 8 + (n + 6) % 8, 8 + (n + 7) % 8);
      return _mm256_shuffle_epi8(a, order);
    }
  }
  static void load_block(Reg (&m)[16], const std::uint8_t* const* row, std::size_t offset) {
    for (int quarter = 0; quarter < 4; ++quarter) {
      __m256i r[4];
      for (int lane = 0; lane < 4; ++lane) {
        const std::uint8_t* from = row[lane] + offset + static_cast<std::size_t>(quarter) * 32;
        r[lane] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
      }
      // Transpose 4 x 4 words.
      const __m256i low01 = _mm256_unpacklo_epi64(r[0], r[1]);
      const __m256i high01 = _mm256_unpackhi_epi64(r[0], r[1]);
      const __m256i low23 = _mm256_unpacklo_epi64(r[2], r[3]);
      const __m256i high23 = _mm256_unpackhi_epi64(r[2], r[3]);
      m[quarter * 4] = _mm256_permute2x128_si256(low01, low23, 0x20);
      m[quarter * 4 + 1] = _mm256_permute2x128_si256(high01, high23, 0x20);
      m[quarter * 4 + 2] = _mm256_permute2x128_si256(low01, low23, 0x31);
      m[quarter * 4 + 3] = _mm256_permute2x128_si256(high01, high23, 0x31);
    }
  }
};

}  // namespace

void hash_lanes_4_avx2(const Personal& personal, const std::uint8_t* const* row,
                       std::size_t row_bytes, std::uint8_t* const* out) {
  hash_lanes<FourLanes>(personal, row, row_bytes, out);
}

}  // namespace adit::kernels::blake2b
