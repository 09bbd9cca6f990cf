// SPDX-License-Identifier: MIT
// Weights from a GGUF file.
#include <algorithm>
#include <unordered_set>
#include <utility>

#include <fmt/ranges.h>

#include "common/model/gguf_blocks.hpp"
#include "common/model/gguf_model.hpp"
#include "common/model/weight_source.hpp"

namespace adit::model {
namespace {

// llama.cpp's names of the parts.
std::string tensor_name(const Part& part) {
  const auto in_layer = [&](const char* name) { return fmt::format("blk.{}.{}.weight", part.layer, name); };
  switch (part.role) {
    case PartRole::kEmbedding: return "token_embd.weight";
    case PartRole::kFinalNorm: return "output_norm.weight";
    case PartRole::kHead: return "output.weight";
    case PartRole::kAttnNorm: return in_layer("attn_norm");
    case PartRole::kAttnQ: return in_layer("attn_q");
    case PartRole::kAttnK: return in_layer("attn_k");
    case PartRole::kAttnV: return in_layer("attn_v");
    case PartRole::kAttnO: return in_layer("attn_output");
    case PartRole::kFfnNorm: return in_layer("ffn_norm");
    case PartRole::kFfnGate: return in_layer("ffn_gate");
    case PartRole::kFfnUp: return in_layer("ffn_up");
    case PartRole::kFfnDown: return in_layer("ffn_down");
    default: return in_layer(role_name(part.role));
  }
}

class GgufSource final : public WeightSource {
 public:
  GgufSource(const Gguf& gguf, ModelConfig config) : gguf_(gguf), config_(std::move(config)) {}
  // Owns the file.
  GgufSource(std::unique_ptr<Gguf> file, ModelConfig config)
      : file_(std::move(file)), gguf_(*file_), config_(std::move(config)) {}

  const std::string& label() const override { return gguf_.label(); }
  const ModelConfig& config() const override { return config_; }
  const std::vector<std::string>& notes() const override { return notes_; }
  Result<TokenizerParts> tokenizer() const override { return tokenizer_from_gguf(gguf_); }
  Result<std::string> chat_template() const override { return chat_template_from_gguf(gguf_); }

  Result<PartStorage> storage(const Part& part) const override {
    ADIT_TRY(const GgufTensor* tensor, tensor_of(part));
    return PartStorage{static_cast<GgufType>(tensor->type), tensor->bytes};
  }

  Result<ByteView> row(const Part& part, int row, Bytes& scratch) const override {
    static_cast<void>(scratch);
    ADIT_TRY(const GgufTensor* tensor, tensor_of(part));
    return gguf_.row_bytes(*tensor, source_row(part, row));
  }

  Result<void> bias(const Part& part, float* out) const override {
    static_cast<void>(out);
    return unimplemented("{}: biases of {}", label(), part.name);
  }

  std::string place(const Part& part, int row) const override {
    const GgufTensor* tensor = gguf_.find_tensor(tensor_name(part));
    if (tensor == nullptr) return part.name;
    const std::uint64_t at = source_row(part, row);
    return fmt::format("offset {}: tensor {}: row {}", tensor->offset + at * (tensor->bytes / tensor->rows),
                       tensor->name, at);
  }

  // Every part is there, and every tensor is a part.
  Result<void> check() const {
    std::unordered_set<std::string> known;
    const std::vector<Part> parts = model_parts(config_);
    for (const Part& part : parts) known.insert(tensor_name(part));
    for (const GgufTensor& tensor : gguf_.tensors()) {
      if (known.contains(tensor.name)) continue;
      return unimplemented("{}: offset {}: tensor {} has no place in family {}", label(), tensor.offset,
                           tensor.name.substr(0, 80), config_.family);
    }
    for (const Part& part : parts) {
      if (part.kind != PartKind::kFrequencies) ADIT_TRY_VOID(tensor_of(part));
    }
    return {};
  }

 private:
  Result<const GgufTensor*> tensor_of(const Part& part) const {
    ADIT_TRY(const GgufTensor* tensor, gguf_.tensor(tensor_name(part)));
    const std::uint64_t dims = part.kind == PartKind::kVector ? 1 : 2;
    if (tensor->dims.size() != dims || tensor->dims[0] != static_cast<std::uint64_t>(part.k) ||
        tensor->rows != static_cast<std::uint64_t>(part.m)) {
      return invalid_argument("{}: offset {}: tensor {}: dimensions [{}], expected {} columns and {} rows",
                              label(), tensor->offset, tensor->name, fmt::join(tensor->dims, ", "), part.k,
                              part.m);
    }
    if (!gguf_is_read(tensor->type)) {
      return unimplemented(
          "{}: offset {}: tensor {}: type {} is not read, expected F32, F16, Q8_0, Q4_0 or Q4_1", label(),
          tensor->offset, tensor->name, gguf_type_info(tensor->type)->name);
    }
    return tensor;
  }

  // llama.cpp interleaves the halves of each q and k head of the llama architecture.
  std::uint64_t source_row(const Part& part, int row) const {
    const bool interleaved =
        config_.family == "llama" && (part.role == PartRole::kAttnQ || part.role == PartRole::kAttnK);
    if (!interleaved) return static_cast<std::uint64_t>(row);
    const int half = config_.head_dim / 2;
    const int in_head = row % config_.head_dim;
    return static_cast<std::uint64_t>(row - in_head + 2 * (in_head % half) + in_head / half);
  }

  std::unique_ptr<Gguf> file_;
  const Gguf& gguf_;
  ModelConfig config_;
  std::vector<std::string> notes_;
};

}  // namespace

Result<std::unique_ptr<WeightSource>> gguf_source(const Gguf& gguf) {
  ADIT_TRY(ModelConfig config, config_from_gguf(gguf));
  auto source = std::make_unique<GgufSource>(gguf, std::move(config));
  ADIT_TRY_VOID(source->check());
  return std::unique_ptr<WeightSource>(std::move(source));
}

Result<std::unique_ptr<WeightSource>> open_weights(const std::filesystem::path& path) {
  ADIT_TRY(Gguf file, Gguf::open(path));
  ADIT_TRY(ModelConfig config, config_from_gguf(file));
  auto source = std::make_unique<GgufSource>(std::make_unique<Gguf>(std::move(file)), std::move(config));
  ADIT_TRY_VOID(source->check());
  return std::unique_ptr<WeightSource>(std::move(source));
}

Result<void> read_rows(const WeightSource& source, const Part& part, int begin, int count, float* out) {
  ADIT_TRY(const PartStorage storage, source.storage(part));
  Bytes scratch;
  for (int row = begin; row < begin + count; ++row) {
    ADIT_TRY(const ByteView bytes, source.row(part, row, scratch));
    const auto done = gguf_decode_row(storage.type, bytes, static_cast<std::uint64_t>(part.k), out);
    if (!done) {
      return tl::unexpected<Error>(
          done.error().context(fmt::format("{}: {}", source.label(), source.place(part, row))));
    }
    out += part.k;
  }
  return {};
}

}  // namespace adit::model
