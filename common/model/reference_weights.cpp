// SPDX-License-Identifier: MIT
#include "common/model/reference_weights.hpp"

#include <algorithm>

#include "common/model/linear_tiles.hpp"

namespace adit::model {
namespace {

class SourceWeights final : public ReferenceWeights {
 public:
  explicit SourceWeights(const WeightSource& source) : source_(source) {}
  const ModelConfig& config() const override { return source_.config(); }
  std::optional<kernels::ActForm> act(const Part&) const override { return std::nullopt; }
  Result<void> rows(const Part& part, int begin, int count, float* out) const override {
    return read_rows(source_, part, begin, count, out);
  }
  Result<void> bias(const Part& part, float* out) const override { return source_.bias(part, out); }

 private:
  const WeightSource& source_;
};

class PackWeights final : public ReferenceWeights {
 public:
  explicit PackWeights(const Pack& pack) : pack_(pack) {}
  const ModelConfig& config() const override { return pack_.config(); }
  std::optional<kernels::ActForm> act(const Part& part) const override {
    return pack_.linear(part.name)->act;
  }
  Result<void> rows(const Part& part, int begin, int count, float* out) const override {
    if (part.kind != PartKind::kLinear) {
      std::copy_n(pack_.floats(part.name) + static_cast<std::ptrdiff_t>(begin) * part.k,
                  static_cast<std::ptrdiff_t>(count) * part.k, out);
      return {};
    }
    const kernels::LinearWeights& weights = *pack_.linear(part.name);
    RowCodes codes;
    for (int i = 0; i < count; ++i) {
      read_row(weights, begin + i, codes);
      for (int k = 0; k < part.k; ++k) {
        *out++ = static_cast<float>(codes.weight(static_cast<std::size_t>(k))) * codes.rs;
      }
    }
    return {};
  }
  Result<void> bias(const Part& part, float* out) const override {
    std::copy_n(pack_.linear(part.name)->bias, part.m, out);
    return {};
  }

 private:
  const Pack& pack_;
};

}  // namespace

std::unique_ptr<ReferenceWeights> weights_of(const WeightSource& source) {
  return std::make_unique<SourceWeights>(source);
}

std::unique_ptr<ReferenceWeights> weights_of(const Pack& pack) {
  return std::make_unique<PackWeights>(pack);
}

}  // namespace adit::model
