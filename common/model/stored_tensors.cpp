// SPDX-License-Identifier: MIT
#include "common/model/stored_tensors.hpp"

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "common/model/gguf_blocks.hpp"

namespace adit::model {
namespace {

constexpr std::uint64_t kScaleBlock = 128;

// Sign, 4 bits of exponent (bias 7), 3 of significand; 0x7f and 0xff are no numbers.
float f32_from_e4m3(std::uint8_t code) {
  const int exponent = (code >> 3) & 15, significand = code & 7;
  if ((code & 0x7f) == 0x7f) return std::numeric_limits<float>::quiet_NaN();
  const float size = exponent == 0 ? std::ldexp(static_cast<float>(significand), -9)
                                   : std::ldexp(static_cast<float>(8 + significand), exponent - 10);
  return (code & 0x80) != 0 ? -size : size;
}

const std::array<float, 256>& e4m3_table() {
  static const std::array<float, 256> table = [] {
    std::array<float, 256> out{};
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = f32_from_e4m3(static_cast<std::uint8_t>(i));
    return out;
  }();
  return table;
}

Result<void> decode_f8(const StoredTensor& tensor, std::uint64_t row, float* out) {
  const std::array<float, 256>& table = e4m3_table();
  const std::uint8_t* codes = tensor.row(row).data();
  const ByteView scales = tensor.scales->row(row / kScaleBlock);
  for (std::uint64_t i = 0; i < tensor.columns; ++i) {
    float scale = 0;
    std::memcpy(&scale, scales.data() + 4 * (i / kScaleBlock), 4);
    out[i] = table[codes[i]] * scale;
    if (!std::isfinite(out[i])) return invalid_argument("column {} is not a finite number", i);
  }
  return {};
}

}  // namespace

Result<void> decode_row(const StoredTensor& tensor, std::uint64_t row, float* out) {
  if (tensor.is_f8) return decode_f8(tensor, row, out);
  return gguf_decode_row(*tensor.type, tensor.row(row), tensor.columns, out);
}

bool StoredTensors::add(StoredTensor tensor) {
  const std::string name = tensor.name;
  if (!tensors_.emplace(name, std::move(tensor)).second) return false;
  names_.push_back(name);
  return true;
}

const StoredTensor* StoredTensors::find(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

StoredTensor* StoredTensors::find(std::string_view name) {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

}  // namespace adit::model
