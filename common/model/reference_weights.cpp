// SPDX-License-Identifier: MIT
#include "common/model/reference_weights.hpp"

#include <algorithm>
#include <cstdlib>

#include "common/model/gguf_model.hpp"
#include "common/model/linear_tiles.hpp"

namespace adit::model {
namespace {

class GgufWeights final : public ReferenceWeights {
 public:
  GgufWeights(const Gguf& gguf, ModelConfig config) : gguf_(gguf), config_(std::move(config)) {}
  const ModelConfig& config() const override { return config_; }
  std::optional<kernels::ActForm> act() const override { return std::nullopt; }
  Result<void> rows(const Part& part, int begin, int count, float* out) const override {
    ADIT_TRY(const GgufTensor* tensor, source_tensor(gguf_, part));
    for (int i = 0; i < count; ++i) {
      const auto row = static_cast<std::uint64_t>(source_row(config_, part, begin + i));
      ADIT_TRY_VOID(gguf_.dequantize(*tensor, row, 1, out));
      out += part.k;
    }
    return {};
  }

 private:
  const Gguf& gguf_;
  ModelConfig config_;
};

class PackWeights final : public ReferenceWeights {
 public:
  explicit PackWeights(const Pack& pack) : pack_(pack) {}
  const ModelConfig& config() const override { return pack_.config(); }
  std::optional<kernels::ActForm> act() const override { return pack_.act_form(); }
  Result<void> rows(const Part& part, int begin, int count, float* out) const override {
    if (part.kind == PartKind::kVector) {
      std::copy_n(vector(part.name), part.k, out);
      return {};
    }
    const kernels::LinearWeights& weights = linear(part.name);
    RowCodes codes;
    for (int i = 0; i < count; ++i) {
      read_row(weights, begin + i, codes);
      for (int k = 0; k < part.k; ++k) {
        const auto g = static_cast<std::size_t>(k / kernels::kGroup);
        const int w = int{codes.s[g]} * codes.q[static_cast<std::size_t>(k)] + codes.o[g];
        *out++ = static_cast<float>(w) * codes.rs;
      }
    }
    return {};
  }

 private:
  // Part names are "layers.N.rest" or one of the four of no layer.
  [[nodiscard]] std::pair<const LayerWeights*, std::string> split(const std::string& name) const {
    const std::size_t dot = name.find('.', 7);
    const auto layer = static_cast<std::size_t>(std::atoi(name.c_str() + 7));
    return {&pack_.layers()[layer], name.substr(dot + 1)};
  }
  [[nodiscard]] const float* vector(const std::string& name) const {
    if (name == "final_norm") return pack_.final_norm();
    const auto [layer, rest] = split(name);
    return rest == "attn_norm" ? layer->attn_norm : layer->ffn_norm;
  }
  [[nodiscard]] const kernels::LinearWeights& linear(const std::string& name) const {
    if (name == "embedding") return pack_.embedding();
    if (name == "head") return pack_.head();
    const auto [layer, rest] = split(name);
    if (rest == "attn_q") return layer->q;
    if (rest == "attn_k") return layer->k;
    if (rest == "attn_v") return layer->v;
    if (rest == "attn_o") return layer->o;
    if (rest == "ffn_gate") return layer->gate;
    if (rest == "ffn_up") return layer->up;
    return layer->down;
  }

  const Pack& pack_;
};

}  // namespace

Result<std::unique_ptr<ReferenceWeights>> weights_of(const Gguf& gguf) {
  ADIT_TRY(ModelConfig config, config_from_gguf(gguf));
  const std::vector<Part> parts = pack_parts(config);
  ADIT_TRY_VOID(check_no_other_tensors(gguf, parts));
  for (const Part& part : parts) {
    if (part.kind == PartKind::kFrequencies) continue;
    ADIT_TRY([[maybe_unused]] const GgufTensor* tensor, source_tensor(gguf, part));
  }
  return std::unique_ptr<ReferenceWeights>(std::make_unique<GgufWeights>(gguf, std::move(config)));
}

std::unique_ptr<ReferenceWeights> weights_of(const Pack& pack) {
  return std::make_unique<PackWeights>(pack);
}

}  // namespace adit::model
