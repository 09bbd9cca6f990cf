// SPDX-License-Identifier: MIT
// tests/support/hf_folder.hpp
//
// A tiny model of tests/vectors/hf (one f32 safetensors file), read by other code than the project's
// own reader of such folders. Throws when anything is missing.
#pragma once

#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "tests/support/hf_deepseek.hpp"
#include "tests/support/tiny_model.hpp"

namespace adit::test {

inline model::RopeShape hf_rope(const nlohmann::json& rope) {
  const std::string type = rope.at("rope_type");
  model::RopeShape out;
  if (type == "default") return out;
  out.scaling = type == "llama3" ? model::RopeScaling::kLlama3 : model::RopeScaling::kYarn;
  out.factor = rope.at("factor");
  out.original_context = rope.at("original_max_position_embeddings");
  if (type == "llama3") {
    out.low_freq_factor = rope.at("low_freq_factor");
    out.high_freq_factor = rope.at("high_freq_factor");
  } else {
    out.attention_factor = 0.1 * std::log(out.factor) + 1;
  }
  return out;
}

inline model::ModelConfig hf_config(const nlohmann::json& json) {
  model::ModelConfig c;
  c.family = json.at("model_type");
  c.name = "tiny";
  c.layers = json.at("num_hidden_layers");
  c.hidden = json.at("hidden_size");
  c.ffn = json.at("intermediate_size");
  c.heads = json.at("num_attention_heads");
  c.kv_heads = json.at("num_key_value_heads");
  c.head_dim = json.value("head_dim", c.hidden / c.heads);
  c.vocab = json.at("vocab_size");
  c.context = json.at("max_position_embeddings");
  c.norm_eps = static_cast<float>(json.at("rms_norm_eps").get<double>());
  c.rope_theta = json.at("rope_parameters").at("rope_theta");
  c.rope = hf_rope(json.at("rope_parameters"));
  c.tied_head = json.at("tie_word_embeddings");
  c.stop_ids = {2};
  c.bos = 1;
  if (c.family.starts_with("deepseek")) hf_deepseek_config(json, c);
  return c;
}

inline std::string hf_name(const model::Part& part) {
  using model::PartRole;
  static const std::map<PartRole, std::string> kNames{{PartRole::kEmbedding, "model.embed_tokens"},
                                                      {PartRole::kFinalNorm, "model.norm"},
                                                      {PartRole::kHead, "lm_head"},
                                                      {PartRole::kAttnNorm, "input_layernorm"},
                                                      {PartRole::kAttnQ, "self_attn.q_proj"},
                                                      {PartRole::kAttnK, "self_attn.k_proj"},
                                                      {PartRole::kAttnV, "self_attn.v_proj"},
                                                      {PartRole::kAttnQNorm, "self_attn.q_norm"},
                                                      {PartRole::kAttnKNorm, "self_attn.k_norm"},
                                                      {PartRole::kAttnO, "self_attn.o_proj"},
                                                      {PartRole::kFfnNorm, "post_attention_layernorm"},
                                                      {PartRole::kFfnGate, "mlp.gate_proj"},
                                                      {PartRole::kFfnUp, "mlp.up_proj"},
                                                      {PartRole::kFfnDown, "mlp.down_proj"}};
  const std::string& name = kNames.at(part.role);
  return part.layer < 0 ? name : "model.layers." + std::to_string(part.layer) + "." + name;
}

inline TinyModel hf_folder(const std::string& folder) {
  std::ifstream config_file(folder + "/config.json");
  const model::ModelConfig config = hf_config(nlohmann::json::parse(config_file));
  std::ifstream file(folder + "/model.safetensors", std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  const auto table = nlohmann::json::parse(bytes.substr(8, length));
  // All of a tensor's values, or count.
  const auto take = [&](const std::string& name, int count = 0) {
    const auto& tensor = table.at(name);
    if (tensor.at("dtype") != "F32") throw std::runtime_error(name + " is not F32");
    const auto& at = tensor.at("data_offsets");
    const std::size_t begin = at[0], end = at[1];
    std::vector<float> out((end - begin) / 4);
    if (count > 0 && out.size() != static_cast<std::size_t>(count)) throw std::runtime_error(name + ": shape");
    std::memcpy(out.data(), bytes.data() + 8 + length + begin, out.size() * 4);
    return out;
  };
  TinyModel::Floats rows, biases;
  for (const model::Part& part : model::model_parts(config)) {
    if (part.kind == model::PartKind::kFrequencies) continue;
    if (config.is_mla()) {
      const std::string layer = "model.layers." + std::to_string(part.layer) + ".";
      rows[part.name] = hf_deepseek_part(part, config, [&](const std::string& name) { return take(layer + name); });
    }
    if (rows[part.name].empty()) rows[part.name] = take(hf_name(part) + ".weight", part.m * part.k);
    if (part.has_bias) biases[part.name] = take(hf_name(part) + ".bias", part.m);
  }
  return {config, std::move(rows), std::move(biases)};
}

}  // namespace adit::test
