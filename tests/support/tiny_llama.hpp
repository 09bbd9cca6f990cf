// SPDX-License-Identifier: MIT
// tests/support/tiny_llama.hpp
//
// A random llama of a few hundred kilobytes with awkward sizes, as a GGUF file or a pack:
// everything that is said about the engine must hold for it too.
#pragma once

#include <cmath>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/base/files.hpp"
#include "common/base/rng.hpp"
#include "common/model/pack.hpp"
#include "common/model/pack_writer.hpp"
#include "tests/support/gguf_writer.hpp"

namespace adit::test {

struct TinyLlama {
  std::uint32_t layers = 3;
  std::uint32_t hidden = 96;
  std::uint32_t ffn = 176;
  std::uint32_t heads = 6;
  std::uint32_t kv_heads = 2;
  std::uint32_t head_dim = 16;
  std::uint32_t vocab = 300;
  std::uint32_t context = 1024;
  std::uint64_t seed = 1;
  // Of the layers' weights, against what keeps activations near 1.
  double weight_scale = 1;
};

// GPT-2's printable form of a byte, UTF-8.
inline std::string printable_byte(int byte) {
  const bool is_own = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  int code = byte;
  if (!is_own) {
    // The others are numbered from 256 on, in ascending order.
    code = byte <= 32 ? 256 + byte : byte <= 160 ? 256 + 33 + byte - 127 : 256 + 67;
  }
  if (code < 0x80) return std::string(1, static_cast<char>(code));
  return {static_cast<char>(0xc0 | code >> 6), static_cast<char>(0x80 | (code & 0x3f))};
}

inline std::vector<float> random_floats(SeededRng& rng, std::size_t count, double scale,
                                        double mean = 0) {
  std::vector<float> out(count);
  for (float& x : out) {
    double sum = 0;
    for (int i = 0; i < 4; ++i) sum += static_cast<double>(rng.below(1u << 24)) / (1u << 24) - 0.5;
    x = static_cast<float>(mean + sum * scale * std::sqrt(3.0));
  }
  return out;
}

inline void add_tiny_tokenizer(GgufWriter& gguf, std::uint32_t vocab) {
  std::vector<std::string> tokens{"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
  std::vector<std::int32_t> types(3, 3);
  for (int byte = 0; byte < 256; ++byte) tokens.push_back(printable_byte(byte));
  while (tokens.size() < vocab) tokens.push_back("<|extra" + std::to_string(tokens.size()) + "|>");
  types.resize(259, 1);
  types.resize(vocab, 3);
  gguf.string("tokenizer.ggml.model", "gpt2");
  gguf.string("tokenizer.ggml.pre", "smollm");
  gguf.strings("tokenizer.ggml.tokens", tokens);
  gguf.i32s("tokenizer.ggml.token_type", types);
  gguf.strings("tokenizer.ggml.merges", {});
  gguf.u32("tokenizer.ggml.bos_token_id", 1);
  gguf.u32("tokenizer.ggml.eos_token_id", 2);
  gguf.u32("tokenizer.ggml.unknown_token_id", 0);
  gguf.u32("tokenizer.ggml.padding_token_id", 2);
  gguf.string("tokenizer.chat_template",
              "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] "
              "}}<|im_end|>\n{% endfor %}"
              "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}");
}

inline Bytes tiny_llama_gguf(const TinyLlama& shape) {
  GgufWriter gguf;
  gguf.string("general.architecture", "llama");
  gguf.string("general.name", "tiny");
  gguf.u32("llama.block_count", shape.layers);
  gguf.u32("llama.embedding_length", shape.hidden);
  gguf.u32("llama.feed_forward_length", shape.ffn);
  gguf.u32("llama.attention.head_count", shape.heads);
  gguf.u32("llama.attention.head_count_kv", shape.kv_heads);
  gguf.u32("llama.attention.key_length", shape.head_dim);
  gguf.u32("llama.attention.value_length", shape.head_dim);
  gguf.u32("llama.rope.dimension_count", shape.head_dim);
  gguf.u32("llama.context_length", shape.context);
  gguf.f32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
  gguf.f32("llama.rope.freq_base", 10000.0f);
  add_tiny_tokenizer(gguf, shape.vocab);

  SeededRng rng(shape.seed);
  const auto f32 = [&](const std::string& name, std::uint64_t columns, std::uint64_t rows,
                       double scale) {
    const std::vector<float> x = random_floats(rng, columns * rows, scale);
    gguf.tensor(name, {columns, rows}, 0,
                {reinterpret_cast<const std::uint8_t*>(x.data()), x.size() * 4});
  };
  const auto norm = [&](const std::string& name) {
    const std::vector<float> x = random_floats(rng, shape.hidden, 0.2, 1.0);
    gguf.tensor(name, {shape.hidden}, 0,
                {reinterpret_cast<const std::uint8_t*>(x.data()), x.size() * 4});
  };
  f32("token_embd.weight", shape.hidden, shape.vocab, 1.0);
  norm("output_norm.weight");
  const double scale = shape.weight_scale * 1.5 / std::sqrt(static_cast<double>(shape.hidden));
  for (std::uint32_t layer = 0; layer < shape.layers; ++layer) {
    const std::string blk = "blk." + std::to_string(layer) + ".";
    norm(blk + "attn_norm.weight");
    norm(blk + "ffn_norm.weight");
    f32(blk + "attn_q.weight", shape.hidden, shape.heads * shape.head_dim, 2 * scale);
    f32(blk + "attn_k.weight", shape.hidden, shape.kv_heads * shape.head_dim, 2 * scale);
    f32(blk + "attn_v.weight", shape.hidden, shape.kv_heads * shape.head_dim, scale);
    f32(blk + "attn_output.weight", shape.heads * shape.head_dim, shape.hidden, scale);
    f32(blk + "ffn_gate.weight", shape.hidden, shape.ffn, scale);
    f32(blk + "ffn_up.weight", shape.hidden, shape.ffn, scale);
    f32(blk + "ffn_down.weight", shape.ffn, shape.hidden, scale);
  }
  return gguf.finish();
}

// Writes GGUF and pack into `folder` and opens the pack. Throws with the reason when anything
// fails.
inline model::Pack tiny_llama_pack(const std::filesystem::path& folder, const TinyLlama& shape,
                                   const model::PackOptions& options) {
  const std::filesystem::path gguf = folder / "tiny.gguf";
  const std::filesystem::path out =
      folder / ("tiny-" + std::to_string(options.bits) + "-" +
                std::to_string(static_cast<int>(options.act)) + ".adit");
  const auto need = [](auto result) {
    if (!result) throw std::runtime_error(result.error().message);
    return result;
  };
  need(write_file_atomic(gguf, tiny_llama_gguf(shape)));
  need(model::pack_model(gguf, out, options, [](double, std::string_view) {}));
  return std::move(*need(model::Pack::open(out)));
}

}  // namespace adit::test
