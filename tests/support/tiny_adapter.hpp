// SPDX-License-Identifier: MIT
// tests/support/tiny_adapter.hpp
//
// Random low-rank adapters for the models of tiny_model.hpp, on any of the linears that may have one.
//
// Threads  const after construction.
#pragma once

#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/model/adapter.hpp"
#include "tests/support/tiny_model.hpp"

namespace adit::test {

inline bool may_be_adapted(const model::Part& part) {
  using model::PartRole;
  switch (part.role) {
    case PartRole::kEmbedding:
    case PartRole::kAttnKB:
    case PartRole::kAttnVB:
    case PartRole::kExpertsGate:
    case PartRole::kExpertsUp:
    case PartRole::kExpertsDown:
      return false;
    default:
      return part.kind == model::PartKind::kLinear;
  }
}

// Each linear that may have one gets it with a chance of `share` percent; ranks from 1 to `rank_max`. The effect is
// about as large as a fifth of the linear itself.
inline model::LoraAdapter random_lora(const model::ModelConfig& config, std::uint64_t seed,
                                      std::uint64_t share = 100, std::uint64_t rank_max = 40) {
  SeededRng rng(seed);
  model::LoraAdapter out;
  for (const model::Part& part : model::model_parts(config)) {
    if (!may_be_adapted(part) || rng.below(100) >= share) continue;
    model::LoraPair pair;
    pair.part = part;
    pair.rank = 1 + static_cast<int>(rng.below(rank_max));
    pair.scale = rng.below(4) == 0 ? -0.5f : 2.0f;
    const auto rank = static_cast<std::size_t>(pair.rank);
    pair.a = random_floats(rng, rank * static_cast<std::size_t>(part.k),
                           1 / std::sqrt(static_cast<double>(part.k)));
    pair.b = random_floats(rng, rank * static_cast<std::size_t>(part.m),
                           0.15 / std::sqrt(static_cast<double>(rank)));
    out.pairs.push_back(std::move(pair));
  }
  if (out.pairs.empty()) return random_lora(config, seed + 1000, share, rank_max);
  return out;
}

inline std::shared_ptr<const model::Adapter> adapter_of(const model::LoraAdapter& lora,
                                                        const model::Pack& pack) {
  auto made = model::Adapter::make(lora, pack);
  if (!made) throw std::runtime_error(made.error().message);
  return *std::move(made);
}

// The model with W + scale * B * A for each pair, in f32.
inline TinyModel merged(const model::WeightSource& source, const model::LoraAdapter& lora) {
  TinyModel::Floats rows, biases;
  for (const model::Part& part : model::model_parts(source.config())) {
    if (part.kind == model::PartKind::kFrequencies) continue;
    std::vector<float>& values = rows[part.name];
    values.resize(static_cast<std::size_t>(part.m) * static_cast<std::size_t>(part.k));
    const auto read = model::read_rows(source, part, 0, part.m, values.data());
    if (!read) throw std::runtime_error(read.error().message);
    if (part.has_bias) {
      biases[part.name].resize(static_cast<std::size_t>(part.m));
      const auto done = source.bias(part, biases[part.name].data());
      if (!done) throw std::runtime_error(done.error().message);
    }
  }
  for (const model::LoraPair& pair : lora.pairs) {
    const auto k = static_cast<std::size_t>(pair.part.k), rank = static_cast<std::size_t>(pair.rank);
    std::vector<float>& values = rows.at(pair.part.name);
    for (std::size_t at = 0; at < values.size(); ++at) {
      double sum = 0;
      for (std::size_t r = 0; r < rank; ++r) {
        sum += static_cast<double>(pair.b[at / k * rank + r]) * static_cast<double>(pair.a[r * k + at % k]);
      }
      values[at] += static_cast<float>(static_cast<double>(pair.scale) * sum);
    }
  }
  return TinyModel(source.config(), std::move(rows), std::move(biases));
}

}  // namespace adit::test
