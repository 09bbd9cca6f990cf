// SPDX-License-Identifier: MIT
#include "common/model/gguf_source.hpp"

#include <string>
#include <utility>

#include "common/base/limits.hpp"
#include "common/model/gguf_blocks.hpp"
#include "common/model/gguf_model.hpp"
#include "common/model/gguf_names.hpp"
#include "common/model/stored_source.hpp"

namespace adit::model {
namespace {

constexpr std::uint64_t kSplitFilesMax = 4096;

class GgufSource final : public StoredSource {
 public:
  GgufSource(std::vector<const Gguf*> files, std::vector<std::unique_ptr<Gguf>> owned, ModelConfig config)
      : StoredSource(files[0]->label(), std::move(config)),
        owned_(std::move(owned)),
        files_(std::move(files)) {}

  Result<TokenizerParts> tokenizer() const override { return tokenizer_from_gguf(*files_[0]); }
  Result<std::string> chat_template() const override { return chat_template_from_gguf(*files_[0]); }

  Result<void> open() {
    for (const Gguf* file : files_) {
      for (const GgufTensor& tensor : file->tensors()) ADIT_TRY_VOID(add(*file, tensor));
    }
    const bool has_kv_b = stored_.find("blk.0.attn_k_b.weight") == nullptr;
    const bool has_nextn =
        files_[0]->has("deepseek2.nextn_predict_layers") || files_[0]->has("deepseek32.nextn_predict_layers");
    int noted = -1;
    ADIT_TRY_VOID(fill([&](const Part& part) { return gguf_part_names(part, config_, stored_); },
                       [&](const std::string& name) {
                         const int layer = layer_in_name(name, "blk.");
                         if (has_nextn && layer >= config_.layers) {
                           note_layer(layer, noted);
                           return true;
                         }
                         // The same numbers a second time, or read with the configuration.
                         return name == "rope_freqs.weight" ||
                                (!has_kv_b && name.ends_with(".attn_kv_b.weight"));
                       }));
    follow_tokenizer();
    return {};
  }

 private:
  Result<void> add(const Gguf& file, const GgufTensor& tensor) {
    StoredTensor out;
    out.name = tensor.name;
    if (gguf_is_read(tensor.type)) out.type = static_cast<GgufType>(tensor.type);
    out.type_name = gguf_type_info(tensor.type)->name;
    out.dimensions = static_cast<int>(tensor.dims.size());
    out.rows = tensor.rows;
    out.columns = tensor.dims[0];
    out.data = file.data(tensor);
    out.file = file.label();
    out.offset = tensor.offset;
    if (stored_.add(std::move(out))) return {};
    return invalid_argument("{}: offset {}: tensor {}: appears twice", file.label(), tensor.offset,
                            tensor.name.substr(0, 80));
  }

  void note_layer(int layer, int& noted) {
    if (layer != noted) notes_.push_back(fmt::format("layers.{}: multi-token prediction, ignored", layer));
    noted = layer;
  }

  std::vector<std::unique_ptr<Gguf>> owned_;
  std::vector<const Gguf*> files_;
};

Result<std::unique_ptr<WeightSource>> make_source(std::vector<const Gguf*> files,
                                                  std::vector<std::unique_ptr<Gguf>> owned) {
  ADIT_TRY(ModelConfig config, config_from_gguf(files));
  auto source = std::make_unique<GgufSource>(std::move(files), std::move(owned), std::move(config));
  ADIT_TRY_VOID(source->open());
  return std::unique_ptr<WeightSource>(std::move(source));
}

// The path of file `number` (from 1) of `count`, if `first` is named as the first of them.
Result<std::filesystem::path> split_path(const std::filesystem::path& first, std::uint64_t number,
                                         std::uint64_t count) {
  const std::string name = first.filename().string();
  const std::string tail = fmt::format("-00001-of-{:05}.gguf", count);
  if (!name.ends_with(tail)) {
    return invalid_argument("{}: the first of {} files, expected a name that ends in {}", first.string(),
                            count, tail);
  }
  const std::string stem = name.substr(0, name.size() - tail.size());
  return first.parent_path() / fmt::format("{}-{:05}-of-{:05}.gguf", stem, number, count);
}

Result<std::uint64_t> unsigned_or(const Gguf& file, const char* key, std::uint64_t absent) {
  return file.has(key) ? file.unsigned_at(key) : Result<std::uint64_t>(absent);
}

Result<void> check_split(const Gguf& file, std::uint64_t number, std::uint64_t count) {
  ADIT_TRY(const std::uint64_t of, unsigned_or(file, "split.count", 1));
  ADIT_TRY(const std::uint64_t at, unsigned_or(file, "split.no", 0));
  if (of == count && at + 1 == number) return {};
  return invalid_argument("{}: keys split.no {} and split.count {}, expected {} and {}", file.label(), at, of,
                          number - 1, count);
}

}  // namespace

Result<std::vector<std::unique_ptr<Gguf>>> open_gguf_files(const std::filesystem::path& path) {
  std::vector<std::unique_ptr<Gguf>> files;
  ADIT_TRY(Gguf first, Gguf::open(path));
  files.push_back(std::make_unique<Gguf>(std::move(first)));
  ADIT_TRY(const std::uint64_t count, unsigned_or(*files[0], "split.count", 1));
  if (count <= 1) return files;
  if (count > kSplitFilesMax) {
    return invalid_argument("{}: key split.count: {}, expected at most {}", path.string(), count,
                            kSplitFilesMax);
  }
  ADIT_TRY_VOID(check_split(*files[0], 1, count));
  std::uint64_t tensors = files[0]->tensors().size();
  for (std::uint64_t number = 2; number <= count; ++number) {
    ADIT_TRY(const auto name, split_path(path, number, count));
    ADIT_TRY(Gguf next, Gguf::open(name));
    ADIT_TRY_VOID(check_split(next, number, count));
    tensors += next.tensors().size();
    files.push_back(std::make_unique<Gguf>(std::move(next)));
  }
  ADIT_TRY(const std::uint64_t expected, unsigned_or(*files[0], "split.tensors.count", tensors));
  if (tensors == expected && tensors <= limits::kTensorCountMax) return files;
  return invalid_argument("{}: key split.tensors.count: {}, but the files have {} tensors (at most {})",
                          path.string(), expected, tensors, limits::kTensorCountMax);
}

Result<std::unique_ptr<WeightSource>> gguf_source(const Gguf& gguf) {
  return make_source({&gguf}, {});
}

Result<std::unique_ptr<WeightSource>> open_gguf_source(const std::filesystem::path& path) {
  ADIT_TRY(auto owned, open_gguf_files(path));
  std::vector<const Gguf*> files;
  for (const auto& file : owned) files.push_back(file.get());
  return make_source(std::move(files), std::move(owned));
}

}  // namespace adit::model
