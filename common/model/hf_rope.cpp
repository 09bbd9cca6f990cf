// SPDX-License-Identifier: MIT
#include <array>

#include "common/model/hf_fields.hpp"
#include "common/model/rope_frequencies.hpp"

namespace adit::model {
namespace {

Result<void> read_original_context(JsonFields& rope, ModelConfig& config) {
  // As transformers: without one, the context itself.
  ADIT_TRY(config.rope.original_context,
           rope.number_or("original_max_position_embeddings", static_cast<double>(config.context)));
  return {};
}

Result<void> read_llama3(JsonFields& rope, ModelConfig& config) {
  config.rope.scaling = RopeScaling::kLlama3;
  ADIT_TRY(config.rope.factor, rope.number("factor"));
  ADIT_TRY(config.rope.low_freq_factor, rope.number("low_freq_factor"));
  ADIT_TRY(config.rope.high_freq_factor, rope.number("high_freq_factor"));
  return read_original_context(rope, config);
}

// cos and sin get the ratio of the two magnitudes; DeepSeek's scores get the square of the second one.
Result<void> read_yarn(JsonFields& rope, ModelConfig& config) {
  RopeShape& r = config.rope;
  r.scaling = RopeScaling::kYarn;
  ADIT_TRY(r.factor, rope.number("factor"));
  ADIT_TRY(r.beta_fast, rope.number_or("beta_fast", 32));
  ADIT_TRY(r.beta_slow, rope.number_or("beta_slow", 1));
  ADIT_TRY_VOID(read_original_context(rope, config));
  ADIT_TRY_VOID(rope.must_be("truncate", true));
  ADIT_TRY_VOID(rope.must_be("extrapolation_factor", 1));
  ADIT_TRY(const double mscale, rope.number_or("mscale", 0));
  ADIT_TRY(const double mscale_all_dim, rope.number_or("mscale_all_dim", 0));
  const double all = mscale_all_dim == 0 ? 1.0 : yarn_magnitude(r.factor, mscale_all_dim);
  if (config.is_mla()) {
    r.attention_factor = yarn_magnitude(r.factor, rope.has("mscale") ? mscale : 1.0) / all;
    r.score_factor = all * all;
  } else {
    r.attention_factor = mscale != 0 && mscale_all_dim != 0 ? yarn_magnitude(r.factor, mscale) / all
                                                            : yarn_magnitude(r.factor, 1.0);
  }
  if (rope.has("attn_factor")) {
    // vLLM's and llama.cpp's key: a factor on top of the usual magnitude.
    if (rope.has("attention_factor"))
      return rope.not_supported("attn_factor", "none beside attention_factor");
    ADIT_TRY(const double extra, rope.number("attn_factor"));
    r.attention_factor *= extra;
  }
  ADIT_TRY(r.attention_factor, rope.number_or("attention_factor", r.attention_factor));
  return {};
}

Result<void> read_scaling(JsonFields& rope, ModelConfig& config) {
  ADIT_TRY(const std::string old_name, rope.text_or("type", "default"));
  ADIT_TRY(const std::string type, rope.text_or("rope_type", old_name));
  ADIT_TRY_VOID(rope.must_be("partial_rotary_factor", 1.0));
  const char* type_key = rope.has("rope_type") ? "rope_type" : "type";
  if (type == "linear") {
    config.rope.scaling = RopeScaling::kLinear;
    ADIT_TRY(config.rope.factor, rope.number("factor"));
    rope.harmless(std::array<std::string_view, 1>{"original_max_position_embeddings"});
  } else if (type == "llama3") {
    ADIT_TRY_VOID(read_llama3(rope, config));
  } else if (type == "yarn") {
    ADIT_TRY_VOID(read_yarn(rope, config));
  } else if (type != "default" && type != "none") {
    return rope.not_supported(type_key, "default, linear, llama3 or yarn");
  }
  return rope.finish();
}

}  // namespace

Result<void> read_hf_rope(JsonFields& fields, ModelConfig& config) {
  ADIT_TRY(config.rope_theta, fields.number_or("rope_theta", 10000));
  ADIT_TRY_VOID(fields.must_be("partial_rotary_factor", 1.0));
  // transformers 5 writes rope_parameters, where theta is inside; older files have rope_scaling.
  for (const char* key : {"rope_parameters", "rope_scaling"}) {
    if (fields.find(key) == nullptr) continue;
    ADIT_TRY(JsonFields rope, fields.object(key));
    ADIT_TRY(config.rope_theta, rope.number_or("rope_theta", config.rope_theta));
    config.rope = RopeShape{};
    ADIT_TRY_VOID(read_scaling(rope, config));
  }
  return {};
}

}  // namespace adit::model
