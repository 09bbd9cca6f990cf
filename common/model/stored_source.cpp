// SPDX-License-Identifier: MIT
#include "common/model/stored_source.hpp"

#include <charconv>
#include <unordered_set>

namespace adit::model {
namespace {

Bytes& as_floats(Bytes& scratch, std::size_t count) {
  scratch.resize(count * 4);
  return scratch;
}

}  // namespace

int layer_in_name(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return -1;
  name.remove_prefix(prefix.size());
  int layer = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), layer);
  if (error != std::errc() || end == name.data() + name.size() || *end != '.') return -1;
  return layer;
}

Result<void> StoredSource::fill(const NamesOf& names_of, const Spare& is_spare) {
  const std::vector<Part> parts = model_parts(config_);
  std::vector<PartNames> names;
  std::unordered_set<std::string_view> used;
  names.reserve(parts.size());
  for (const Part& part : parts) {
    names.push_back(part.kind == PartKind::kFrequencies ? PartNames{} : names_of(part));
    used.insert(names.back().tensors.begin(), names.back().tensors.end());
    if (part.has_bias) used.insert(names.back().bias);
  }
  for (const std::string& name : stored_.names()) {
    if (used.contains(name) || is_spare(name)) continue;
    const StoredTensor* tensor = stored_.find(name);
    return unimplemented("{}: offset {}: tensor {} has no place in family {}", tensor->file, tensor->offset,
                         name.substr(0, 80), config_.family);
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].kind == PartKind::kFrequencies) continue;
    ADIT_TRY(PartRows rows, find_part(parts[i], config_, names[i], stored_, label_));
    parts_.emplace(parts[i].name, std::move(rows));
  }
  return {};
}

void StoredSource::follow_tokenizer() {
  const auto parts = tokenizer();
  if (!parts) return;
  config_.add_bos = parts->add_bos;
  if (parts->bos >= 0 && parts->bos < config_.vocab) config_.bos = parts->bos;
}

Result<const PartRows*> StoredSource::rows_of(const Part& part) const {
  const auto found = parts_.find(part.name);
  if (found == parts_.end()) return not_found("{}: no part {}", label_, part.name);
  return &found->second;
}

Result<PartStorage> StoredSource::storage(const Part& part) const {
  ADIT_TRY(const PartRows* rows, rows_of(part));
  PartStorage out;
  if (!rows->is_converted) out.type = *rows->tensors[0]->type;
  for (const StoredTensor* tensor : rows->tensors) out.bytes += tensor->data.size();
  const bool is_shared = rows->order >= RowOrder::kKvBValue;
  if (is_shared) out.bytes /= 2;
  return out;
}

Result<ByteView> StoredSource::row(const Part& part, int row, Bytes& scratch) const {
  ADIT_TRY(const PartRows* rows, rows_of(part));
  const StoredRow at = locate(*rows, part, config_, row);
  if (!rows->is_converted) return at.tensor->row(at.row);
  const auto columns = static_cast<std::size_t>(part.k);
  as_floats(scratch, columns);
  if (rows->order == RowOrder::kKvBKey) {
    ADIT_TRY(const auto head, key_head(at));
    const auto in_head = static_cast<std::size_t>(row % config_.mla.kv_rank);
    std::memcpy(scratch.data(), head->values.data() + in_head * columns, columns * 4);
    return ByteView(scratch);
  }
  std::vector<float> values(columns);
  ADIT_TRY_VOID(decode_row(*at.tensor, at.row, values.data()));
  std::memcpy(scratch.data(), values.data(), columns * 4);
  return ByteView(scratch);
}

Result<std::shared_ptr<const StoredSource::KeyHead>> StoredSource::key_head(const StoredRow& at) const {
  const std::lock_guard lock(mutex_);
  for (const auto& head : key_heads_) {
    if (head && head->tensor == at.tensor && head->first_row == at.row) return head;
  }
  const auto nope = static_cast<std::size_t>(config_.mla.nope_dim);
  const auto rank = static_cast<std::size_t>(config_.mla.kv_rank);
  auto head = std::make_shared<KeyHead>();
  head->tensor = at.tensor;
  head->first_row = at.row;
  head->values.resize(rank * nope);
  std::vector<float> line(rank);
  for (std::size_t n = 0; n < nope; ++n) {
    ADIT_TRY_VOID(decode_row(*at.tensor, at.row + n, line.data()));
    for (std::size_t r = 0; r < rank; ++r) head->values[r * nope + n] = line[r];
  }
  key_heads_[key_head_next_] = head;
  key_head_next_ = (key_head_next_ + 1) % key_heads_.size();
  return std::shared_ptr<const KeyHead>(std::move(head));
}

Result<void> StoredSource::bias(const Part& part, float* out) const {
  ADIT_TRY(const PartRows* rows, rows_of(part));
  if (rows->bias == nullptr) return not_found("{}: {} has no bias", label_, part.name);
  std::vector<float> values(static_cast<std::size_t>(part.m));
  const auto done = decode_row(*rows->bias, 0, values.data());
  if (!done) {
    return tl::unexpected<Error>(done.error().context(
        fmt::format("{}: offset {}: tensor {}", rows->bias->file, rows->bias->offset, rows->bias->name)));
  }
  for (int row = 0; row < part.m; ++row) {
    out[row] = values[static_cast<std::size_t>(locate(*rows, part, config_, row).row)];
  }
  return {};
}

std::string StoredSource::place(const Part& part, int row) const {
  const auto rows = rows_of(part);
  if (!rows) return part.name;
  const StoredRow at = locate(**rows, part, config_, row);
  const StoredTensor& tensor = *at.tensor;
  const std::string file = tensor.file == label_ ? "" : fmt::format("{}: ", tensor.file);
  return fmt::format("{}offset {}: tensor {}: row {}", file,
                     tensor.offset + at.row * (tensor.data.size() / tensor.rows), tensor.name, at.row);
}

}  // namespace adit::model
