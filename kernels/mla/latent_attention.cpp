// SPDX-License-Identifier: MIT
#include "kernels/mla/latent_attention.h"

#include "kernels/attention/paths.h"
#include "kernels/core/by_isa.h"
#include "kernels/mla/paths.h"

namespace adit::kernels {
namespace {

bool is_vector_shape(const LatentParams& params) {
  return params.keys.cells % 8 == 0 && params.kv_rank % 16 == 0;
}

}  // namespace

std::size_t latent_scratch_floats(int rows, int heads, int cells, int keys_max) {
  // Scores of every slot over whole blocks and one denominator a slot; one block of rows as f32.
  return static_cast<std::size_t>(rows) * static_cast<std::size_t>(heads) *
             static_cast<std::size_t>((keys_max + kKeyBlock - 1) / kKeyBlock * kKeyBlock + 1) +
         static_cast<std::size_t>(kKeyBlock) * static_cast<std::size_t>(cells);
}

void attend_latent(Isa isa, const LatentParams& params) {
  const Isa used = is_vector_shape(params) ? isa : Isa::kScalar;
  ADIT_BY_ISA(used, attend_latent_scalar, attend_latent_avx2, attend_latent_avx512, attend_latent_neon)(params);
}

void store_latent(Isa isa, const float* c, int kv_rank, const float* k_pe, int rope_dim,
                  std::uint16_t* row) {
  to_f16(isa, c, kv_rank, row);
  to_f16(isa, k_pe, rope_dim, row + kv_rank);
}

}  // namespace adit::kernels
