// SPDX-License-Identifier: MIT
#include "common/model/lora_adapter.hpp"

#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "common/base/files.hpp"
#include "common/model/hf_names.hpp"
#include "common/model/json_fields.hpp"
#include "common/model/part_rows.hpp"
#include "common/model/safetensors.hpp"

namespace adit::model {
namespace {

constexpr int kRankMax = 1024;
constexpr std::size_t kPatternsMax = 4096;
constexpr std::string_view kPrefix = "base_model.model.";

// Of training only, or said by the tensors themselves.
constexpr std::array<std::string_view, 19> kHarmless{"base_model_name_or_path",
                                                     "task_type",
                                                     "target_modules",
                                                     "lora_dropout",
                                                     "inference_mode",
                                                     "revision",
                                                     "fan_in_fan_out",
                                                     "layers_to_transform",
                                                     "layers_pattern",
                                                     "exclude_modules",
                                                     "auto_mapping",
                                                     "eva_config",
                                                     "peft_version",
                                                     "megatron_core",
                                                     "runtime_config",
                                                     "qalora_group_size",
                                                     "ensure_weight_tying",
                                                     "unsloth_version",
                                                     "loftq_config"};

struct Settings {
  int rank = 0;
  double alpha = 0;
  bool rslora = false;
  std::map<std::string, double> ranks;
  std::map<std::string, double> alphas;
};

Result<std::map<std::string, double>> read_patterns(JsonFields& fields, const char* key) {
  std::map<std::string, double> out;
  const nlohmann::json* found = fields.find(key);
  if (found == nullptr) return out;
  if (!found->is_object() || found->size() > kPatternsMax) return fields.wrong(key, "an object of numbers");
  for (const auto& [pattern, value] : found->items()) {
    if (!value.is_number()) return fields.wrong(key, "an object of numbers");
    // PEFT takes these as regular expressions; names alone are what it writes itself.
    if (pattern.find_first_of("*+?()[]{}|\\$") != std::string::npos) {
      return fields.not_supported(key, "names of modules, no regular expressions");
    }
    out.emplace(pattern, value.get<double>());
  }
  return out;
}

Result<void> refuse_variants(JsonFields& fields) {
  ADIT_TRY_VOID(fields.must_be("peft_type", "LORA"));
  ADIT_TRY_VOID(fields.must_be("bias", "none"));
  for (const char* key : {"use_dora", "lora_bias", "use_qalora", "use_bdlora"}) {
    ADIT_TRY_VOID(fields.must_be(key, false));
  }
  ADIT_TRY(const auto saved, fields.texts("modules_to_save"));
  if (!saved.empty()) return fields.not_supported("modules_to_save", "none: whole modules are not replaced");
  const nlohmann::json* init = fields.find("init_lora_weights");
  if (init == nullptr || init->is_boolean()) return {};
  // The others subtract something from the base model first.
  for (const char* harmless : {"gaussian", "eva", "orthogonal"}) {
    if (*init == harmless) return {};
  }
  return fields.not_supported("init_lora_weights", "true, false, gaussian, eva or orthogonal");
}

Result<Settings> read_settings(std::string_view text, const std::string& label) {
  ADIT_TRY(JsonFields fields, JsonFields::parse(text, label + "adapter_config.json"));
  Settings out;
  ADIT_TRY_VOID(refuse_variants(fields));
  ADIT_TRY(out.rank, fields.integer("r"));
  if (out.rank < 1 || out.rank > kRankMax) return fields.wrong("r", "1..1024");
  ADIT_TRY(out.alpha, fields.number("lora_alpha"));
  ADIT_TRY(out.rslora, fields.boolean_or("use_rslora", false));
  ADIT_TRY(out.ranks, read_patterns(fields, "rank_pattern"));
  ADIT_TRY(out.alphas, read_patterns(fields, "alpha_pattern"));
  fields.harmless(kHarmless);
  ADIT_TRY_VOID(fields.finish());
  return out;
}

// The value of the pattern that is `module` or its end after a dot; "^" ties it to the beginning.
Result<double> value_for(const std::map<std::string, double>& patterns, const std::string& module,
                         double usual) {
  const double* chosen = nullptr;
  for (const auto& [pattern, value] : patterns) {
    const bool tied = pattern.starts_with('^');
    const std::string name = tied ? pattern.substr(1) : pattern;
    const bool fits = module == name || (!tied && module.ends_with("." + name));
    if (!fits) continue;
    if (chosen != nullptr && *chosen != value) {
      return invalid_argument("{}: two patterns with different values, {} and {}", module, *chosen, value);
    }
    chosen = &value;
  }
  return chosen == nullptr ? usual : *chosen;
}

class Reader {
 public:
  Reader(Settings settings, ByteView bytes, std::string label, const ModelConfig& config)
      : settings_(std::move(settings)), bytes_(bytes), label_(std::move(label)), config_(config) {}

  Result<LoraAdapter> run() {
    auto table = safetensors::File::parse(bytes_, label_);
    if (!table) return tl::unexpected<Error>(table.error());
    for (const auto& [name, tensor] : table->tensors) ADIT_TRY_VOID(take(name, tensor, table->data_offset));
    LoraAdapter out;
    for (const Part& part : model_parts(config_)) {
      if (part.kind != PartKind::kLinear || is_routed(part.role) || part.role == PartRole::kEmbedding) continue;
      const PartNames names = hf_part_names(part, config_, {});
      if (is_merged(names.order)) continue;
      const std::string weight = names.tensors[0];
      const std::string module = weight.substr(0, weight.size() - std::string_view(".weight").size());
      const auto found = modules_.find(module);
      if (found == modules_.end()) continue;
      ADIT_TRY(LoraPair pair, make_pair(part, names.order, module, found->second));
      out.pairs.push_back(std::move(pair));
      modules_.erase(found);
    }
    if (!modules_.empty()) {
      return unimplemented("{}: module {} takes no adapter in a model of family {}", label_,
                           modules_.begin()->first.substr(0, 80), config_.family);
    }
    if (out.pairs.empty()) return invalid_argument("{}: no pair of lora_A and lora_B", label_);
    return out;
  }

 private:
  struct Module {
    const StoredTensor* a = nullptr;
    const StoredTensor* b = nullptr;
  };

  static bool is_routed(PartRole role) {
    return role == PartRole::kExpertsGate || role == PartRole::kExpertsUp || role == PartRole::kExpertsDown;
  }
  static bool is_merged(RowOrder order) { return order == RowOrder::kKvBKey || order == RowOrder::kKvBValue; }

  Result<void> take(const std::string& name, const safetensors::Tensor& tensor, std::uint64_t data_offset) {
    StoredTensor out;
    out.name = name;
    out.file = label_;
    out.dimensions = static_cast<int>(tensor.shape.size());
    out.offset = data_offset + tensor.offset;
    if (tensor.dtype == safetensors::Dtype::kF32) out.type = GgufType::kF32;
    if (tensor.dtype == safetensors::Dtype::kF16) out.type = GgufType::kF16;
    if (tensor.dtype == safetensors::Dtype::kBF16) out.type = GgufType::kBF16;
    const bool is_a = name.ends_with(".lora_A.weight"), is_b = name.ends_with(".lora_B.weight");
    if (!name.starts_with(kPrefix) || !(is_a || is_b)) {
      return unimplemented("{}: offset {}: tensor {}: expected {}<module>.lora_A.weight or lora_B.weight",
                           label_, out.offset, name.substr(0, 100), kPrefix);
    }
    if (!out.type || out.dimensions != 2) {
      return unimplemented(
          "{}: offset {}: tensor {}: {} with {} dimensions, expected F32, F16 or BF16 with 2", label_,
          out.offset, name.substr(0, 100), safetensors::dtype_name(tensor.dtype), out.dimensions);
    }
    out.rows = tensor.shape[0];
    out.columns = tensor.shape[1];
    out.data = bytes_.subspan(out.offset, tensor.bytes);
    const std::size_t tail = std::string_view(".lora_A.weight").size();
    Module& module = modules_[name.substr(kPrefix.size(), name.size() - kPrefix.size() - tail)];
    const StoredTensor& kept = tensors_.emplace(name, std::move(out)).first->second;
    (is_a ? module.a : module.b) = &kept;
    return {};
  }

  Result<void> check_shape(const StoredTensor& tensor, int rows, int columns) const {
    if (tensor.rows == static_cast<std::uint64_t>(rows) &&
        tensor.columns == static_cast<std::uint64_t>(columns)) {
      return {};
    }
    return invalid_argument("{}: offset {}: tensor {}: {} x {}, expected {} x {}", label_, tensor.offset,
                            tensor.name, tensor.rows, tensor.columns, rows, columns);
  }

  Result<void> read(const StoredTensor& tensor, std::uint64_t row, float* out) const {
    const auto done = decode_row(tensor, row, out);
    if (done) return {};
    return tl::unexpected<Error>(done.error().context(
        fmt::format("{}: offset {}: tensor {}: row {}", label_, tensor.offset, tensor.name, row)));
  }

  Result<LoraPair> make_pair(const Part& part, RowOrder order, const std::string& module,
                             const Module& found) const {
    if (found.a == nullptr || found.b == nullptr) {
      return not_found("{}: module {} has no {}", label_, module, found.a == nullptr ? "lora_A" : "lora_B");
    }
    LoraPair out;
    out.part = part;
    ADIT_TRY(const double rank, value_for(settings_.ranks, module, settings_.rank));
    ADIT_TRY(const double alpha, value_for(settings_.alphas, module, settings_.alpha));
    if (!(rank >= 1 && rank <= kRankMax && rank == std::floor(rank))) {
      return invalid_argument("{}: module {}: rank {}, expected 1..{}", label_, module, rank, kRankMax);
    }
    out.rank = static_cast<int>(rank);
    out.scale = static_cast<float>(alpha / (settings_.rslora ? std::sqrt(rank) : rank));
    if (!std::isfinite(out.scale)) return invalid_argument("{}: module {}: alpha {}", label_, module, alpha);
    ADIT_TRY_VOID(check_shape(*found.a, out.rank, part.k));
    ADIT_TRY_VOID(check_shape(*found.b, part.m, out.rank));
    const auto r = static_cast<std::size_t>(out.rank), in = static_cast<std::size_t>(part.k);
    out.a.resize(r * in);
    out.b.resize(static_cast<std::size_t>(part.m) * r);
    for (std::size_t row = 0; row < r; ++row) ADIT_TRY_VOID(read(*found.a, row, out.a.data() + row * in));
    PartRows rows;
    rows.tensors = {found.b};
    rows.order = order;
    for (int row = 0; row < part.m; ++row) {
      const StoredRow at = locate(rows, part, config_, row);
      ADIT_TRY_VOID(read(*at.tensor, at.row, out.b.data() + static_cast<std::size_t>(row) * r));
    }
    return out;
  }

  Settings settings_;
  ByteView bytes_;
  std::string label_;
  const ModelConfig& config_;
  std::map<std::string, StoredTensor> tensors_;
  std::map<std::string, Module> modules_;
};

}  // namespace

Result<LoraAdapter> parse_lora(std::string_view adapter_config, ByteView tensors, const std::string& label,
                               const ModelConfig& config) {
  ADIT_TRY(Settings settings, read_settings(adapter_config, label));
  return Reader(std::move(settings), tensors, label + "adapter_model.safetensors", config).run();
}

Result<LoraAdapter> load_lora(const std::filesystem::path& folder, const ModelConfig& config) {
  ADIT_TRY(const Bytes text, read_file(folder / "adapter_config.json", limits::kConfigBytesMax));
  ADIT_TRY(const MappedFile tensors, MappedFile::open(folder / "adapter_model.safetensors"));
  return parse_lora(as_text(text), tensors.bytes(), (folder / "").string(), config);
}

}  // namespace adit::model
