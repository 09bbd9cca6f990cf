// SPDX-License-Identifier: MIT
#include "common/model/expert_prune.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "common/base/check.hpp"

namespace adit::model {
namespace {

std::size_t z(int value) { return static_cast<std::size_t>(value); }

class KeptSource final : public WeightSource {
 public:
  KeptSource(const WeightSource& source, ModelConfig config, KeptExperts kept)
      : source_(source), config_(std::move(config)), kept_(std::move(kept)), notes_(source.notes()) {
    for (Part& part : model_parts(source.config())) parts_.emplace(part.name, part);
    notes_.push_back(fmt::format("{} of {} experts are kept in each layer of experts", config_.moe.experts,
                                 source.config().moe.experts));
  }
  const std::string& label() const override { return source_.label(); }
  const ModelConfig& config() const override { return config_; }
  const std::vector<std::string>& notes() const override { return notes_; }
  Result<TokenizerParts> tokenizer() const override { return source_.tokenizer(); }
  Result<std::string> chat_template() const override { return source_.chat_template(); }

  Result<PartStorage> storage(const Part& part) const override {
    const Part& whole = parts_.at(part.name);
    ADIT_TRY(PartStorage out, source_.storage(whole));
    if (part.role == PartRole::kRouterBias) return PartStorage{GgufType::kF32, 4 * std::uint64_t{z(part.k)}};
    if (part.m != whole.m) {
      out.bytes = out.bytes / z(source_.config().moe.experts) * z(config_.moe.experts);
    }
    return out;
  }
  Result<ByteView> row(const Part& part, int row, Bytes& scratch) const override {
    const Part& whole = parts_.at(part.name);
    if (part.role != PartRole::kRouterBias) return source_.row(whole, row_of(part, row), scratch);
    std::vector<float> values(z(whole.k));
    ADIT_TRY_VOID(read_rows(source_, whole, 0, 1, values.data()));
    scratch.resize(4 * z(part.k));
    for (int i = 0; i < part.k; ++i) {
      std::memcpy(scratch.data() + 4 * z(i), &values[z(kept_[z(part.layer)][z(i)])], 4);
    }
    return ByteView(scratch);
  }
  Result<void> bias(const Part& part, float* out) const override {
    return source_.bias(parts_.at(part.name), out);
  }
  std::string place(const Part& part, int row) const override {
    return source_.place(parts_.at(part.name), part.role == PartRole::kRouterBias ? row : row_of(part, row));
  }

 private:
  // Where a row stands in the source.
  [[nodiscard]] int row_of(const Part& part, int row) const {
    int of_one = 0;
    switch (part.role) {
      case PartRole::kRouter: of_one = 1; break;
      case PartRole::kExpertsGate:
      case PartRole::kExpertsUp: of_one = config_.moe.ffn; break;
      case PartRole::kExpertsDown: of_one = config_.hidden; break;
      default: return row;
    }
    return kept_[z(part.layer)][z(row / of_one)] * of_one + row % of_one;
  }

  const WeightSource& source_;
  ModelConfig config_;
  KeptExperts kept_;
  std::vector<std::string> notes_;
  std::unordered_map<std::string, Part> parts_;
};

}  // namespace

ExpertSaliency::ExpertSaliency(const ModelConfig& config)
    : experts_(config.moe.experts), hidden_(config.hidden), seen_(z(config.layers) * z(config.moe.experts)) {}

void ExpertSaliency::add(int layer, int expert, double weight, const float* y) {
  double square = 0;
  for (int i = 0; i < hidden_; ++i) square += static_cast<double>(y[i]) * static_cast<double>(y[i]);
  Seen& seen = seen_[z(layer) * z(experts_) + z(expert)];
  seen.sum += weight * std::sqrt(square);
  ++seen.tokens;
}

const ExpertSaliency::Seen& ExpertSaliency::at(int layer, int expert) const {
  return seen_[z(layer) * z(experts_) + z(expert)];
}

double ExpertSaliency::of(int layer, int expert) const {
  const Seen& seen = at(layer, expert);
  return seen.tokens == 0 ? 0 : seen.sum / static_cast<double>(seen.tokens);
}

std::uint64_t ExpertSaliency::tokens(int layer, int expert) const { return at(layer, expert).tokens; }

Result<ModelConfig> with_experts(const ModelConfig& config, int keep) {
  const MoeShape& moe = config.moe;
  if (moe.experts == 0) {
    return invalid_argument("{} experts to keep, but a {} model has none", keep, config.family);
  }
  if (keep < 1 || keep >= moe.experts) {
    return invalid_argument("{} experts to keep, expected 1..{}: the model has {}", keep, moe.experts - 1,
                            moe.experts);
  }
  if (keep % moe.groups != 0) {
    return invalid_argument("{} experts to keep, expected a multiple of {}: the router chooses among {} groups of {}",
                            keep, moe.groups, moe.groups, moe.experts / moe.groups);
  }
  const int of_group = keep / moe.groups;
  if (of_group * moe.groups_per_token < moe.per_token) {
    return invalid_argument("{} experts to keep: {} in the {} groups that a token may use, which uses {}", keep,
                            of_group * moe.groups_per_token, moe.groups_per_token, moe.per_token);
  }
  if (of_group < moe.group_top) {
    return invalid_argument("{} experts to keep: {} in a group, which is judged by its best {}", keep, of_group,
                            moe.group_top);
  }
  ModelConfig out = config;
  out.moe.experts = keep;
  ADIT_TRY_VOID(check_config(out));
  return out;
}

Result<KeptExperts> choose_experts(const ModelConfig& config, const ExpertSaliency& saliency, int keep) {
  ADIT_TRY_VOID(with_experts(config, keep));
  const int groups = config.moe.groups, size = config.moe.experts / groups;
  KeptExperts out(z(config.layers));
  for (int layer = 0; layer < config.layers; ++layer) {
    if (!config.is_moe(layer)) continue;
    std::vector<int>& kept = out[z(layer)];
    for (int group = 0; group < groups; ++group) {
      std::vector<int> members(z(size));
      std::iota(members.begin(), members.end(), group * size);
      std::stable_sort(members.begin(), members.end(),
                       [&](int a, int b) { return saliency.of(layer, a) > saliency.of(layer, b); });
      kept.insert(kept.end(), members.begin(), members.begin() + keep / groups);
    }
    std::sort(kept.begin(), kept.end());
  }
  return out;
}

Result<std::unique_ptr<WeightSource>> keep_experts(const WeightSource& source, KeptExperts kept) {
  const ModelConfig& from = source.config();
  const auto layer = std::find_if(kept.begin(), kept.end(), [](const auto& experts) { return !experts.empty(); });
  ADIT_CHECK(kept.size() == z(from.layers));
  ADIT_TRY(ModelConfig config, with_experts(from, layer == kept.end() ? 0 : static_cast<int>(layer->size())));
  for (int i = 0; i < from.layers; ++i) {
    const std::vector<int>& experts = kept[z(i)];
    ADIT_CHECK(experts.size() == (from.is_moe(i) ? z(config.moe.experts) : 0));
    ADIT_CHECK(experts.empty() || (experts.front() >= 0 && experts.back() < from.moe.experts));
    ADIT_CHECK(std::is_sorted(experts.begin(), experts.end()));
  }
  return std::make_unique<KeptSource>(source, std::move(config), std::move(kept));
}

}  // namespace adit::model
