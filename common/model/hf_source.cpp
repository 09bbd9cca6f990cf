// SPDX-License-Identifier: MIT
#include "common/model/hf_source.hpp"

#include <map>
#include <set>
#include <utility>

#include "common/base/files.hpp"
#include "common/model/hf_model.hpp"
#include "common/model/hf_names.hpp"
#include "common/model/hf_tokenizer.hpp"
#include "common/model/json_fields.hpp"
#include "common/model/safetensors.hpp"
#include "common/model/stored_source.hpp"

namespace adit::model {
namespace {

using safetensors::Dtype;

constexpr std::uint64_t kIndexBytesMax = 64u << 20;
constexpr std::size_t kShardsMax = 4096;
constexpr std::string_view kScaleSuffix = "_scale_inv";

std::optional<GgufType> type_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF32:
      return GgufType::kF32;
    case Dtype::kF16:
      return GgufType::kF16;
    case Dtype::kBF16:
      return GgufType::kBF16;
    default:
      return std::nullopt;
  }
}

struct Shard {
  std::string label;
  MappedFile file;
  safetensors::File table;
};

// Tensor name -> shard's file name; empty if the folder has one file.
using Index = std::map<std::string, std::string>;

Result<Index> read_index(const std::filesystem::path& path) {
  ADIT_TRY(JsonFields fields, JsonFields::open(path, kIndexBytesMax));
  const nlohmann::json* map = fields.find("weight_map");
  if (map == nullptr || !map->is_object() || map->empty()) {
    return invalid_argument("{}: key weight_map is not an object of names", path.string());
  }
  Index out;
  for (const auto& [tensor, file] : map->items()) {
    const std::string name = file.is_string() ? file.get<std::string>() : std::string();
    // Beside the index, nowhere else.
    if (!name.ends_with(".safetensors") || name.find('/') != std::string::npos) {
      return invalid_argument("{}: key weight_map: tensor {}: not the name of a .safetensors file",
                              path.string(), tensor.substr(0, 80));
    }
    out.emplace(tensor, name);
  }
  return out;
}

class HfSource final : public StoredSource {
 public:
  HfSource(const std::filesystem::path& folder, ModelConfig config)
      : StoredSource(folder.string(), std::move(config)), folder_(folder) {}

  Result<TokenizerParts> tokenizer() const override;
  Result<std::string> chat_template() const override { return chat_template_from_hf(folder_); }

  Result<void> open() {
    ADIT_TRY_VOID(open_shards());
    ADIT_TRY_VOID(join_scales());
    int noted = -1;
    ADIT_TRY_VOID(fill([&](const Part& part) { return hf_part_names(part, config_, stored_); },
                       [&](const std::string& name) { return is_spare(name, noted); }));
    follow_tokenizer();
    return {};
  }

 private:
  Result<void> open_shards();
  Result<void> open_shard(const std::string& name, const Index& index);
  Result<void> join_scales();
  bool is_spare(const std::string& name, int& noted);

  std::filesystem::path folder_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

Result<void> HfSource::open_shards() {
  const auto index_path = folder_ / "model.safetensors.index.json";
  std::error_code ignored;
  if (!std::filesystem::exists(index_path, ignored)) {
    if (std::filesystem::exists(folder_ / "model.safetensors", ignored)) {
      return open_shard("model.safetensors", {});
    }
    return not_found("{}: neither model.safetensors nor model.safetensors.index.json", label_);
  }
  ADIT_TRY(const Index index, read_index(index_path));
  std::set<std::string> names;
  for (const auto& [tensor, file] : index) names.insert(file);
  if (names.size() > kShardsMax) {
    return invalid_argument("{}: {} files, expected at most {}", index_path.string(), names.size(),
                            kShardsMax);
  }
  for (const std::string& name : names) ADIT_TRY_VOID(open_shard(name, index));
  for (const auto& [tensor, file] : index) {
    if (stored_.find(tensor) != nullptr) continue;
    return not_found("{}: tensor {} is not in {}, where {} says it is", label_, tensor.substr(0, 80), file,
                     index_path.filename().string());
  }
  return {};
}

Result<void> HfSource::open_shard(const std::string& name, const Index& index) {
  const std::filesystem::path path = folder_ / name;
  ADIT_TRY(MappedFile file, MappedFile::open(path));
  auto table = safetensors::File::parse(file.bytes(), path.string());
  if (!table) return tl::unexpected<Error>(table.error());
  shards_.push_back(std::make_unique<Shard>(Shard{path.string(), std::move(file), *std::move(table)}));
  const Shard& shard = *shards_.back();
  for (const auto& [tensor_name, tensor] : shard.table.tensors) {
    const auto listed = index.find(tensor_name);
    if (!index.empty() && (listed == index.end() || listed->second != name)) {
      return invalid_argument("{}: tensor {}: the index does not say that it is here", shard.label,
                              tensor_name.substr(0, 80));
    }
    StoredTensor out;
    out.name = tensor_name;
    out.type = type_of(tensor.dtype);
    out.is_f8 = tensor.dtype == Dtype::kF8E4M3;
    out.type_name = safetensors::dtype_name(tensor.dtype);
    out.dimensions = static_cast<int>(tensor.shape.size());
    for (const std::uint64_t dim : tensor.shape) out.rows *= dim;
    if (!tensor.shape.empty()) out.columns = tensor.shape.back();
    out.rows /= out.columns;
    out.offset = shard.table.data_offset + tensor.offset;
    out.data = shard.file.bytes().subspan(out.offset, tensor.bytes);
    out.file = shard.label;
    if (!stored_.add(std::move(out))) {
      return invalid_argument("{}: tensor {}: in two files", shard.label, tensor_name.substr(0, 80));
    }
  }
  return {};
}

// F8 weights find their scales.
Result<void> HfSource::join_scales() {
  for (const std::string& name : stored_.names()) {
    StoredTensor* tensor = stored_.find(name);
    if (!tensor->is_f8) continue;
    const StoredTensor* scales = stored_.find(name + std::string(kScaleSuffix));
    if (scales == nullptr) continue;
    const std::uint64_t rows = (tensor->rows + 127) / 128, columns = (tensor->columns + 127) / 128;
    if (scales->type != GgufType::kF32 || scales->rows != rows || scales->columns != columns) {
      return invalid_argument("{}: offset {}: tensor {}: {} of {} x {}, expected F32 of {} x {}",
                              scales->file, scales->offset, scales->name, scales->type_name, scales->rows,
                              scales->columns, rows, columns);
    }
    tensor->scales = scales;
  }
  return {};
}

bool HfSource::is_spare(const std::string& name, int& noted) {
  const int layer = layer_in_name(name, "model.layers.");
  if (config_.is_mla() && layer >= config_.layers) {
    if (layer != noted) notes_.push_back(fmt::format("layers.{}: multi-token prediction, ignored", layer));
    noted = layer;
    return true;
  }
  // Tables that follow from the configuration.
  if (name.ends_with("rotary_emb.inv_freq")) return true;
  if (name == "lm_head.weight" && config_.tied_head) {
    notes_.push_back("lm_head.weight: the head is the embedding matrix, ignored");
    return true;
  }
  if (!name.ends_with(kScaleSuffix)) return false;
  const StoredTensor* weight =
      stored_.find(std::string_view(name).substr(0, name.size() - kScaleSuffix.size()));
  return weight != nullptr && weight->is_f8;
}

Result<TokenizerParts> HfSource::tokenizer() const {
  ADIT_TRY(TokenizerParts parts, tokenizer_from_hf(folder_));
  // Embeddings are often rounded up to a multiple: rows that no token has.
  const auto vocab = static_cast<std::size_t>(config_.vocab);
  while (parts.tokens.size() < vocab) {
    parts.tokens.push_back(fmt::format("[PAD{}]", parts.tokens.size()));
    parts.types.push_back(kTokenUnused);
  }
  if (!parts.ranks.empty()) parts.ranks.resize(parts.tokens.size(), -1);
  return parts;
}

}  // namespace

Result<std::unique_ptr<WeightSource>> hf_source(const std::filesystem::path& folder) {
  ADIT_TRY(ModelConfig config, config_from_hf(folder));
  auto source = std::make_unique<HfSource>(folder, std::move(config));
  ADIT_TRY_VOID(source->open());
  return std::unique_ptr<WeightSource>(std::move(source));
}

}  // namespace adit::model
