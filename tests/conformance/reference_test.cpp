// SPDX-License-Identifier: MIT
// The f32 reference against PyTorch and transformers on the test model (tests/vectors/reference).
#include "common/model/reference.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "common/base/files.hpp"
#include "tests/support/test_model.hpp"
#include "tests/support/vectors.hpp"

namespace adit::model {
namespace {

// The vectors of one position: the largest logits of the other implementation.
struct Position {
  float lse = 0;
  std::vector<std::int32_t> ids;
  std::vector<float> logits;
};

struct Golden {
  std::vector<TokenId> ids;
  std::vector<Position> positions;
};

template <class T>
std::vector<T> take(const Bytes& bytes, std::size_t& at, std::size_t count) {
  std::vector<T> out(count);
  std::memcpy(out.data(), bytes.data() + at, count * sizeof(T));
  at += count * sizeof(T);
  return out;
}

Golden load_golden() {
  const Bytes bytes = read_file(std::string(ADIT_TEST_VECTORS) + "/reference/logits.bin", 1 << 20).value();
  std::size_t at = 0;
  const auto header = take<std::uint32_t>(bytes, at, 2);
  Golden out;
  out.ids = take<std::int32_t>(bytes, at, header[0]);
  for (std::uint32_t i = 0; i < header[0]; ++i) {
    Position position;
    position.lse = take<float>(bytes, at, 1)[0];
    position.ids = take<std::int32_t>(bytes, at, header[1]);
    position.logits = take<float>(bytes, at, header[1]);
    out.positions.push_back(std::move(position));
  }
  EXPECT_EQ(at, bytes.size());
  return out;
}

// KL over the listed ids and "all others" as one outcome.
double kl_of(const Position& golden, const float* logits, int vocab) {
  double sum = 0;
  for (int i = 0; i < vocab; ++i) sum += std::exp(double(logits[i]));
  const double lse = std::log(sum);
  double kl = 0, rest_p = 1, rest_q = 1;
  for (std::size_t i = 0; i < golden.ids.size(); ++i) {
    const double log_p = double(golden.logits[i]) - double(golden.lse);
    const double log_q = double(logits[golden.ids[i]]) - lse;
    kl += std::exp(log_p) * (log_p - log_q);
    rest_p -= std::exp(log_p);
    rest_q -= std::exp(log_q);
  }
  if (rest_p > 1e-9 && rest_q > 1e-9) kl += rest_p * std::log(rest_p / rest_q);
  return kl;
}

TEST(ReferenceConformance, logits_agree_with_another_implementation) {
  const auto path = test::test_model();
  if (!path) GTEST_SKIP() << test::kNoTestModel;
  const Golden golden = load_golden();
  const auto source = open_weights(*path).value();
  const Reference reference = Reference::from_source(*source, 0).value();
  const auto vocab = static_cast<std::size_t>(reference.config().vocab);
  const auto hidden = reference.hidden(std::vector<std::vector<TokenId>>{golden.ids}).value();
  std::vector<float> logits(golden.ids.size() * vocab);
  ASSERT_TRUE(reference.logits(hidden.data(), static_cast<int>(golden.ids.size()), logits.data()));
  double kl = 0, worst = 0;
  for (std::size_t i = 0; i < golden.positions.size(); ++i) {
    const float* row = logits.data() + i * vocab;
    const Position& position = golden.positions[i];
    kl += kl_of(position, row, static_cast<int>(vocab));
    for (std::size_t t = 0; t < position.ids.size(); ++t) {
      worst = std::max(worst, double(std::fabs(row[position.ids[t]] - position.logits[t])));
    }
    EXPECT_EQ(std::max_element(row, row + vocab) - row, position.ids[0]) << "position " << i;
  }
  kl /= static_cast<double>(golden.positions.size());
  RecordProperty("mean_kl", std::to_string(kl));
  std::printf("mean KL %.3g, largest difference of a logit %.3g\n", kl, worst);
  EXPECT_LE(kl, 1e-5);
  EXPECT_LE(worst, 0.01);
}

TEST(ReferenceConformance, greedy_continuations_are_equal) {
  const auto path = test::test_model();
  if (!path) GTEST_SKIP() << test::kNoTestModel;
  const auto cases = test::load_vectors("reference/greedy.json");
  ASSERT_EQ(cases.size(), 5u);
  const auto source = open_weights(*path).value();
  const Reference reference = Reference::from_source(*source, 0).value();
  const ModelConfig& config = reference.config();
  // One pass is enough: where every choice before was theirs, the next one must be theirs too.
  std::vector<std::vector<TokenId>> sequences;
  for (const auto& item : cases) {
    sequences.push_back(item["ids"].get<std::vector<TokenId>>());
    for (const auto& id : item["greedy"]) sequences.back().push_back(id.get<TokenId>());
  }
  const auto hidden = reference.hidden(sequences).value();
  std::vector<float> logits(static_cast<std::size_t>(config.vocab));
  std::size_t row = 0;
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    const std::size_t prompt = cases[s]["ids"].size();
    for (std::size_t i = 0; i < sequences[s].size(); ++i, ++row) {
      if (i + 1 < prompt || i + 1 == sequences[s].size()) continue;
      const float* from = hidden.data() + row * static_cast<std::size_t>(config.hidden);
      ASSERT_TRUE(reference.logits(from, 1, logits.data()));
      EXPECT_EQ(std::max_element(logits.begin(), logits.end()) - logits.begin(), sequences[s][i + 1])
          << cases[s]["prompt"] << " token " << i + 1 - prompt;
    }
  }
}

}  // namespace
}  // namespace adit::model
