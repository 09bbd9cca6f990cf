// SPDX-License-Identifier: MIT
// The linear layer with AVX-512 VNNI, scales of 64 columns, 128 or a row: products of a span of groups are added up
// before they are multiplied with its scale. What the multiplications and their temporaries took is free for larger
// blocks, so that a weight that is loaded meets more tokens.
#include <cstdint>

#include "kernels/linear/avx512_spans.h"
#include "kernels/linear/avx512_walk.h"

namespace adit::kernels {
namespace {

template <bool kForm, int kPlaneCount>
struct Spans {
  static constexpr bool kU4 = kForm;
  static constexpr int kPlanes = kPlaneCount;
  static constexpr int kTiles = 2;
  // Measured: what keeps all sums of a span in registers, as GCC 12 hands them out.
  static constexpr int kTokens = kPlanes == 2 ? 4 : 6;

  static constexpr int kGroupBytes = kU4 ? 256 : 512;
  static void begin(const LinearCall&, int, int) {}
  static void finish(const LinearCall&) {}
  template <int kTilesNow, int kTokensNow>
  static void block(const LinearCall& call, const Tile* tile, int index, int token, const Ahead& ahead) {
    const bool is_row = call.weights->group == ScaleGroup::kRow;
    const int span = is_row ? call.act->groups() : 1 << tile->shift;
    if (block_fits(call, token, token + kTokensNow)) {
      narrow_spans<kU4, kPlanes, kTilesNow, kTokensNow>(call, tile, index, token, ahead, span);
    } else if (!is_row) {
      wide_spans<kU4, kPlanes, kTilesNow, kTokensNow>(call, tile, index, token, ahead, span);
    } else {
      // The sums of a whole row may be too much for int32: group by group.
      wide<kU4, kPlanes, kTilesNow, kTokensNow>(call, tile, index, token, ahead);
    }
  }
  template <int kTilesNow, int kTokensNow>
  static void by_tokens(const LinearCall& call, const Tile* tile, int index, int token, int count,
                        const Ahead& ahead) {
    if (count == kTokensNow) {
      block<kTilesNow, kTokensNow>(call, tile, index, token, ahead);
    } else if constexpr (kTokensNow > 1) {
      by_tokens<kTilesNow, kTokensNow - 1>(call, tile, index, token, count, ahead);
    }
  }
  static void run(const LinearCall& call, int index, int tiles, int token, int count, const Ahead& ahead) {
    Tile tile[kTiles];
    for (int i = 0; i < tiles; ++i) set_tile<kU4>(*call.weights, index + i, tile[i]);
    tiles == 1 ? by_tokens<1, kTokens>(call, tile, index, token, count, ahead)
               : by_tokens<kTiles, kTokens>(call, tile, index, token, count, ahead);
  }
};

}  // namespace

void linear_spans_avx512(const LinearCall& call) {
  const bool planes = call.act->form() == ActForm::kA16;
  if (call.weights->form == WeightForm::kU4) {
    planes ? walk<Spans<true, 2>>(call) : walk<Spans<true, 1>>(call);
  } else {
    planes ? walk<Spans<false, 2>>(call) : walk<Spans<false, 1>>(call);
  }
}

}  // namespace adit::kernels
