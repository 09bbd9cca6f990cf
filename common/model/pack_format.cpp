// SPDX-License-Identifier: MIT
#include "common/model/pack_format.hpp"

#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

#include "common/model/pack.hpp"

namespace adit::model {
namespace {

using Json = nlohmann::json;
using kernels::ActForm;
using kernels::kGroup;
using kernels::kTileRows;
using kernels::ScaleGroup;
using kernels::WeightForm;
using safetensors::Dtype;

ByteView raw(const void* data, std::size_t bytes) {
  return {static_cast<const std::uint8_t*>(data), bytes};
}

Result<std::uint64_t> decimal_of(const Json& json, const char* key) {
  if (!json.contains(key) || !json[key].is_string()) return invalid_argument("{} is not a text", key);
  const auto& text = json[key].get_ref<const std::string&>();
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return invalid_argument("{} is not a decimal number", key);
  }
  return value;
}

Result<LinearNote> parse_note(const Json& json) {
  const bool has_storage = json.is_object() && json.contains("storage");
  const bool has_group = json.is_object() && json.contains("group");
  const std::size_t entries = std::size_t{4} + (has_storage ? 1 : 0) + (has_group ? 1 : 0);
  if (!json.is_object() || json.size() != entries || !json.contains("form") || !json.contains("act")) {
    return invalid_argument("expected form, act, abs_row_max, sq_row_max and perhaps group and storage");
  }
  LinearNote out;
  if (json["form"] == "u4") {
    out.form = WeightForm::kU4;
  } else if (json["form"] != "i8") {
    return invalid_argument("form is neither i8 nor u4");
  }
  if (json["act"] == "a8g32") {
    out.act = ActForm::kA8g32;
  } else if (json["act"] != "a16") {
    return invalid_argument("act is neither a16 nor a8g32");
  }
  if (has_group) {
    if (!json["group"].is_string()) return invalid_argument("group is not a text");
    ADIT_TRY(out.group, parse_group(json["group"].get_ref<const std::string&>()));
    if (out.group == ScaleGroup::k32) return invalid_argument("group 32, which is not written");
  }
  if (has_storage) {
    if (!json["storage"].is_string()) return invalid_argument("storage is not a text");
    ADIT_TRY(out.storage, parse_storage(json["storage"].get_ref<const std::string&>()));
    if (out.storage.storage == kernels::Storage::kDense || out.form != WeightForm::kI8) {
      return invalid_argument("a storage of {} for {}", storage_name(out.storage), json["form"].dump());
    }
  }
  ADIT_TRY(out.abs_row_max, decimal_of(json, "abs_row_max"));
  ADIT_TRY(out.sq_row_max, decimal_of(json, "sq_row_max"));
  return out;
}

}  // namespace

std::string group_name(ScaleGroup group) {
  return group == ScaleGroup::kRow ? "row" : fmt::format("{}", static_cast<int>(group));
}

Result<ScaleGroup> parse_group(std::string_view name) {
  for (const ScaleGroup group : {ScaleGroup::k32, ScaleGroup::k64, ScaleGroup::k128, ScaleGroup::kRow}) {
    if (name == group_name(group)) return group;
  }
  return invalid_argument("group {}: expected 32, 64, 128 or row", name.substr(0, 40));
}

std::vector<safetensors::Tensor> part_tensors(const Part& part, WeightForm form, ScaleGroup group) {
  const auto k = static_cast<std::uint64_t>(part.k);
  if (part.kind == PartKind::kVector) return {{part.name, Dtype::kF32, {k}}};
  if (part.kind == PartKind::kMatrix) {
    return {{part.name, Dtype::kF32, {static_cast<std::uint64_t>(part.m), k}}};
  }
  if (part.kind == PartKind::kFrequencies) return {{part.name, Dtype::kF64, {k}}};
  const std::uint64_t tiles = (static_cast<std::uint64_t>(part.m) + kTileRows - 1) / kTileRows;
  const std::uint64_t blocks = (k + kGroup - 1) / kGroup * (form == WeightForm::kU4 ? 4 : 8);
  const auto groups = static_cast<std::uint64_t>(kernels::scales_of(group, part.k));
  std::vector<safetensors::Tensor> out;
  out.push_back({part.name + ".q", Dtype::kU8, {tiles, blocks, kTileRows, 4}});
  out.push_back({part.name + ".s", Dtype::kU16, {tiles, groups, kTileRows}});
  if (form == WeightForm::kU4) out.push_back({part.name + ".o", Dtype::kI16, {tiles, groups, kTileRows}});
  out.push_back({part.name + ".rs", Dtype::kF32, {tiles * kTileRows}});
  if (part.has_bias) out.push_back({part.name + ".bias", Dtype::kF32, {tiles * kTileRows}});
  return out;
}

std::vector<safetensors::Tensor> linear_tensors(const Part& part, const LinearNote& note,
                                                std::uint64_t stored) {
  std::vector<safetensors::Tensor> out = part_tensors(part, note.form, note.group);
  if (note.storage.storage == kernels::Storage::kDense) return out;
  const std::uint64_t tiles = out.front().shape[0], vectors = out.front().shape[1];
  std::vector<safetensors::Tensor> codes;
  if (note.storage.storage == kernels::Storage::k24) {
    codes.push_back({part.name + ".values", Dtype::kU8, {tiles, vectors, 32}});
    codes.push_back({part.name + ".mask", Dtype::kU64, {tiles, vectors}});
  } else {
    codes.push_back({part.name + ".values", Dtype::kU8, {stored + kStoredTail}});
    if (note.storage.storage == kernels::Storage::kBitmask) {
      codes.push_back({part.name + ".mask", Dtype::kU64, {tiles, vectors}});
    } else {
      const auto columns = static_cast<std::uint64_t>(note.storage.block_columns);
      codes.push_back({part.name + ".rows", Dtype::kU16, {tiles, (4 * vectors + columns - 1) / columns}});
    }
    codes.push_back({part.name + ".offsets", Dtype::kU64, {tiles + 1}});
  }
  out.erase(out.begin());
  out.insert(out.begin(), codes.begin(), codes.end());
  return out;
}

std::string notes_json(const LinearNotes& notes) {
  Json json = Json::object();
  for (const auto& [name, note] : notes) {
    json[name] = {{"form", note.form == WeightForm::kU4 ? "u4" : "i8"},
                  {"act", note.act == ActForm::kA16 ? "a16" : "a8g32"},
                  {"abs_row_max", fmt::format("{:020}", note.abs_row_max)},
                  {"sq_row_max", fmt::format("{:020}", note.sq_row_max)}};
    if (note.group != ScaleGroup::k32) json[name]["group"] = group_name(note.group);
    if (note.storage.storage != kernels::Storage::kDense) json[name]["storage"] = storage_name(note.storage);
  }
  return json.dump();
}

Result<LinearNotes> parse_notes(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return invalid_argument("linears: not a JSON object");
  LinearNotes out;
  for (const auto& [name, value] : json.items()) {
    auto note = parse_note(value);
    if (!note) return tl::unexpected<Error>(note.error().context("linears: " + name.substr(0, 80)));
    out.emplace(name, *note);
  }
  return out;
}

ContentHash::ContentHash(std::string_view config_json, std::string_view tokenizer,
                         std::string_view chat_template)
    : hash_("adit1.pack") {
  Bytes version;
  append_le(version, static_cast<std::uint32_t>(kPackVersion));
  hash_.update(version);
  text(config_json);
  text(tokenizer);
  text(chat_template);
}

void ContentHash::text(std::string_view value) {
  Bytes length;
  append_le(length, static_cast<std::uint64_t>(value.size()));
  hash_.update(length).update(as_bytes(value));
}

void ContentHash::head(const Part& part) {
  text(part.name);
  Bytes head;
  append_le(head, static_cast<std::uint8_t>(part.kind));
  append_le(head, static_cast<std::uint64_t>(part.m));
  append_le(head, static_cast<std::uint64_t>(part.k));
  hash_.update(head);
  k_ = static_cast<std::size_t>(part.k);
}

void ContentHash::begin_linear(const Part& part, WeightForm form, ActForm act, ScaleGroup group) {
  head(part);
  offsets_ = form == WeightForm::kU4;
  biases_ = part.has_bias;
  // Group size, then flags: bit 1 a bias. (Bit 0 is for a sparsity mask of its own.)
  const auto flags = static_cast<std::uint8_t>(part.has_bias ? 2 : 0);
  const Bytes forms{static_cast<std::uint8_t>(form), static_cast<std::uint8_t>(act),
                    static_cast<std::uint8_t>(group), flags};
  hash_.update(forms);
}

void ContentHash::linear_row(const RowCodes& row) {
  hash_.update(raw(row.q.data(), k_));
  hash_.update(raw(row.s.data(), row.s.size() * 2));
  if (offsets_) hash_.update(raw(row.o.data(), row.o.size() * 2));
  hash_.update(raw(&row.rs, 4));
  if (biases_) hash_.update(raw(&row.bias, 4));
}

void ContentHash::floats(const Part& part, const float* values) {
  head(part);
  hash_.update(raw(values, static_cast<std::size_t>(part.m) * k_ * 4));
}

void ContentHash::frequencies(const Part& part, const double* values) {
  head(part);
  hash_.update(raw(values, k_ * 8));
}

}  // namespace adit::model
