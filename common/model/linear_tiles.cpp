// SPDX-License-Identifier: MIT
#include "common/model/linear_tiles.hpp"

#include <cstdlib>

#include "kernels/linear/linear.h"
#include "kernels/linear/sparse.h"

namespace adit::model {
namespace {

using kernels::kGroup;
using kernels::kTileRows;
using kernels::WeightForm;

std::size_t z(int value) { return static_cast<std::size_t>(value); }

// Where the byte with column k of a row lies.
std::size_t code_at(const kernels::LinearWeights& w, int row, int k) {
  const int columns = w.form == WeightForm::kU4 ? 8 : 4;
  const std::size_t block = z(row / kTileRows) * z(w.k_pad / columns) + z(k / columns);
  return block * 64 + z(row % kTileRows) * 4 + z(k % 4);
}

std::size_t group_at(const kernels::LinearWeights& w, int row, int group) {
  return (z(row / kTileRows) * z(kernels::scales_of(w)) + z(group)) * kTileRows + z(row % kTileRows);
}

template <class T>
ByteView bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace

LinearTiles::LinearTiles(WeightForm form, kernels::ActForm act, int m, int k, bool has_bias,
                         kernels::ScaleGroup group) {
  shape_.form = form;
  shape_.act = act;
  shape_.group = group;
  shape_.m = m;
  shape_.k = k;
  shape_.m_pad = (m + kTileRows - 1) / kTileRows * kTileRows;
  shape_.k_pad = (k + kGroup - 1) / kGroup * kGroup;
  const std::size_t cells = z(shape_.m_pad) * z(shape_.k_pad);
  const bool u4 = form == WeightForm::kU4;
  q_.assign(u4 ? cells / 2 : cells, u4 ? 0 : 128);
  const std::size_t scales = z(shape_.m_pad) * z(kernels::scales_of(shape_));
  s_.assign(scales, 0);
  if (u4) o_.assign(scales, 0);
  rs_.assign(z(shape_.m_pad), 0.0f);
  if (has_bias) bias_.assign(z(shape_.m_pad), 0.0f);
}

void LinearTiles::store_row(int row, const RowCodes& codes) {
  const bool u4 = shape_.form == WeightForm::kU4;
  for (int k = 0; k < shape_.k; ++k) {
    const int code = codes.q[z(k)];
    std::uint8_t& byte = q_[code_at(shape_, row, k)];
    if (!u4) {
      byte = static_cast<std::uint8_t>(code + 128);
    } else if (k % 8 < 4) {
      byte = static_cast<std::uint8_t>((byte & 0xf0) | code);
    } else {
      byte = static_cast<std::uint8_t>((byte & 0x0f) | (code << 4));
    }
  }
  for (int g = 0; g < kernels::scales_of(shape_); ++g) {
    s_[group_at(shape_, row, g)] = codes.s[z(g)];
    if (u4) o_[group_at(shape_, row, g)] = codes.o[z(g)];
  }
  rs_[z(row)] = codes.rs;
  if (!bias_.empty()) bias_[z(row)] = codes.bias;
}

kernels::LinearWeights LinearTiles::view() const {
  kernels::LinearWeights out = shape_;
  out.q = q_.data();
  out.s = s_.data();
  out.o = o_.empty() ? nullptr : o_.data();
  out.rs = rs_.data();
  out.bias = bias_.empty() ? nullptr : bias_.data();
  out.raised_fit = out.o != nullptr && kernels::raised_offsets_fit(out);
  return out;
}

ByteView LinearTiles::q_bytes() const { return bytes_of(q_); }
ByteView LinearTiles::s_bytes() const { return bytes_of(s_); }
ByteView LinearTiles::o_bytes() const { return bytes_of(o_); }
ByteView LinearTiles::rs_bytes() const { return bytes_of(rs_); }
ByteView LinearTiles::bias_bytes() const { return bytes_of(bias_); }

void read_row(const kernels::LinearWeights& w, int row, RowCodes& out) {
  const std::size_t groups = z(kernels::scales_of(w));
  out.group = w.group;
  out.q.assign(z(w.k_pad), 0);
  out.s.resize(groups);
  out.o.assign(groups, 0);
  out.rs = w.rs[row];
  out.bias = w.bias == nullptr ? 0.0f : w.bias[row];
  for (std::size_t g = 0; g < groups; ++g) {
    const std::size_t at = group_at(w, row, static_cast<int>(g));
    out.s[g] = w.s[at];
    if (w.o != nullptr) out.o[g] = w.o[at];
  }
  out.abs_sum = out.sq_sum = 0;
  const bool dense = w.storage == kernels::Storage::kDense;
  if (!dense) kernels::sparse_row(w, row, out.q.data());
  for (int k = 0; k < w.k; ++k) {
    const int byte = dense ? w.q[code_at(w, row, k)] : out.q[z(k)] + 128;
    const int code = w.form == WeightForm::kI8 ? byte - 128 : (k % 8 < 4 ? byte & 15 : byte >> 4);
    out.q[z(k)] = static_cast<std::int8_t>(code);
    const std::int64_t value = out.weight(z(k));
    out.abs_sum += static_cast<std::uint64_t>(std::llabs(value));
    out.sq_sum += static_cast<std::uint64_t>(value * value);
  }
}

}  // namespace adit::model
