// SPDX-License-Identifier: MIT
#include "common/model/quant_row.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <span>

#include "common/model/gguf_blocks.hpp"
#include "kernels/core/numerics.h"

namespace adit::model {
namespace {

using kernels::kGroup;
using kernels::WeightForm;
using kernels::ScaleGroup;
using Group = std::span<const float>;

// The row as floats and, where it has them, as blocks.
struct Source {
  GgufType type = GgufType::kF32;
  ByteView bytes;
  std::size_t k = 0;
  std::vector<float> values;  // [k rounded up to 32], zeros after k
  ScaleGroup scale_group = ScaleGroup::k32;
  std::size_t groups = 0;
  // The columns that share a scale; the last ones may be fewer.
  [[nodiscard]] Group group(std::size_t g) const {
    const std::size_t columns = kernels::columns_of(scale_group, values.size());
    return Group(values).subspan(g * columns, std::min(columns, values.size() - g * columns));
  }
};

// value = d * code + m, d >= 0.
struct Affine {
  float d = 0;
  float m = 0;
};

// To the nearest integer, ties to even, for |x| < 2^22; a form that compilers vectorise.
float round_even(float x) {
  constexpr float kMagic = 12582912.0f;
  return (x + kMagic) - kMagic;
}

float abs_max(Group x) {
  float out = 0;
  for (const float value : x) out = std::max(out, std::fabs(value));
  return out;
}

// ---- affine u4 ----

// d and m of a group as Q4_0 and Q4_1 store them.
Affine affine_from_q4(const Source& source, std::size_t g) {
  const bool q4_1 = source.type == GgufType::kQ4_1;
  const std::uint8_t* block = source.bytes.data() + g * (q4_1 ? 20 : 18);
  Affine out;
  out.d = kernels::f32_from_f16(load_le<std::uint16_t>(block));
  out.m = q4_1 ? kernels::f32_from_f16(load_le<std::uint16_t>(block + 2)) : -8.0f * out.d;
  return out;
}

// Q4_K: 8 groups share d and dmin.
Affine affine_from_q4_k(const Source& source, std::size_t g) {
  const std::uint8_t* block = source.bytes.data() + g / 8 * 144;
  const int in_block = static_cast<int>(g % 8);
  const KScale scale = k_scale(block + 4, in_block);
  Affine out;
  out.d = kernels::f32_from_f16(load_le<std::uint16_t>(block)) * static_cast<float>(scale.scale);
  out.m = -(kernels::f32_from_f16(load_le<std::uint16_t>(block + 2)) * static_cast<float>(scale.minimum));
  return out;
}

Affine affine_from_block(const Source& source, std::size_t g) {
  Affine out = source.type == GgufType::kQ4K ? affine_from_q4_k(source, g) : affine_from_q4(source, g);
  if (out.d < 0) {
    // Counting from the other end: m + d c = (m + 15 d) + (-d)(15 - c).
    out.m += 15.0f * out.d;
    out.d = -out.d;
  }
  return out;
}

// Least squares for d and m with the codes fixed; gives the squared error.
double fit_line(Group x, const std::vector<std::uint8_t>& codes, Affine& affine) {
  double sc = 0, scc = 0, sx = 0, sxc = 0;
  const auto n = static_cast<double>(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double c = codes[i];
    sc += c, scc += c * c, sx += static_cast<double>(x[i]), sxc += static_cast<double>(x[i]) * c;
  }
  const double det = n * scc - sc * sc;
  if (det > 0) {
    const double d = (n * sxc - sc * sx) / det;
    if (d > 0) {
      affine.d = static_cast<float>(d);
      affine.m = static_cast<float>((sx - d * sc) / n);
    }
  }
  double error = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double e = static_cast<double>(affine.d * static_cast<float>(codes[i]) + affine.m - x[i]);
    error += e * e;
  }
  return error;
}

// The best of several spans of 16 levels over a group of plain values.
Affine affine_from_values(Group x) {
  const auto [low, high] = std::minmax_element(x.begin(), x.end());
  std::vector<std::uint8_t> codes(x.size());
  Affine best;
  best.m = *low;
  const float span = *high - *low;
  if (!(span > 0)) return best;
  double best_error = HUGE_VAL;
  for (int step = -10; step <= 4; ++step) {
    Affine candidate;
    candidate.d = span / (15.0f - 0.1f * static_cast<float>(step));
    candidate.m = *low + 0.5f * (span - 15.0f * candidate.d);
    for (int round = 0; round < 2; ++round) {
      for (std::size_t i = 0; i < x.size(); ++i) {
        const float code = round_even((x[i] - candidate.m) / candidate.d);
        codes[i] = static_cast<std::uint8_t>(std::clamp(code, 0.0f, 15.0f));
      }
      const double error = fit_line(x, codes, candidate);
      if (error < best_error) best_error = error, best = candidate;
    }
  }
  return best;
}

// The smallest row scale under which every s and o fits.
double u4_row_scale(const std::vector<Affine>& groups) {
  double rs = 0;
  for (const Affine& group : groups) {
    const double middle = std::fabs(static_cast<double>(group.m) + 7.5 * static_cast<double>(group.d));
    rs = std::max({rs, static_cast<double>(group.d) / kU4ScaleMax, middle / (32767.0 - 7.5 * kU4ScaleMax)});
  }
  return rs;
}

void encode_u4(const Source& source, const std::vector<Affine>& groups, double rs_wanted, RowCodes& out) {
  out.rs = static_cast<float>(rs_wanted);
  const double rs = static_cast<double>(out.rs);
  std::int8_t* q = out.q.data();
  for (std::size_t g = 0; g < groups.size() && out.rs > 0; ++g) {
    const Affine& group = groups[g];
    const double d = static_cast<double>(group.d), m = static_cast<double>(group.m);
    const double s = std::min<double>(std::nearbyint(d / rs), kU4ScaleMax);
    // Centred: the middle of the 16 levels is where the source has it.
    const double o = std::clamp(std::nearbyint((m + 7.5 * d) / rs - 7.5 * s), -32767.0, 32767.0);
    out.s[g] = static_cast<std::uint16_t>(s);
    out.o[g] = static_cast<std::int16_t>(o);
    for (const float x : source.group(g)) {
      const double code = s > 0 ? std::nearbyint((static_cast<double>(x) / rs - o) / s) : 0.0;
      *q++ = static_cast<std::int8_t>(std::clamp(code, 0.0, 15.0));
    }
  }
}

// ---- int8 ----

// Squared error of the nearest multiples of `step`, within -127..127 steps.
float multiples_error(Group x, float step) {
  const float inverse = 1.0f / step;
  std::array<float, 8> lanes{};
  for (std::size_t i = 0; i < x.size(); i += 8) {
    for (std::size_t lane = 0; lane < 8; ++lane) {
      const float q = std::min(127.0f, std::max(-127.0f, round_even(x[i + lane] * inverse)));
      const float e = x[i + lane] - q * step;
      lanes[lane] += e * e;
    }
  }
  return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

// The integer scale, of those that lose no range, whose multiples come closest to the group.
int best_scale(Group x, float rs, float amax) {
  const int low = std::clamp(static_cast<int>(amax / (127.5f * rs)), 1, kI8ScaleMax);
  const int high = std::min(low + 2 + low / 6, kI8ScaleMax);
  int best = low;
  float best_error = HUGE_VALF;
  for (int s = low; s <= high; ++s) {
    const float error = multiples_error(x, static_cast<float>(s) * rs);
    if (error < best_error) best_error = error, best = s;
  }
  return best;
}

void encode_i8(const Source& source, double rs_wanted, RowCodes& out) {
  out.rs = static_cast<float>(rs_wanted);
  std::int8_t* q = out.q.data();
  for (std::size_t g = 0; g < source.groups && out.rs > 0; ++g) {
    const Group x = source.group(g);
    const float amax = abs_max(x);
    const int s = amax > 0 ? best_scale(x, out.rs, amax) : 0;
    out.s[g] = static_cast<std::uint16_t>(s);
    const float step = static_cast<float>(s) * out.rs;
    const float inverse = s == 0 ? 0.0f : 1.0f / step;
    for (const float value : x) {
      const float code = round_even(value * inverse);
      *q++ = static_cast<std::int8_t>(std::clamp(code, -127.0f, 127.0f));
    }
    // The only scale of a row is left to its row scale: W = q, the smallest integers.
    if (source.scale_group == ScaleGroup::kRow && s > 0) out.s[g] = 1, out.rs = step;
  }
}

// ---- both ----

void reset(const Source& source, RowCodes& out) {
  out.group = source.scale_group;
  out.q.assign(source.values.size(), 0);
  out.s.assign(source.groups, 0);
  out.o.assign(source.groups, 0);
  out.rs = 0;
}

void measure(const Source& source, RowCodes& out) {
  out.abs_sum = out.sq_sum = 0;
  out.error_sq = out.source_sq = 0;
  for (std::size_t i = 0; i < source.k; ++i) {
    const std::int64_t w = out.weight(i);
    out.abs_sum += static_cast<std::uint64_t>(std::llabs(w));
    out.sq_sum += static_cast<std::uint64_t>(w * w);
    const double x = static_cast<double>(source.values[i]);
    const double e = static_cast<double>(w) * static_cast<double>(out.rs) - x;
    out.error_sq += e * e;
    out.source_sq += x * x;
  }
}

// Encodes with growing row scales, that is with smaller integers, until the int32 proof holds.
template <class Encode>
void shrink_until_proved(double rs, const Source& source, RowCodes& out, const Encode& encode) {
  constexpr int kTriesMax = 200;
  for (int i = 0; i < kTriesMax; ++i) {
    reset(source, out);
    encode(rs);
    measure(source, out);
    if (out.abs_sum <= kAbsRowMax) return;
    rs *= 17.0 / 16.0;
  }
}

void quantize_u4(const Source& source, RowCodes& out) {
  const bool stored = is_affine_u4(source.type) && source.scale_group == ScaleGroup::k32;
  std::vector<Affine> groups(source.groups);
  for (std::size_t g = 0; g < source.groups; ++g) {
    groups[g] = stored ? affine_from_block(source, g) : affine_from_values(source.group(g));
  }
  shrink_until_proved(u4_row_scale(groups), source, out,
                      [&](double rs) { encode_u4(source, groups, rs, out); });
}

void quantize_i8(const Source& source, RowCodes& out) {
  float amax = 0;
  for (std::size_t g = 0; g < source.groups; ++g) amax = std::max(amax, abs_max(source.group(g)));
  shrink_until_proved(static_cast<double>(amax) / 127.0 / kI8ScaleMax, source, out,
                      [&](double rs) { encode_i8(source, rs, out); });
}

}  // namespace

bool is_affine_u4(GgufType type) {
  return type == GgufType::kQ4_0 || type == GgufType::kQ4_1 || type == GgufType::kQ4K;
}

Result<void> quantize_row(GgufType type, ByteView row, int k, WeightForm form, RowCodes& out,
                          ScaleGroup group) {
  Source source;
  source.type = type;
  source.bytes = row;
  source.k = static_cast<std::size_t>(k);
  source.scale_group = group;
  source.groups = static_cast<std::size_t>(kernels::scales_of(group, k));
  source.values.assign(static_cast<std::size_t>((k + kGroup - 1) / kGroup * kGroup), 0.0f);
  ADIT_TRY_VOID(gguf_decode_row(type, row, static_cast<std::uint64_t>(k), source.values.data()));
  if (form == WeightForm::kU4) {
    quantize_u4(source, out);
  } else {
    quantize_i8(source, out);
  }
  if (out.abs_sum > kAbsRowMax) return invalid_argument("{} columns are too many for one row scale", k);
  return {};
}

}  // namespace adit::model
