// SPDX-License-Identifier: MIT
#include "common/model/pack.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/ranges.h>

#include "common/base/files.hpp"
#include "common/model/linear_tiles.hpp"
#include "common/model/pack_format.hpp"
#include "common/model/quant_row.hpp"
#include "common/model/safetensors.hpp"

namespace adit::model {

using kernels::LinearWeights;

struct Pack::State {
  std::filesystem::path path;
  std::string label;
  std::unique_ptr<MappedFile> file;
  ByteView bytes;
  safetensors::File container;
  LinearNotes notes;
  ModelConfig config;
  std::string config_text;
  Hash256 content_hash{};
  std::string tokenizer;
  std::string chat_template;
  std::map<std::string, LinearWeights, std::less<>> linears;
  std::map<std::string, const float*, std::less<>> vectors;
  std::vector<LayerWeights> layers;
  LinearWeights embedding, head;
  const float* final_norm = nullptr;
  std::span<const double> inv_freq;

  template <class... Args>
  tl::unexpected<Error> bad(const safetensors::Tensor& tensor, std::uint64_t at,
                            fmt::format_string<Args...> format, Args&&... args) const {
    return invalid_argument("{}: offset {}: tensor {}: {}", label,
                            container.data_offset + tensor.offset + at, tensor.name,
                            fmt::format(format, std::forward<Args>(args)...));
  }
  Result<void> load();
  Result<void> load_metadata();
  Result<void> load_parts();
  Result<const safetensors::Tensor*> find(const safetensors::Tensor& expected) const;
  template <class T>
  const T* data(const safetensors::Tensor& tensor) const {
    return reinterpret_cast<const T*>(bytes.data() + container.data_offset + tensor.offset);
  }
  template <class T>
  Result<const T*> finite(const safetensors::Tensor& tensor) const;
  Result<void> load_linear(const Part& part);
  Result<void> check_scales(const LinearWeights& weights, const safetensors::Tensor& tensor) const;
  Result<void> load_part(const Part& part, std::vector<std::string>& used);
  void link();
};

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
  const std::size_t tile = static_cast<std::size_t>(w.k_pad / kernels::kGroup) * kernels::kTileRows;
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
  w.abs_row_max = note->second.abs_row_max;
  w.sq_row_max = note->second.sq_row_max;
  w.m = part.m;
  w.k = part.k;
  w.m_pad = (part.m + kernels::kTileRows - 1) / kernels::kTileRows * kernels::kTileRows;
  w.k_pad = (part.k + kernels::kGroup - 1) / kernels::kGroup * kernels::kGroup;
  const auto expected = part_tensors(part, w.form);
  ADIT_TRY(const auto* q, find(expected.front()));
  ADIT_TRY(const auto* s, find(expected[1]));
  ADIT_TRY(const auto* rs, find(expected.back()));
  w.q = data<std::uint8_t>(*q);
  w.s = data<std::uint16_t>(*s);
  if (w.form == kernels::WeightForm::kU4) {
    ADIT_TRY(const auto* o, find(expected[2]));
    w.o = data<std::int16_t>(*o);
  }
  ADIT_TRY(w.rs, finite<float>(*rs));
  ADIT_TRY_VOID(check_scales(w, *s));
  linears.emplace(part.name, w);
  return {};
}

Result<void> Pack::State::load_part(const Part& part, std::vector<std::string>& used) {
  kernels::WeightForm form = kernels::WeightForm::kI8;
  if (part.kind == PartKind::kLinear) {
    ADIT_TRY_VOID(load_linear(part));
    form = linears.at(part.name).form;
  }
  const auto expected = part_tensors(part, form);
  for (const auto& tensor : expected) used.push_back(tensor.name);
  if (part.kind == PartKind::kLinear) return {};
  ADIT_TRY(const auto* tensor, find(expected.front()));
  if (part.kind == PartKind::kVector) {
    ADIT_TRY(vectors[part.name], finite<float>(*tensor));
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
  for (const Part& part : pack_parts(config)) ADIT_TRY_VOID(load_part(part, used));
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

void Pack::State::link() {
  for (int i = 0; i < config.layers; ++i) {
    const std::string at = fmt::format("layers.{}.", i);
    LayerWeights layer;
    layer.attn_norm = vectors.at(at + "attn_norm");
    layer.ffn_norm = vectors.at(at + "ffn_norm");
    layer.q = linears.at(at + "attn_q");
    layer.k = linears.at(at + "attn_k");
    layer.v = linears.at(at + "attn_v");
    layer.o = linears.at(at + "attn_o");
    layer.gate = linears.at(at + "ffn_gate");
    layer.up = linears.at(at + "ffn_up");
    layer.down = linears.at(at + "ffn_down");
    layers.push_back(layer);
  }
  embedding = linears.at("embedding");
  head = config.tied_head ? embedding : linears.at("head");
  final_norm = vectors.at("final_norm");
}

Result<void> Pack::State::load() {
  ADIT_TRY(container, safetensors::File::parse(bytes, label));
  ADIT_TRY_VOID(load_metadata());
  ADIT_TRY_VOID(load_parts());
  link();
  return {};
}

Result<Pack> Pack::open(const std::filesystem::path& path) {
  ADIT_TRY(MappedFile file, MappedFile::open(path));
  auto state = std::make_unique<State>();
  state->path = path;
  state->label = path.string();
  state->file = std::make_unique<MappedFile>(std::move(file));
  state->bytes = state->file->bytes();
  ADIT_TRY_VOID(state->load());
  return Pack(std::move(state));
}

Result<Pack> Pack::parse(ByteView bytes, std::string label) {
  auto state = std::make_unique<State>();
  state->path = label;
  state->label = std::move(label);
  state->bytes = bytes;
  ADIT_TRY_VOID(state->load());
  return Pack(std::move(state));
}

Pack::Pack(std::unique_ptr<State> state) : state_(std::move(state)) {}
Pack::Pack(Pack&&) noexcept = default;
Pack& Pack::operator=(Pack&&) noexcept = default;
Pack::~Pack() = default;

const std::filesystem::path& Pack::path() const {
  return state_->path;
}
const ModelConfig& Pack::config() const {
  return state_->config;
}
const Hash256& Pack::content_hash() const {
  return state_->content_hash;
}
const std::string& Pack::tokenizer_json() const {
  return state_->tokenizer;
}
const std::string& Pack::chat_template() const {
  return state_->chat_template;
}
std::span<const LayerWeights> Pack::layers() const {
  return state_->layers;
}
const LinearWeights& Pack::embedding() const {
  return state_->embedding;
}
const LinearWeights& Pack::head() const {
  return state_->head;
}
const float* Pack::final_norm() const {
  return state_->final_norm;
}
std::span<const double> Pack::inv_freq() const {
  return state_->inv_freq;
}
kernels::WeightForm Pack::weight_form() const {
  return state_->layers.front().q.form;
}
kernels::ActForm Pack::act_form() const {
  return state_->layers.front().q.act;
}
std::size_t Pack::file_bytes() const {
  return state_->bytes.size();
}

Result<void> Pack::verify_content_hash() const {
  const State& s = *state_;
  ContentHash hash(s.config_text, s.tokenizer, s.chat_template);
  RowCodes row;
  for (const Part& part : pack_parts(s.config)) {
    if (part.kind == PartKind::kVector) hash.vector(part, s.vectors.at(part.name));
    if (part.kind == PartKind::kFrequencies) hash.frequencies(part, s.inv_freq.data());
    if (part.kind != PartKind::kLinear) continue;
    const LinearWeights& w = s.linears.at(part.name);
    hash.begin_linear(part, w.form, w.act);
    std::uint64_t abs_max = 0, sq_max = 0;
    for (int m = 0; m < w.m; ++m) {
      read_row(w, m, row);
      hash.linear_row(row);
      abs_max = std::max(abs_max, row.abs_sum);
      sq_max = std::max(sq_max, row.sq_sum);
    }
    if (abs_max != w.abs_row_max || sq_max != w.sq_row_max) {
      return data_loss("{}: linear {}: proof numbers {} and {}, the weights give {} and {}", s.label,
                       part.name, w.abs_row_max, w.sq_row_max, abs_max, sq_max);
    }
  }
  const Hash256 found = hash.finish();
  if (found == s.content_hash) return {};
  return data_loss("{}: content hash is {}, the file says {}", s.label, to_hex(found),
                   to_hex(s.content_hash));
}

}  // namespace adit::model
