// SPDX-License-Identifier: MIT
#include "common/model/pack.hpp"

#include <algorithm>
#include <utility>

#include "common/model/huge_pages.hpp"
#include "common/model/linear_tiles.hpp"
#include "common/model/pack_state.hpp"

namespace adit::model {

using kernels::LinearWeights;

Result<Pack> Pack::open(const std::filesystem::path& path) {
  ADIT_TRY(MappedFile file, map_in_huge_pages(path));
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

Pack Pack::mix(const Pack& eight, const Pack& four, const LinearChoices& choices) {
  const State& from = *eight.state_;
  auto state = std::make_unique<State>();
  state->path = from.path;
  state->label = from.label;
  state->bytes = from.bytes;
  state->config = from.config;
  state->config_text = from.config_text;
  state->tokenizer = from.tokenizer;
  state->chat_template = from.chat_template;
  state->linears = from.linears;
  state->floats = from.floats;
  state->inv_freq = from.inv_freq;
  for (const auto& [name, choice] : choices) {
    LinearWeights& weights = state->linears.at(name);
    if (choice.bits == 4) weights = four.state_->linears.at(name);
    weights.act = choice.act;
  }
  state->link();
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
const std::optional<Declaration>& Pack::declaration() const {
  return state_->declaration;
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
  return state_->layers.front().o.form;
}
kernels::ActForm Pack::act_form() const {
  return state_->layers.front().o.act;
}
const LinearWeights* Pack::linear(std::string_view name) const {
  const auto found = state_->linears.find(name);
  return found == state_->linears.end() ? nullptr : &found->second;
}
const float* Pack::floats(std::string_view name) const {
  const auto found = state_->floats.find(name);
  return found == state_->floats.end() ? nullptr : found->second;
}
std::size_t Pack::file_bytes() const {
  return state_->bytes.size();
}

Result<void> Pack::verify_content_hash() const {
  const State& s = *state_;
  ContentHash hash(s.config_text, s.tokenizer, s.chat_template);
  RowCodes row;
  for (const Part& part : model_parts(s.config)) {
    if (part.kind == PartKind::kFrequencies) hash.frequencies(part, s.inv_freq.data());
    if (part.kind == PartKind::kVector || part.kind == PartKind::kMatrix) {
      hash.floats(part, s.floats.at(part.name));
    }
    if (part.kind != PartKind::kLinear) continue;
    const LinearWeights& w = s.linears.at(part.name);
    hash.begin_linear(part, w.form, w.act, w.group);
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
