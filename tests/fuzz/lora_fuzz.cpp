// SPDX-License-Identifier: MIT
#include <cstdint>

#include "common/base/bytes.hpp"
#include "common/model/lora_adapter.hpp"

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

}  // namespace

// adapter_config.json, a zero byte, adapter_model.safetensors: an error, or pairs that fit the model.
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
  }
  return 0;
}
