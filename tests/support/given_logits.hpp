// SPDX-License-Identifier: MIT
// tests/support/given_logits.hpp
//
// Logits that are there already: those of another implementation (logits.bin of tests/vectors/hf and lora), or those
// that a test made.
//
// Threads  const after construction.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "common/base/files.hpp"
#include "common/model/eval.hpp"

namespace adit::test {

struct Golden {
  std::vector<TokenId> ids;
  int vocab = 0;
  // [ids][vocab]
  std::vector<float> logits;
};

// u32 positions, u32 vocabulary; i32 ids; f32 logits.
inline Golden load_golden(const std::string& folder) {
  const Bytes bytes = read_file(folder + "/logits.bin", 1 << 20).value();
  std::uint32_t shape[2];
  std::memcpy(shape, bytes.data(), sizeof shape);
  Golden out;
  out.vocab = static_cast<int>(shape[1]);
  out.ids.resize(shape[0]);
  out.logits.resize(std::size_t{shape[0]} * shape[1]);
  const std::size_t ids = 4 * out.ids.size(), logits = 4 * out.logits.size();
  if (bytes.size() != 8 + ids + logits) throw std::runtime_error(folder + "/logits.bin: wrong size");
  std::memcpy(out.ids.data(), bytes.data() + 8, ids);
  std::memcpy(out.logits.data(), bytes.data() + 8 + ids, logits);
  return out;
}

// For a text of one window.
class GivenLogits final : public model::LogitsSource {
 public:
  GivenLogits(std::vector<float> logits, int vocab) : logits_(std::move(logits)), vocab_(vocab) {}
  Result<void> begin(std::span<const std::vector<TokenId>>, const model::EvalProgress&) override {
    return {};
  }
  Result<void> logits(std::size_t, int first, int count, float* out) override {
    const auto from = logits_.begin() + std::ptrdiff_t{first} * vocab_;
    std::copy(from, from + std::ptrdiff_t{count} * vocab_, out);
    return {};
  }

 private:
  std::vector<float> logits_;
  int vocab_;
};

// The largest absolute value, and the largest difference.
struct Distance {
  float largest = 0;
  float worst = 0;
};
inline Distance distance(const std::vector<float>& want, const std::vector<float>& got) {
  Distance out;
  for (std::size_t i = 0; i < want.size(); ++i) {
    out.largest = std::max(out.largest, std::abs(want[i]));
    out.worst = std::max(out.worst, std::abs(want[i] - got.at(i)));
  }
  return out;
}

// The reference's logits of every position of one text.
inline std::vector<float> reference_logits(const model::WeightSource& source, const Golden& golden) {
  const model::Reference reference = model::Reference::from_source(source, 1).value();
  const auto hidden = reference.hidden(std::vector<std::vector<TokenId>>{golden.ids}).value();
  std::vector<float> logits(golden.logits.size());
  const auto done = reference.logits(hidden.data(), static_cast<int>(golden.ids.size()), logits.data());
  if (!done) throw std::runtime_error(done.error().message);
  return logits;
}

}  // namespace adit::test
