// SPDX-License-Identifier: MIT
// From the bytes of a pack to checked views of its parts.
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/ranges.h>

#include "common/model/pack_state.hpp"
#include "common/model/quant_row.hpp"
#include "kernels/linear/linear.h"

namespace adit::model {

using kernels::LinearWeights;

Result<void> Pack::State::load_metadata() {
  constexpr std::array<std::string_view, 6> kKeys{"format",    "config",        "linears",
                                                  "tokenizer", "chat_template", "content_hash"};
  for (const std::string_view key : kKeys) {
    if (!container.metadata.contains(key))
      return invalid_argument("{}: offset 8: no {} in __metadata__", label, key);
  }
  const auto& texts = container.metadata;
  if (texts.at("format") != kPackFormat) {
    return invalid_argument("{}: offset 8: format is not {}", label, kPackFormat);
  }
  const auto where = [this](const Error& error) {
    return tl::unexpected<Error>(error.context(fmt::format("{}: offset 8", label)));
  };
  config_text = texts.at("config");
  auto parsed = parse_config_json(config_text);
  if (!parsed) return where(parsed.error());
  config = *std::move(parsed);
  if (config_json(config) != config_text) {
    return invalid_argument("{}: offset 8: config is not in canonical form", label);
  }
  auto read = parse_notes(texts.at("linears"));
  if (!read) return where(read.error());
  notes = *std::move(read);
  auto hash = fixed_from_hex<32>(texts.at("content_hash"));
  if (!hash) return where(hash.error().context("content_hash"));
  content_hash = *hash;
  tokenizer = texts.at("tokenizer");
  chat_template = texts.at("chat_template");
  if (const auto text = texts.find(kDeclarationKey); text != texts.end()) {
    auto found = parse_declaration(text->second);
    if (!found) return where(found.error());
    declaration = *std::move(found);
  }
  return {};
}

Result<const safetensors::Tensor*> Pack::State::find(const safetensors::Tensor& expected) const {
  const auto found = container.tensors.find(expected.name);
  if (found == container.tensors.end()) {
    return invalid_argument("{}: offset 8: tensor {} is missing", label, expected.name);
  }
  const safetensors::Tensor& tensor = found->second;
  if (tensor.dtype != expected.dtype || tensor.shape != expected.shape) {
    return bad(tensor, 0, "{} [{}], expected {} [{}]", safetensors::dtype_name(tensor.dtype),
               fmt::join(tensor.shape, ", "), safetensors::dtype_name(expected.dtype),
               fmt::join(expected.shape, ", "));
  }
  if ((container.data_offset + tensor.offset) % 64 != 0)
    return bad(tensor, 0, "not on a multiple of 64 bytes");
  return &tensor;
}

template <class T>
Result<const T*> Pack::State::finite(const safetensors::Tensor& tensor) const {
  const T* values = data<T>(tensor);
  for (std::uint64_t i = 0; i < tensor.bytes / sizeof(T); ++i) {
    if (!std::isfinite(values[i])) return bad(tensor, i * sizeof(T), "value {} is not finite", i);
  }
  return values;
}

// Scales within the caps of the contract; rows of padding all zero.
Result<void> Pack::State::check_scales(const LinearWeights& w, const safetensors::Tensor& tensor) const {
  const int cap = w.form == kernels::WeightForm::kU4 ? kU4ScaleMax : kI8ScaleMax;
  const std::size_t count = tensor.bytes / 2;
  for (std::size_t i = 0; i < count; ++i) {
    if (w.s[i] > cap) return bad(tensor, 2 * i, "a scale of {}, expected at most {}", w.s[i], cap);
  }
  const std::size_t tile = static_cast<std::size_t>(kernels::scales_of(w)) * kernels::kTileRows;
  const std::size_t rows_used = static_cast<std::size_t>(w.m + kernels::kTileRows - w.m_pad);
  for (std::size_t i = count - tile; i < count; ++i) {
    if (i % kernels::kTileRows < rows_used) continue;
    if (w.s[i] != 0 || (w.o != nullptr && w.o[i] != 0)) return bad(tensor, 2 * i, "padding that is not 0");
  }
  return {};
}

Result<void> Pack::State::load_linear(const Part& part) {
  const auto note = notes.find(part.name);
  if (note == notes.end())
    return invalid_argument("{}: offset 8: no entry for linear {}", label, part.name);
  LinearWeights w;
  w.form = note->second.form;
  w.act = note->second.act;
  w.group = note->second.group;
  w.abs_row_max = note->second.abs_row_max;
  w.sq_row_max = note->second.sq_row_max;
  w.m = part.m;
  w.k = part.k;
  w.m_pad = (part.m + kernels::kTileRows - 1) / kernels::kTileRows * kernels::kTileRows;
  w.k_pad = (part.k + kernels::kGroup - 1) / kernels::kGroup * kernels::kGroup;
  ADIT_TRY_VOID(load_codes(part, note->second, w));
  const auto expected = part_tensors(part, w.form, w.group);
  ADIT_TRY(const auto* s, find(expected[1]));
  ADIT_TRY(const auto* rs, find(expected[w.form == kernels::WeightForm::kU4 ? 3 : 2]));
  w.s = data<std::uint16_t>(*s);
  if (w.form == kernels::WeightForm::kU4) {
    ADIT_TRY(const auto* o, find(expected[2]));
    w.o = data<std::int16_t>(*o);
  }
  ADIT_TRY(w.rs, finite<float>(*rs));
  if (part.has_bias) {
    ADIT_TRY(const auto* bias, find(expected.back()));
    ADIT_TRY(w.bias, finite<float>(*bias));
  }
  ADIT_TRY_VOID(check_scales(w, *s));
  w.raised_fit = w.o != nullptr && kernels::raised_offsets_fit(w);
  linears.emplace(part.name, w);
  return {};
}

Result<void> Pack::State::load_part(const Part& part, std::vector<std::string>& used) {
  if (part.kind == PartKind::kLinear) {
    ADIT_TRY_VOID(load_linear(part));
    for (const auto& tensor : linear_tensors(part, notes.at(part.name), 0)) used.push_back(tensor.name);
    return {};
  }
  const auto expected = part_tensors(part, kernels::WeightForm::kI8);
  used.push_back(expected.front().name);
  ADIT_TRY(const auto* tensor, find(expected.front()));
  if (part.kind != PartKind::kFrequencies) {
    ADIT_TRY(floats[part.name], finite<float>(*tensor));
    return {};
  }
  ADIT_TRY(const double* values, finite<double>(*tensor));
  inv_freq = {values, static_cast<std::size_t>(part.k)};
  for (const double value : inv_freq) {
    if (!(value > 0 && value <= 1)) return bad(*tensor, 0, "a frequency of {}, expected 0..1", value);
  }
  return {};
}

Result<void> Pack::State::load_parts() {
  std::vector<std::string> used;
  for (const Part& part : model_parts(config)) ADIT_TRY_VOID(load_part(part, used));
  std::sort(used.begin(), used.end());
  for (const auto& [name, tensor] : container.tensors) {
    if (name.starts_with("fill.") || std::binary_search(used.begin(), used.end(), name)) continue;
    return invalid_argument("{}: offset 8: tensor {} has no place in a {} model of {} layers", label,
                            name.substr(0, 80), config.family, config.layers);
  }
  if (notes.size() != linears.size()) {
    return invalid_argument("{}: offset 8: {} entries in linears, expected {}", label, notes.size(),
                            linears.size());
  }
  return {};
}

namespace {

// Where a linear or a row of floats of a layer stands in LayerWeights; nullptr for other roles.
LinearWeights* linear_of(LayerWeights& layer, PartRole role) {
  switch (role) {
    case PartRole::kAttnQ: return &layer.q;
    case PartRole::kAttnK: return &layer.k;
    case PartRole::kAttnV: return &layer.v;
    case PartRole::kAttnO: return &layer.o;
    case PartRole::kAttnQA: return &layer.q_a;
    case PartRole::kAttnQB: return &layer.q_b;
    case PartRole::kAttnKvA: return &layer.kv_a;
    case PartRole::kAttnKB: return &layer.k_b;
    case PartRole::kAttnVB: return &layer.v_b;
    case PartRole::kIndexQB: return &layer.index_q_b;
    case PartRole::kIndexK: return &layer.index_k;
    case PartRole::kIndexW: return &layer.index_w;
    case PartRole::kFfnGate: return &layer.gate;
    case PartRole::kFfnUp: return &layer.up;
    case PartRole::kFfnDown: return &layer.down;
    case PartRole::kExpertsGate: return &layer.experts_gate;
    case PartRole::kExpertsUp: return &layer.experts_up;
    case PartRole::kExpertsDown: return &layer.experts_down;
    case PartRole::kSharedGate: return &layer.shared_gate;
    case PartRole::kSharedUp: return &layer.shared_up;
    case PartRole::kSharedDown: return &layer.shared_down;
    default: return nullptr;
  }
}

const float** floats_of(LayerWeights& layer, PartRole role) {
  switch (role) {
    case PartRole::kAttnNorm: return &layer.attn_norm;
    case PartRole::kFfnNorm: return &layer.ffn_norm;
    case PartRole::kAttnQNorm: return &layer.q_norm;
    case PartRole::kAttnKNorm: return &layer.k_norm;
    case PartRole::kAttnQANorm: return &layer.q_a_norm;
    case PartRole::kAttnKvANorm: return &layer.kv_a_norm;
    case PartRole::kIndexKNorm: return &layer.index_k_norm;
    case PartRole::kIndexKNormBias: return &layer.index_k_norm_bias;
    case PartRole::kRouter: return &layer.router;
    case PartRole::kRouterBias: return &layer.router_bias;
    default: return nullptr;
  }
}

}  // namespace

// Linears that read the same row read it in one form.
Result<void> Pack::State::check_acts() const {
  std::map<std::pair<int, int>, const Part*> firsts;
  const std::vector<Part> parts = model_parts(config);
  for (const Part& part : parts) {
    const int input = shared_input(part.role);
    if (input < 0) continue;
    const Part& first = *firsts.try_emplace({part.layer, input}, &part).first->second;
    if (linears.at(part.name).act == linears.at(first.name).act) continue;
    return invalid_argument("{}: offset 8: linears {} and {} read one row in two activation forms", label,
                            first.name, part.name);
  }
  return {};
}

void Pack::State::link() {
  layers.resize(static_cast<std::size_t>(config.layers));
  for (const Part& part : model_parts(config)) {
    if (part.layer < 0) continue;
    LayerWeights& layer = layers[static_cast<std::size_t>(part.layer)];
    if (part.kind == PartKind::kLinear) {
      *linear_of(layer, part.role) = linears.at(part.name);
    } else {
      *floats_of(layer, part.role) = floats.at(part.name);
    }
  }
  embedding = linears.at("embedding");
  head = config.tied_head ? embedding : linears.at("head");
  final_norm = floats.at("final_norm");
}

Result<void> Pack::State::load() {
  ADIT_TRY(container, safetensors::File::parse(bytes, label));
  ADIT_TRY_VOID(load_metadata());
  ADIT_TRY_VOID(load_parts());
  ADIT_TRY_VOID(check_acts());
  link();
  return {};
}

}  // namespace adit::model
