// SPDX-License-Identifier: MIT
#include <arm_neon.h>

#include "kernels/linear/sparse_expand.h"

namespace adit::kernels {
namespace {

struct EightBytes {
  static void expand(const std::uint8_t* stored, const std::uint8_t* from, std::uint8_t* out) {
    const uint8x16_t values = vcombine_u8(vld1_u8(stored), vdup_n_u8(128));
    vst1_u8(out, vqtbl1_u8(values, vld1_u8(from)));
  }
};

}  // namespace

void expand_tile_neon(const LinearWeights& weights, int tile, std::uint8_t* out) {
  expand_tile_by<EightBytes>(weights, tile, out);
}

}  // namespace adit::kernels
