// SPDX-License-Identifier: MIT
// kernels/attention/paths.h
//
// The versions behind attention.h, each compiled for its own instruction set.
//
// In       as attention.h says. The vector versions need head_dim % 8 == 0, head_dim <= kHeadDimMax.
// Threads  as attention.h.
#pragma once

#include "kernels/attention/attention.h"

namespace adit::kernels {

// Floats between the scores of two slots, so that they do not all fall into the same sets of a cache.
constexpr int kScorePad = 16;

// Heads of rows that the vector versions take in one call.
constexpr int kSlotsMax = 64;

void attend_scalar(const AttendParams& params);
void attend_avx2(const AttendParams& params);
void attend_avx512(const AttendParams& params);
void attend_neon(const AttendParams& params);

// n values rounded to f16 (nearest even, clamped): out [n].
void to_f16(Isa isa, const float* x, int n, std::uint16_t* out);
void to_f16_scalar(const float* x, int n, std::uint16_t* out);
void to_f16_avx2(const float* x, int n, std::uint16_t* out);
void to_f16_avx512(const float* x, int n, std::uint16_t* out);
void to_f16_neon(const float* x, int n, std::uint16_t* out);

}  // namespace adit::kernels
