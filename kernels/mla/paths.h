// SPDX-License-Identifier: MIT
// kernels/mla/paths.h
//
// The versions behind latent_attention.h, each compiled for its own instruction set.
//
// In       as latent_attention.h says. The vector versions need cells % 8 == 0 and kv_rank % 16 == 0.
// Threads  as latent_attention.h.
#pragma once

#include "kernels/mla/latent_attention.h"

namespace adit::kernels {

void attend_latent_scalar(const LatentParams& params);
void attend_latent_avx2(const LatentParams& params);
void attend_latent_avx512(const LatentParams& params);
void attend_latent_neon(const LatentParams& params);

}  // namespace adit::kernels
