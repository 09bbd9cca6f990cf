// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdint>

#include "common/base/bytes.hpp"
#include "common/model/lora_adapter.hpp"
#include "common/model/quant_row.hpp"

namespace {

adit::model::ModelConfig small() {
  adit::model::ModelConfig config;
  config.layers = 2;
  config.hidden = 16;
  config.ffn = 32;
  config.heads = config.kv_heads = 2;
  config.head_dim = 8;
  config.vocab = 32;
  config.context = 64;
  config.norm_eps = 1e-5f;
  config.rope_theta = 10000;
  config.stop_ids = {1};
  return config;
}

// A row as an adapter stores it: refused, or within the bounds that the kernels' proofs need.
void check_row(const float* values, int count) {
  adit::model::RowCodes codes;
  const adit::ByteView bytes(reinterpret_cast<const std::uint8_t*>(values),
                             static_cast<std::size_t>(count) * 4);
  const auto done = adit::model::quantize_row(adit::model::GgufType::kF32, bytes, count,
                                              adit::kernels::WeightForm::kI8, codes);
  if (done && (codes.abs_sum > adit::model::kAbsRowMax || !std::isfinite(codes.rs))) __builtin_trap();
}

}  // namespace

// adapter_config.json, a zero byte, adapter_model.safetensors: an error, or pairs that fit the model and can be
// quantised.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const adit::ByteView bytes(data, size);
  const std::string_view text = adit::as_text(bytes);
  const std::size_t end = text.find('\0');
  const std::size_t begin = end == text.npos ? size : end + 1;
  const auto adapter = adit::model::parse_lora(text.substr(0, end), bytes.subspan(begin), "fuzz/", small());
  if (!adapter) return 0;
  for (const auto& pair : adapter->pairs) {
    if (pair.b.size() != static_cast<std::size_t>(pair.part.m) * static_cast<std::size_t>(pair.rank))
      __builtin_trap();
    for (int r = 0; r < pair.rank; ++r) check_row(pair.a.data() + r * pair.part.k, pair.part.k);
    for (int m = 0; m < pair.part.m; ++m) check_row(pair.b.data() + m * pair.rank, pair.rank);
  }
  return 0;
}
