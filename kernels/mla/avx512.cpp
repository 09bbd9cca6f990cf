// SPDX-License-Identifier: MIT
#include "kernels/core/vec_avx512.h"
#include "kernels/mla/latent_vec.h"

namespace adit::kernels {
namespace {

template <>
struct RowGroups<Vec512> {
  // Eight cells of each of two rows.
  static __m512 load_rows(const std::uint16_t* const* rows, std::ptrdiff_t at) {
    const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[0] + at));
    const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[1] + at));
    return _mm512_cvtph_ps(_mm256_inserti128_si256(_mm256_castsi128_si256(a), b, 1));
  }
  static __m512 repeat(const float* x) { return _mm512_broadcast_f32x8(_mm256_loadu_ps(x)); }
  // Both halves' sums at strides 4, 2, 1.
  static void sums(__m512 lanes, float scale, float* out) {
    const __m512 four = _mm512_add_ps(lanes, _mm512_shuffle_f32x4(lanes, lanes, 0xb1));
    const __m512 two = _mm512_add_ps(four, _mm512_permute_ps(four, 0x4e));
    const __m512 one = _mm512_add_ps(two, _mm512_permute_ps(two, 0xb1));
    const __m512 scaled = _mm512_mul_ps(one, _mm512_set1_ps(scale));
    out[0] = _mm512_cvtss_f32(scaled);
    out[1] = _mm256_cvtss_f32(_mm512_extractf32x8_ps(scaled, 1));
  }
};

}  // namespace

void attend_latent_avx512(const LatentParams& params) {
  LatentKernels<Vec512>(params).run();
}

}  // namespace adit::kernels
