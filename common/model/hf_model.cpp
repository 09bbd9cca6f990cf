// SPDX-License-Identifier: MIT
#include "common/model/hf_model.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "common/base/bytes.hpp"
#include "common/base/files.hpp"
#include "common/model/hf_fields.hpp"

namespace adit::model {
namespace {

// Of training, of saving, of text generation by default; or read by somebody else.
constexpr std::array<std::string_view, 67> kHarmless{"architectures",
                                                     "auto_map",
                                                     "torch_dtype",
                                                     "dtype",
                                                     "transformers_version",
                                                     "_name_or_path",
                                                     "use_cache",
                                                     "initializer_range",
                                                     "attention_dropout",
                                                     "pretraining_tp",
                                                     "pad_token_id",
                                                     "unsloth_version",
                                                     "unsloth_fixed",
                                                     "transformers.js_config",
                                                     "is_llama_config",
                                                     "model_max_length",
                                                     "max_window_layers",
                                                     "sliding_window",
                                                     "ep_size",
                                                     "seq_aux",
                                                     "aux_loss_alpha",
                                                     "router_aux_loss_coef",
                                                     "num_nextn_predict_layers",
                                                     "output_attentions",
                                                     "output_hidden_states",
                                                     "return_dict",
                                                     "chunk_size_feed_forward",
                                                     "id2label",
                                                     "label2id",
                                                     "problem_type",
                                                     "task_specific_params",
                                                     "gradient_checkpointing",
                                                     "_attn_implementation",
                                                     "_attn_implementation_autoset",
                                                     "max_length",
                                                     "min_length",
                                                     "do_sample",
                                                     "temperature",
                                                     "top_k",
                                                     "top_p",
                                                     "typical_p",
                                                     "num_return_sequences",
                                                     "early_stopping",
                                                     "num_beams",
                                                     "num_beam_groups",
                                                     "diversity_penalty",
                                                     "length_penalty",
                                                     "no_repeat_ngram_size",
                                                     "repetition_penalty",
                                                     "bad_words_ids",
                                                     "forced_bos_token_id",
                                                     "forced_eos_token_id",
                                                     "suppress_tokens",
                                                     "begin_suppress_tokens",
                                                     "exponential_decay_length_penalty",
                                                     "remove_invalid_values",
                                                     "encoder_no_repeat_ngram_size",
                                                     "output_scores",
                                                     "return_dict_in_generate",
                                                     "prefix",
                                                     "decoder_start_token_id",
                                                     "sep_token_id",
                                                     "finetuning_task",
                                                     "tokenizer_class",
                                                     "use_bfloat16",
                                                     "pruned_heads",
                                                     "tf_legacy_loss"};

Result<void> read_family(JsonFields& fields, ModelConfig& config) {
  constexpr std::array<std::string_view, 6> kFamilies{"llama",       "qwen2",       "qwen3",
                                                      "deepseek_v2", "deepseek_v3", "deepseek_v32"};
  ADIT_TRY(config.family, fields.text_or("model_type", ""));
  if (std::find(kFamilies.begin(), kFamilies.end(), config.family) == kFamilies.end()) {
    return fields.not_supported("model_type",
                                "llama, qwen2, qwen3, deepseek_v2, deepseek_v3 or deepseek_v32");
  }
  return {};
}

Result<void> read_shape(JsonFields& fields, ModelConfig& config) {
  ADIT_TRY(config.layers, fields.integer("num_hidden_layers"));
  ADIT_TRY(config.hidden, fields.integer("hidden_size"));
  ADIT_TRY(config.ffn, fields.integer("intermediate_size"));
  ADIT_TRY(config.heads, fields.integer("num_attention_heads"));
  if (config.heads < 1) return fields.wrong("num_attention_heads", "at least 1");
  ADIT_TRY(config.kv_heads, fields.integer_or("num_key_value_heads", config.heads));
  ADIT_TRY(config.vocab, fields.integer("vocab_size"));
  ADIT_TRY(config.context, fields.integer("max_position_embeddings"));
  ADIT_TRY(const double eps, fields.number("rms_norm_eps"));
  config.norm_eps = static_cast<float>(eps);
  ADIT_TRY(config.tied_head, fields.boolean_or("tie_word_embeddings", false));
  if (config.family.starts_with("deepseek")) return read_hf_deepseek(fields, config);
  const int usual = config.family == "qwen3" ? 128 : config.hidden / config.heads;
  ADIT_TRY(config.head_dim, fields.integer_or("head_dim", usual));
  return {};
}

// Whatever would change the forward pass.
Result<void> refuse_variants(JsonFields& fields, const ModelConfig& config) {
  ADIT_TRY_VOID(fields.must_be("hidden_act", "silu"));
  ADIT_TRY_VOID(fields.must_be("attention_bias", false));
  ADIT_TRY_VOID(fields.must_be("mlp_bias", false));
  ADIT_TRY_VOID(fields.must_be("use_sliding_window", false));
  ADIT_TRY_VOID(fields.must_be("rope_interleaved", false));
  ADIT_TRY_VOID(fields.must_be("is_encoder_decoder", false));
  ADIT_TRY_VOID(fields.must_be("add_cross_attention", false));
  ADIT_TRY(const auto layer_types, fields.texts("layer_types"));
  for (const std::string& type : layer_types) {
    // The family says it too: every layer of deepseek_v32 has an indexer.
    const char* usual = config.indexer.top_k > 0 ? "indexed_attention" : "full_attention";
    if (type != usual) return fields.not_supported("layer_types", std::string(usual) + " only");
  }
  if (fields.find("quantization_config") == nullptr) return {};
  ADIT_TRY(JsonFields q, fields.object("quantization_config"));
  ADIT_TRY_VOID(q.must_be("fmt", "e4m3"));
  if (q.find("quant_method") == nullptr) return q.not_supported("quant_method", "fp8");
  ADIT_TRY_VOID(q.must_be("quant_method", "fp8"));
  if (q.find("weight_block_size") == nullptr) return q.not_supported("weight_block_size", "[128,128]");
  ADIT_TRY_VOID(q.must_be("weight_block_size", nlohmann::json::array({128, 128})));
  // How activations were rounded in training, and what was left alone, change no weight.
  q.harmless(std::array<std::string_view, 3>{"activation_scheme", "scale_fmt", "modules_to_not_convert"});
  return q.finish();
}

Result<TokenId> token_of(const JsonFields& fields, const std::string& key, std::int64_t id) {
  if (id < 0 || id >= limits::kVocabularyMax) return fields.wrong(key, "token ids");
  return static_cast<TokenId>(id);
}

Result<void> add_stops(JsonFields& fields, ModelConfig& config) {
  ADIT_TRY(const auto ids, fields.integers("eos_token_id"));
  for (const std::int64_t raw : ids) {
    ADIT_TRY(const TokenId id, token_of(fields, "eos_token_id", raw));
    if (std::find(config.stop_ids.begin(), config.stop_ids.end(), id) == config.stop_ids.end()) {
      config.stop_ids.push_back(id);
    }
  }
  return {};
}

Result<void> read_tokens(JsonFields& fields, const HfConfigTexts& texts, const std::string& label,
                         ModelConfig& config) {
  if (!texts.generation.empty()) {
    ADIT_TRY(JsonFields generation, JsonFields::parse(texts.generation, label + "generation_config.json"));
    ADIT_TRY_VOID(add_stops(generation, config));
  }
  ADIT_TRY_VOID(add_stops(fields, config));
  if (config.stop_ids.empty()) return fields.wrong("eos_token_id", "a token id or a list of them");
  config.bos = config.stop_ids[0];
  ADIT_TRY(const auto bos, fields.integers("bos_token_id"));
  if (bos.size() > 1) return fields.wrong("bos_token_id", "one token id");
  if (!bos.empty()) {
    ADIT_TRY(config.bos, token_of(fields, "bos_token_id", bos[0]));
  }
  if (texts.tokenizer.empty()) return {};
  ADIT_TRY(JsonFields tokenizer, JsonFields::parse(texts.tokenizer, label + "tokenizer_config.json"));
  ADIT_TRY(config.add_bos, tokenizer.boolean_or("add_bos_token", false));
  if (config.add_bos && bos.empty())
    return fields.wrong("bos_token_id", "a token id, as add_bos_token is true");
  return {};
}

// The file's text, or nothing if there is no such file.
Result<std::string> text_of(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::string();
  ADIT_TRY(const Bytes bytes, read_file(path, limits::kMetadataBytesMax));
  return std::string(as_text(bytes));
}

}  // namespace

Result<ModelConfig> parse_hf_config(const HfConfigTexts& texts, const std::string& label) {
  ADIT_TRY(JsonFields fields, JsonFields::parse(texts.config, label + "config.json"));
  ModelConfig config;
  ADIT_TRY_VOID(read_family(fields, config));
  ADIT_TRY(const std::string origin, fields.text_or("_name_or_path", ""));
  config.name = std::filesystem::path(origin).filename().string();
  ADIT_TRY_VOID(read_shape(fields, config));
  ADIT_TRY_VOID(read_hf_rope(fields, config));
  ADIT_TRY_VOID(refuse_variants(fields, config));
  ADIT_TRY_VOID(read_tokens(fields, texts, label, config));
  config.context = std::min(config.context, static_cast<int>(limits::kContextMax));
  fields.harmless(kHarmless);
  ADIT_TRY_VOID(fields.finish());
  if (auto ok = check_config(config); !ok) {
    return tl::unexpected<Error>(ok.error().context(fields.label()));
  }
  return config;
}

Result<ModelConfig> config_from_hf(const std::filesystem::path& folder) {
  ADIT_TRY(const Bytes config, read_file(folder / "config.json", limits::kConfigBytesMax));
  ADIT_TRY(const std::string generation, text_of(folder / "generation_config.json"));
  ADIT_TRY(const std::string tokenizer, text_of(folder / "tokenizer_config.json"));
  return parse_hf_config({as_text(config), generation, tokenizer}, (folder / "").string());
}

}  // namespace adit::model
