// SPDX-License-Identifier: MIT
#include "common/model/reference_gemm.hpp"

#include <algorithm>
#include <cstring>

namespace adit::model {
namespace {

// One vector register of a wide machine; compilers split it where registers are narrower.
using V16 = float __attribute__((vector_size(64)));
constexpr int kTokens = 6;

template <int kCount>
__attribute__((always_inline)) inline void panel_block(const float* x, std::size_t ldx, const float* panel,
                                                       int k, float* y, std::size_t ldy, int rows) {
  V16 acc[kCount] = {};
  for (int i = 0; i < k; ++i) {
    V16 w;
    std::memcpy(&w, panel + static_cast<std::size_t>(i) * kPanelRows, sizeof w);
    for (int t = 0; t < kCount; ++t)
      acc[t] += w * x[static_cast<std::size_t>(t) * ldx + static_cast<std::size_t>(i)];
  }
  for (int t = 0; t < kCount; ++t) {
    std::memcpy(y + static_cast<std::size_t>(t) * ldy, &acc[t],
                static_cast<std::size_t>(rows) * sizeof(float));
  }
}

__attribute__((always_inline)) inline void gemm(const Panels& w, const GemmCall& c) {
  for (int m = 0; m < c.m_used; m += kPanelRows) {
    const float* panel = w.data.data() + static_cast<std::size_t>(m) * static_cast<std::size_t>(w.k);
    const int rows = std::min(kPanelRows, c.m_used - m);
    int t = 0;
    for (; t + kTokens <= c.n; t += kTokens) {
      panel_block<kTokens>(c.x + static_cast<std::size_t>(t) * c.ldx, c.ldx, panel, c.k_used,
                           c.y + static_cast<std::size_t>(t) * c.ldy + m, c.ldy, rows);
    }
    for (; t < c.n; ++t) {
      panel_block<1>(c.x + static_cast<std::size_t>(t) * c.ldx, c.ldx, panel, c.k_used,
                     c.y + static_cast<std::size_t>(t) * c.ldy + m, c.ldy, rows);
    }
  }
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) void gemm_avx512(const Panels& w, const GemmCall& call) {
  gemm(w, call);
}
__attribute__((target("avx2,fma"))) void gemm_avx2(const Panels& w, const GemmCall& call) {
  gemm(w, call);
}
#endif
void gemm_plain(const Panels& w, const GemmCall& call) {
  gemm(w, call);
}

}  // namespace

void make_panels(const float* w, std::size_t row_stride, std::size_t column_stride, int m, int k,
                 Panels& out) {
  out.m = m;
  out.k = k;
  const int blocks = (m + kPanelRows - 1) / kPanelRows;
  const std::size_t columns = static_cast<std::size_t>(k);
  out.data.assign(static_cast<std::size_t>(blocks) * columns * kPanelRows, 0.0f);
  for (std::size_t i = 0; i < static_cast<std::size_t>(m); ++i) {
    float* panel = out.data.data() + i / kPanelRows * columns * kPanelRows + i % kPanelRows;
    const float* row = w + i * row_stride;
    for (std::size_t j = 0; j < columns; ++j) panel[j * kPanelRows] = row[j * column_stride];
  }
}

void reference_gemm(const Panels& w, const GemmCall& call) {
#if defined(__x86_64__)
  static const bool has_avx512 = __builtin_cpu_supports("avx512f") != 0;
  static const bool has_avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  if (has_avx512) return gemm_avx512(w, call);
  if (has_avx2) return gemm_avx2(w, call);
#endif
  gemm_plain(w, call);
}

}  // namespace adit::model
