// SPDX-License-Identifier: MIT
// tests/support/tiny_model.hpp
//
// Random models of every family, a few hundred kilobytes with awkward sizes, as a WeightSource and as packs:
// everything that is said about the engine must hold for each of them.
//
// Threads  const after construction.
#pragma once

#include <cmath>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "common/base/rng.hpp"
#include "common/model/pack.hpp"
#include "common/model/pack_writer.hpp"
#include "common/model/weight_source.hpp"
#include "tests/support/tiny_llama.hpp"

namespace adit::test {

// MLA and experts with awkward sizes; the indexer drops most of a long prompt.
inline void make_deepseek(model::ModelConfig& c) {
  const bool v2 = c.family == "deepseek_v2";
  c.kv_heads = 1;
  c.tied_head = false;
  c.mla = {.q_rank = v2 ? 0 : 40, .kv_rank = 48, .nope_dim = 24, .rope_dim = 16, .v_dim = 32};
  c.head_dim = c.mla.nope_dim + c.mla.rope_dim;
  c.rope = {.scaling = model::RopeScaling::kYarn, .factor = 4, .original_context = 64};
  c.rope.score_factor = 1.2;
  c.moe = {.experts = 12, .per_token = 3, .ffn = 48, .shared_ffn = 64, .dense_layers = 1};
  c.moe.groups = v2 ? 4 : 3;
  c.moe.groups_per_token = 2;
  c.moe.group_top = v2 ? 1 : 2;
  c.moe.router = v2 ? model::Router::kSoftmax : model::Router::kSigmoid;
  c.moe.has_bias = c.moe.normalise = !v2;
  c.moe.scale = v2 ? 2.0 : 1.5;
  if (c.family == "deepseek_v32") c.indexer = {.heads = 5, .head_dim = 32, .top_k = 24};
}

// llama with llama3 scaling, qwen3 and the families of DeepSeek with yarn.
inline model::ModelConfig tiny_config(const std::string& family) {
  model::ModelConfig c;
  c.family = family;
  c.name = "tiny";
  c.layers = 3;
  c.hidden = 96;
  c.ffn = 176;
  c.heads = 6;
  c.kv_heads = 2;
  c.head_dim = family == "qwen3" ? 24 : 16;
  c.vocab = 300;
  c.context = 1024;
  c.norm_eps = 1e-5f;
  c.rope_theta = 10000;
  c.tied_head = family != "qwen2";
  c.stop_ids = {2};
  c.bos = 1;
  if (family == "llama") {
    c.rope = {.scaling = model::RopeScaling::kLlama3, .factor = 8, .original_context = 64};
  }
  if (family == "qwen3") {
    c.rope = {.scaling = model::RopeScaling::kYarn, .factor = 4, .original_context = 64};
    c.rope.attention_factor = 0.1 * std::log(4.0) + 1;
  }
  if (family.starts_with("deepseek")) make_deepseek(c);
  return c;
}

class TinyModel final : public model::WeightSource {
 public:
  explicit TinyModel(model::ModelConfig config, std::uint64_t seed = 1, double weight_scale = 1)
      : config_(std::move(config)) {
    SeededRng rng(seed);
    for (const model::Part& part : model::model_parts(config_)) {
      if (part.kind == model::PartKind::kFrequencies) continue;
      const auto count = static_cast<std::size_t>(part.m) * static_cast<std::size_t>(part.k);
      rows_[part.name] = part.kind == model::PartKind::kVector
                             ? random_floats(rng, count, 0.2, is_shift(part.role) ? 0.0 : 1.0)
                             : random_floats(rng, count, scale_of(part, weight_scale));
      if (part.has_bias) biases_[part.name] = random_floats(rng, static_cast<std::size_t>(part.m), 0.5);
    }
  }

  // Given rows, by the names of parts.
  using Floats = std::map<std::string, std::vector<float>>;
  TinyModel(model::ModelConfig config, Floats rows, Floats biases)
      : config_(std::move(config)), rows_(std::move(rows)), biases_(std::move(biases)) {}

  const std::string& label() const override { return label_; }
  const model::ModelConfig& config() const override { return config_; }
  const std::vector<std::string>& notes() const override { return notes_; }

  Result<model::TokenizerParts> tokenizer() const override {
    model::TokenizerParts out;
    out.tokens = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
    for (int byte = 0; byte < 256; ++byte) out.tokens.push_back(printable_byte(byte));
    out.types.assign(out.tokens.size(), 1);
    std::fill_n(out.types.begin(), 3, 3);
    while (out.tokens.size() < static_cast<std::size_t>(config_.vocab)) {
      out.tokens.push_back("<|extra" + std::to_string(out.tokens.size()) + "|>");
    }
    out.types.resize(out.tokens.size(), 3);
    out.bos = 1;
    out.eos = 2;
    return out;
  }
  Result<std::string> chat_template() const override {
    return std::string("{% for m in messages %}{{ m['content'] }}{% endfor %}");
  }
  Result<model::PartStorage> storage(const model::Part& part) const override {
    return model::PartStorage{model::GgufType::kF32, 4 * rows_.at(part.name).size()};
  }
  Result<ByteView> row(const model::Part& part, int row, Bytes&) const override {
    const float* values = rows_.at(part.name).data() + static_cast<std::ptrdiff_t>(row) * part.k;
    return ByteView(reinterpret_cast<const std::uint8_t*>(values), static_cast<std::size_t>(part.k) * 4);
  }
  Result<void> bias(const model::Part& part, float* out) const override {
    const std::vector<float>& values = biases_.at(part.name);
    std::copy(values.begin(), values.end(), out);
    return {};
  }
  std::string place(const model::Part& part, int row) const override {
    return part.name + " row " + std::to_string(row);
  }

 private:
  static bool is_shift(model::PartRole role) {
    return role == model::PartRole::kIndexKNormBias || role == model::PartRole::kRouterBias;
  }
  // What keeps activations near 1; queries and keys larger, so that attention has something to choose.
  static double scale_of(const model::Part& part, double weight_scale) {
    if (part.role == model::PartRole::kEmbedding) return 1.0;
    const bool sharp = part.role == model::PartRole::kAttnQ || part.role == model::PartRole::kAttnQB ||
                       part.role == model::PartRole::kAttnK;
    return weight_scale * (sharp ? 3.0 : 1.5) / std::sqrt(static_cast<double>(part.k));
  }

  model::ModelConfig config_;
  std::string label_ = "tiny";
  std::vector<std::string> notes_;
  Floats rows_;
  Floats biases_;
};

// Packs a source into `folder` and opens the pack. Throws with the reason when anything fails.
inline model::Pack pack_of(const model::WeightSource& source, const std::filesystem::path& folder,
                           const model::PackOptions& options) {
  static int count = 0;
  const std::filesystem::path out = folder / ("pack" + std::to_string(++count) + ".adit");
  const auto packed = model::pack_model(source, out, options, [](double, std::string_view) {});
  if (!packed) throw std::runtime_error(packed.error().message);
  auto pack = model::Pack::open(out);
  if (!pack) throw std::runtime_error(pack.error().message);
  return *std::move(pack);
}

}  // namespace adit::test
