// SPDX-License-Identifier: MIT
// kernels/linear/avx512_product.h
//
// The linear layer with AVX-512 VNNI for A16 and many tokens, whole panels of them (panel.h) and pairs of tiles, scales
// of 32 columns: half the multiplications of two int8 planes. Winograd's inner product takes two columns at once,
//   x0 w0 + x1 w1 = (x0 + w1) (x1 + w0) - x0 x1 - w0 w1,
// where the last two depend on a token or on a row alone, and exact integers let us. x + w fits int16, as |X| <= 32639
// and codes are within 128. So 64 multiply-adds take one vpdpwssd and two vpaddw, which have pipes of their own (Zen 5:
// 4 instructions a cycle, 2 of them multiplications), and not two vpdpbusd.
//
// In       tokens of whole panels; two neighbouring tiles; their weights are widened to int16 segment by segment, so
//          that these stay in the first-level cache while all tokens pass.
// Exact    A group's dot d, less the token's products modulo 2^32, is sum X w plus the row's products, below 2^27.1.
//          Halves: d + 2^15 = 2^16 u + l', l = l' - 2^15, so d = 2^16 u + l with both int16; with sum X = 2^16 u + l
//          alike, upper += s u + o u and lower += s l + o l. |lower| <= 2^15 sum(s + |o|) + 2^17 < 2^31 in a segment
//          (widen looks; scales and offsets fit int16 too); a carry goes before the next one. The row's own products,
//          summed likewise, are taken away at the end, where |sum W X| < 2^24 * 2^15 makes upper exact as a float.
// Errors   run: false if the weights of these tiles are not so; nothing of them is written then.
// Threads  an object belongs to one thread.
// Source   S. Winograd, A New Algorithm for Inner Product, IEEE Trans. Computers C-17, 1968;
//          kernels/NUMERICS.md, "Linear layer"
// Tests    tests/unit/kernels/linear_panels_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

#include "kernels/linear/avx512_block.h"
#include "kernels/linear/avx512_product_loop.h"
#include "kernels/linear/linear.h"

namespace adit::kernels {
namespace {

// Of both tiles of sum(s + |o|): see above.
constexpr int kProductLowerMax = 65528;
// Groups of a segment: 27 KiB.
constexpr int kSegmentGroups = 12;
constexpr __mmask32 kUpperHalves = 0xaaaaaaaa;
// Panels of a run, whose sums wait for the next segment: 64 KiB.
constexpr int kProductPanels = 64;

// What is read next, to be asked for.
struct NextCodes {
  const std::uint8_t* q;
  int lines;
};

template <bool kU4>
class Products {
 public:
  static constexpr int kTokensMost = kProductPanels * kProductTokens;

  static bool takes(const LinearCall& call) { return call.weights->abs_row_max < (1u << 24); }

  // Tokens [token, token + count), whole panels, at most kTokensMost.
  bool run(const LinearCall& call, int index, int token, int count, const NextCodes& next) {
    for (int i = 0; i < 2; ++i) {
      set_tile<kU4>(*call.weights, index + i, tile_[i]);
      own_upper_[i] = own_lower_[i] = _mm512_setzero_si512();
    }
    index_ = index;
    const int groups = call.act->groups();
    const int segments = (groups + kSegmentGroups - 1) / kSegmentGroups;
    const int panels = count / kProductTokens;
    // Lines are asked for evenly over all turns.
    const int turns = segments * panels;
    int turn = 0, line = 0;
    for (int segment = 0; segment < segments; ++segment) {
      const int begin = border(groups, segment, segments);
      const int end = border(groups, segment + 1, segments);
      if (!widen(begin, end)) return false;
      const bool is_last = segment + 1 == segments;
      for (int panel = 0; panel < panels; ++panel) {
        const int until = next.lines * ++turn / turns;
        const int each = (until - line) / (end - begin);
        for (const int some = until - each * (end - begin); line < some; ++line) {
          _mm_prefetch(reinterpret_cast<const char*>(next.q) + std::ptrdiff_t{line} * 64, _MM_HINT_T1);
        }
        multiply_products<kU4>({.weights = weights_,
                           .x = call.act->product(token + panel * kProductTokens) + begin,
                           .groups = end - begin,
                           .before = segment == 0 ? nullptr : sums_[panel],
                           .ahead = next.q + std::ptrdiff_t{line} * 64,
                           .lines = each},
                          sums_[panel]);
        line = until;
        // The results before: their conversion would wait for the sums, and keep the next multiplications waiting.
        if (is_last && panel > 0) write(call, token, panel - 1);
      }
    }
    write(call, token, panels - 1);
    return true;
  }

 private:
  // Segments of like size.
  static int border(int groups, int segment, int segments) { return groups * segment / segments; }

  // Codes of columns 4j .. 4j + 3 of a group, less what they are raised by, as int16.
  ADIT_INLINE static void load_wide(const Tile& tile, int group, int j, __m512i& even, __m512i& odd) {
    if (kU4) {
      const __m512i nibble = _mm512_set1_epi16(15);
      const __m512i centre = _mm512_set1_epi16(kPanelCentre);
      const __m512i both = _mm512_loadu_si512(tile.q + std::ptrdiff_t{group} * 256 + 64 * (j / 2));
      const __m512i here = j % 2 == 0 ? both : _mm512_srli_epi16(both, 4);
      even = _mm512_sub_epi16(_mm512_and_si512(here, nibble), centre);
      odd = _mm512_sub_epi16(_mm512_and_si512(_mm512_srli_epi16(here, 8), nibble), centre);
    } else {
      const __m512i raised = _mm512_loadu_si512(tile.q + std::ptrdiff_t{group} * 512 + 64 * j);
      const __m512i both = _mm512_xor_si512(raised, _mm512_set1_epi8(-128));
      even = _mm512_srai_epi16(_mm512_slli_epi16(both, 8), 8);
      odd = _mm512_srai_epi16(both, 8);
    }
  }

  // Groups [begin, end) of both tiles.
  bool widen(int begin, int end) {
    __m512i beyond = _mm512_setzero_si512();
    for (int i = 0; i < 2; ++i) {
      const __m512i flip = _mm512_set1_epi32(1 << 15);
      __m512i total = _mm512_setzero_si512();
      for (int group = begin; group < end; ++group) {
        WideGroup& to = weights_[group - begin];
        __m512i own = flip;
        ADIT_UNROLL for (int j = 0; j < kGroup / 4; ++j) {
          __m512i even, odd;
          load_wide(tile_[i], group, j, even, odd);
          own = _mm512_dpwssd_epi32(own, even, odd);
          _mm512_store_si512(to.w[j][i][0], even);
          _mm512_store_si512(to.w[j][i][1], odd);
        }
        const __m512i s = load_scales(tile_[i], group);
        const __m512i s_upper = _mm512_slli_epi32(s, 16);
        const __m512i o = kU4 ? raised_offsets(tile_[i], group, s) : _mm512_setzero_si512();
        _mm512_store_si512(to.s[i].lower, _mm512_or_si512(s, _mm512_slli_epi32(o, 16)));
        _mm512_store_si512(to.s[i].upper, _mm512_mask_blend_epi16(kUpperHalves, o, s_upper));
        const __m512i halves = _mm512_xor_si512(own, flip);
        own_lower_[i] = _mm512_dpwssd_epi32(own_lower_[i], halves, s);
        own_upper_[i] = _mm512_dpwssd_epi32(own_upper_[i], halves, s_upper);
        // Bits above the sign of an int16 that differ from it.
        beyond = _mm512_or_si512(beyond, _mm512_xor_si512(_mm512_srai_epi32(o, 15), _mm512_srai_epi32(o, 31)));
        beyond = _mm512_or_si512(beyond, _mm512_srli_epi32(s, 15));
        total = _mm512_add_epi32(total, _mm512_add_epi32(s, _mm512_abs_epi32(o)));
      }
      const __m512i left = _mm512_sub_epi32(_mm512_set1_epi32(kProductLowerMax), total);
      beyond = _mm512_or_si512(beyond, _mm512_srai_epi32(left, 31));
      own_upper_[i] = _mm512_add_epi32(own_upper_[i], _mm512_srai_epi32(own_lower_[i], 16));
      own_lower_[i] = _mm512_and_si512(own_lower_[i], _mm512_set1_epi32(0xffff));
    }
    return _mm512_test_epi32_mask(beyond, beyond) == 0;
  }

  // float(2^16 upper + lower), rounded once: both parts are exact after a carry.
  ADIT_INLINE static __m512 value(__m512i upper, __m512i lower) {
    const __m512i carried = _mm512_add_epi32(upper, _mm512_srai_epi32(lower, 16));
    const __m512i rest = _mm512_and_si512(lower, _mm512_set1_epi32(0xffff));
    return _mm512_fmadd_ps(_mm512_cvtepi32_ps(carried), _mm512_set1_ps(65536.0f), _mm512_cvtepi32_ps(rest));
  }
  void write(const LinearCall& call, int token, int panel) const {
    const int first = token + panel * kProductTokens;
    ADIT_UNROLL for (int i = 0; i < 2; ++i) {
      const __m512i own_upper = own_upper_[i];
      const __m512i own_lower = own_lower_[i];
      __m512 values[kProductTokens];
      ADIT_UNROLL for (int t = 0; t < kProductTokens; ++t) {
        values[t] = value(_mm512_sub_epi32(sums_[panel][4 * i + t], own_upper),
                          _mm512_sub_epi32(sums_[panel][8 + 4 * i + t], own_lower));
      }
      store_rows(call, tile_[i], index_ + i, first, values);
    }
  }

  WideGroup weights_[kSegmentGroups];
  __m512i sums_[kProductPanels][16];
  Tile tile_[2];
  int index_ = 0;
  // [tile]: the sums of the rows' own products.
  __m512i own_upper_[2];
  __m512i own_lower_[2];
};

}  // namespace
}  // namespace adit::kernels
