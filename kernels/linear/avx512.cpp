// SPDX-License-Identifier: MIT
// The linear layer with AVX-512 VNNI, scales of 32 columns. A zmm register holds 16 rows x 4 columns of weights as
// unsigned bytes; vpdpbusd multiplies it with four activations of one token, broadcast. int8 codes carry +128,
// which the token's group bias (-128 * sum) takes away again; u4 offsets use the group sums. Two tiles and several
// tokens go together: a broadcast serves two tiles and a load of weights all tokens, so that the multipliers and
// not the load ports are the limit. A few tokens' activations are read where they lie; those of more, from panels.
#include <cstdint>

#include "kernels/linear/avx512_block.h"
#include "kernels/linear/avx512_panel.h"
#include "kernels/linear/avx512_product.h"
#include "kernels/linear/avx512_walk.h"

namespace adit::kernels {
namespace {

template <bool kU4, int kTiles, int kTokens>
void block(const LinearCall& call, const Tile* tiles, int index, int token,
           const Ahead& ahead, bool narrow) {
  const bool planes = call.act->form() == ActForm::kA16;
  if (narrow) {
    planes ? narrow_a16<kU4, kTiles, kTokens>(call, tiles, index, token, ahead)
           : narrow_a8<kU4, kTiles, kTokens>(call, tiles, index, token, ahead);
  } else {
    planes ? wide<kU4, 2, kTiles, kTokens>(call, tiles, index, token, ahead)
           : wide<kU4, 1, kTiles, kTokens>(call, tiles, index, token, ahead);
  }
}

template <bool kU4, int kTiles>
void block_of(const LinearCall& call, const Tile* tiles, int index, int token, int count,
              const Ahead& ahead, bool narrow) {
  switch (count) {
    case 4:
      block<kU4, kTiles, 4>(call, tiles, index, token, ahead, narrow);
      break;
    case 3:
      block<kU4, kTiles, 3>(call, tiles, index, token, ahead, narrow);
      break;
    case 2:
      block<kU4, kTiles, 2>(call, tiles, index, token, ahead, narrow);
      break;
    default:
      block<kU4, kTiles, 1>(call, tiles, index, token, ahead, narrow);
      break;
  }
}

template <bool kForm>
struct Groups {
  static constexpr bool kU4 = kForm;
  static constexpr int kTiles = 2;
  static constexpr int kTokens = 4;
  static constexpr int kGroupBytes = kU4 ? 256 : 512;
  static void begin(const LinearCall&, int, int) {}
  static void finish(const LinearCall&) {}
  static void run(const LinearCall& call, int index, int tiles, int token, int count, const Ahead& ahead) {
    Tile tile[kTiles];
    for (int i = 0; i < tiles; ++i) set_tile<kU4>(*call.weights, index + i, tile[i]);
    const bool narrow = block_fits(call, token, token + count);
    tiles == 1 ? block_of<kU4, 1>(call, tile, index, token, count, ahead, narrow)
               : block_of<kU4, 2>(call, tile, index, token, count, ahead, narrow);
  }
};

template <bool kU4>
void run_groups(const LinearCall& call, int index, int tiles, int token, int count, const Ahead& ahead) {
  constexpr int kMost = Groups<kU4>::kTokens;
  for (int done = 0; done < count; done += kMost) {
    Groups<kU4>::run(call, index, tiles, token + done, count - done < kMost ? count - done : kMost, ahead);
  }
}

// Whole panels and pairs of tiles by panels, what is left over as above.
template <bool kForm, int kPlanes>
struct PanelBlocks {
  static constexpr bool kU4 = kForm;
  static constexpr int kTiles = Panels<kU4, kPlanes>::kTiles;
  static constexpr int kTokens = Panels<kU4, kPlanes>::kTokens;
  static constexpr int kGroupBytes = Panels<kU4, kPlanes>::kGroupBytes;
  void begin(const LinearCall& call, int first, int last) { panels.begin(call, first, last); }
  void run(const LinearCall& call, int index, int tiles, int token, int count, const Ahead& ahead) {
    if (panels.takes(call, tiles, token, count)) {
      panels.run(call, index, token, ahead);
      return;
    }
    run_groups<kU4>(call, index, tiles, token, count, ahead);
  }
  void finish(const LinearCall& call) { panels.finish(call); }
  Panels<kU4, kPlanes> panels;
};

// A16, likewise: a pair of tiles after the other over all tokens that Products takes at once.
template <bool kU4>
void products(const LinearCall& call) {
  Products<kU4> pairs;
  const int tokens = call.act->n();
  const int lines = call.act->groups() * (kU4 ? 256 : 512) * 2 / 64;
  for (int begin = 0; begin < tokens; begin += Products<kU4>::kTokensMost) {
    const int end = begin + Products<kU4>::kTokensMost < tokens ? begin + Products<kU4>::kTokensMost : tokens;
    for (int index = call.tile_begin; index < call.tile_end; index += 2) {
      const int tiles = index + 2 <= call.tile_end ? 2 : 1;
      const bool again = index + 2 >= call.tile_end && end < tokens;
      const std::uint8_t* const next =
          again ? tile_codes(*call.weights, call.tile_begin) : codes_at(call, index + tiles);
      const int whole = (end - begin) / kProductTokens * kProductTokens;
      const bool taken = tiles == 2 && whole > 0 && pairs.run(call, index, begin, whole, {next, lines});
      const int from = taken ? begin + whole : begin;
      run_groups<kU4>(call, index, tiles, from, end - from, Ahead{});
    }
  }
}

template <bool kU4, int kPlanes>
void panels(const LinearCall& call) {
  if (call.act->has_panels() && Panels<kU4, kPlanes>::serves(call)) {
    walk<PanelBlocks<kU4, kPlanes>>(call);
  } else {
    walk<Groups<kU4>>(call);
  }
}

template <bool kU4>
void groups_of_32(const LinearCall& call) {
  if (call.act->has_products() && Products<kU4>::takes(call)) {
    products<kU4>(call);
  } else if (call.act->form() == ActForm::kA16) {
    panels<kU4, 2>(call);
  } else {
    panels<kU4, 1>(call);
  }
}

}  // namespace

void linear_avx512(const LinearCall& call) {
  if (call.weights->group != ScaleGroup::k32) {
    linear_spans_avx512(call);
  } else if (call.weights->form == WeightForm::kU4) {
    groups_of_32<true>(call);
  } else {
    groups_of_32<false>(call);
  }
}

}  // namespace adit::kernels
