// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <vector>

#include "common/model/gguf_keys.hpp"
#include "common/model/rope_frequencies.hpp"

namespace adit::model {
namespace {

// What a file's factors (f32, computed in f32) may differ from ours by.
constexpr double kFactorTolerance = 1e-4;

Result<void> read_yarn(GgufKeys& keys, ModelConfig& config) {
  RopeShape& r = config.rope;
  r.scaling = RopeScaling::kYarn;
  ADIT_TRY(r.factor, keys.number("rope.scaling.factor"));
  ADIT_TRY(const int original, keys.integer_or("rope.scaling.original_context_length", config.context));
  r.original_context = original;
  ADIT_TRY(r.beta_fast, keys.number_or("rope.scaling.yarn_beta_fast", 32));
  ADIT_TRY(r.beta_slow, keys.number_or("rope.scaling.yarn_beta_slow", 1));
  ADIT_TRY(const double extrapolation, keys.number_or("rope.scaling.yarn_ext_factor", 1));
  if (extrapolation != 1) {
    return keys.wrong("rope.scaling.yarn_ext_factor", fmt::format("{}", extrapolation), "1");
  }
  ADIT_TRY(const double extra, keys.number_or("rope.scaling.attn_factor", 1));
  ADIT_TRY(const double yarn_extra, keys.number_or("rope.scaling.yarn_attn_factor", 1));
  if (!config.is_mla()) {
    r.attention_factor = yarn_magnitude(r.factor, 1) * extra * yarn_extra;
    return {};
  }
  if (extra != 1 || yarn_extra != 1) {
    return keys.wrong("rope.scaling.attn_factor", fmt::format("{}", extra * yarn_extra), "1 with MLA");
  }
  // The key is a tenth of mscale_all_dim; the format supposes that mscale is the same.
  ADIT_TRY(const double tenth, keys.number("rope.scaling.yarn_log_multiplier"));
  const double mscale = std::strtod(fmt::format("{}", static_cast<float>(tenth * 10)).c_str(), nullptr);
  r.attention_factor = 1;
  r.score_factor = yarn_magnitude(r.factor, mscale) * yarn_magnitude(r.factor, mscale);
  return {};
}

// The tensor holds what each frequency is divided by: 1 for the high ones, the factor for the low ones.
Result<void> read_llama3(const Gguf& file, const GgufTensor& tensor, ModelConfig& config) {
  const auto half = static_cast<std::uint64_t>(config.rope_dim() / 2);
  if (tensor.dims.size() != 1 || tensor.dims[0] != half) {
    return invalid_argument("{}: offset {}: tensor {}: {} values, expected {}", file.label(), tensor.offset,
                            tensor.name, tensor.dims[0] * tensor.rows, half);
  }
  std::vector<float> divisors(half);
  ADIT_TRY_VOID(file.dequantize(tensor, 0, 1, divisors.data()));
  const double largest = static_cast<double>(*std::max_element(divisors.begin(), divisors.end()));
  ModelConfig plain = config, scaled = config;
  scaled.rope.scaling = RopeScaling::kLlama3;
  scaled.rope.factor = std::round(largest);
  scaled.rope.low_freq_factor = 1;
  scaled.rope.high_freq_factor = 4;
  scaled.rope.original_context = 8192;
  const auto from = inverse_frequencies(plain), to = inverse_frequencies(scaled);
  for (std::size_t i = 0; i < half; ++i) {
    const double expected = from[i] / to[i], found = static_cast<double>(divisors[i]);
    if (std::fabs(found - expected) <= kFactorTolerance * expected) continue;
    return unimplemented(
        "{}: offset {}: tensor {}: value {} is {}, expected {:.6g}: not llama 3's scaling by {} with factors "
        "1 "
        "and 4 over 8192 positions",
        file.label(), tensor.offset, tensor.name, i, found, expected, scaled.rope.factor);
  }
  if (scaled.rope.factor > 1) config.rope = scaled.rope;
  return {};
}

}  // namespace

Result<void> read_gguf_rope(GgufKeys& keys, ModelConfig& config) {
  ADIT_TRY(config.rope_theta, keys.number_or("rope.freq_base", 10000));
  ADIT_TRY(const std::string type, keys.text_or("rope.scaling.type", "none"));
  ADIT_TRY(const double old_factor, keys.number_or("rope.scale_linear", 1));
  ADIT_TRY(const double factor, keys.number_or("rope.scaling.factor", old_factor));
  const bool deepseek_plain = config.is_mla() && type != "yarn";
  if (deepseek_plain && keys.has("rope.scaling.yarn_log_multiplier")) {
    return keys.wrong("rope.scaling.type", type, "yarn, as there is rope.scaling.yarn_log_multiplier");
  }
  if (type == "yarn") {
    ADIT_TRY_VOID(read_yarn(keys, config));
  } else if ((type == "linear" || !keys.has("rope.scaling.type")) && factor != 1) {
    config.rope.scaling = RopeScaling::kLinear;
    config.rope.factor = factor;
  } else if (type != "none" && type != "linear") {
    return keys.wrong("rope.scaling.type", "'" + type + "'", "none, linear or yarn");
  }
  const Gguf* file = nullptr;
  const GgufTensor* divisors = keys.find_tensor("rope_freqs.weight", &file);
  if (divisors == nullptr) return {};
  if (config.rope.scaling != RopeScaling::kNone) {
    return unimplemented("{}: tensor rope_freqs.weight beside rope.scaling.type {}", keys.label(), type);
  }
  // Before check_config: a shape that makes no sense is refused there.
  if (config.rope_dim() < 2 || config.rope_dim() > 4096 || !(config.rope_theta > 1))
    return check_config(config);
  return read_llama3(*file, *divisors, config);
}

}  // namespace adit::model
