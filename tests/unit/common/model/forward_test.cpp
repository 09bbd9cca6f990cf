// SPDX-License-Identifier: MIT
#include "common/model/forward.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <vector>

#include <climits>
#include <gtest/gtest.h>

#include "common/base/rng.hpp"
#include "common/crypto/hash.hpp"
#include "common/model/leaf_table.hpp"
#include "common/model/reference.hpp"
#include "common/model/step_plan.hpp"
#include "kernels/attention/attention.h"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_llama.hpp"

namespace adit::model {
namespace {

std::vector<TokenId> random_tokens(SeededRng& rng, std::size_t count, int vocab) {
  std::vector<TokenId> tokens(count);
  for (TokenId& token : tokens) {
    token = static_cast<TokenId>(rng.below(static_cast<std::uint64_t>(vocab)));
  }
  return tokens;
}

// Every (row, query head) is computed once, from the rows that its output row stands for.
void expect_covered(const StepPlan& plan, bool last, int heads) {
  std::map<std::tuple<int, int>, int> times;
  for (const AttentionUnit& unit : plan.units(last)) {
    for (int i = 0; i < unit.count; ++i) {
      const int want = last ? plan.wanted_row(unit.out_row + i) : unit.out_row + i;
      EXPECT_EQ(want, unit.row + i);
      EXPECT_EQ(unit.segment, plan.row(unit.row + i).segment);
      // Rows of a unit are consecutive positions.
      EXPECT_EQ(plan.row(unit.row).position + i, plan.row(unit.row + i).position);
      for (int h = unit.head; h < unit.head + unit.heads; ++h) ++times[{unit.row + i, h}];
    }
  }
  const int rows = last ? plan.wanted() : plan.rows();
  EXPECT_EQ(static_cast<std::size_t>(rows * heads), times.size());
  for (const auto& [place, count] : times) EXPECT_EQ(1, count);
}

TEST(StepPlan, attention_units_cover_every_row_and_head_once) {
  SeededRng rng(5);
  for (int round = 0; round < 200; ++round) {
    const int kv_heads = 1 + static_cast<int>(rng.below(3));
    const int heads = kv_heads * (1 + static_cast<int>(rng.below(4)));
    std::vector<std::vector<TokenId>> tokens;
    std::vector<Segment> segments;
    for (std::uint64_t s = 0, n = 1 + rng.below(4); s < n; ++s) {
      tokens.push_back(random_tokens(rng, 1 + rng.below(40), 100));
    }
    for (const std::vector<TokenId>& part : tokens) {
      const int first = static_cast<int>(rng.below(50));
      const int wanted =
          rng.below(4) == 0 ? INT_MAX : first + static_cast<int>(rng.below(part.size() + 9)) - 4;
      segments.push_back({.first_position = first, .tokens = part, .first_wanted = wanted});
    }
    StepPlan plan;
    plan.build({.heads = heads, .kv_heads = kv_heads, .threads = 1 + round % 5}, segments);
    expect_covered(plan, false, heads);
    expect_covered(plan, true, heads);
    std::vector<int> wanted;
    for (int i = 0; i < plan.rows(); ++i) {
      if (plan.row(i).position >= plan.segment_of(i).first_wanted) wanted.push_back(i);
    }
    ASSERT_EQ(wanted.size(), static_cast<std::size_t>(plan.wanted()));
    for (int w = 0; w < plan.wanted(); ++w) {
      EXPECT_EQ(wanted[static_cast<std::size_t>(w)], plan.wanted_row(w));
    }
  }
}

// Two sequences in one step, compared with the plain f32 pass of the same integers.
TEST(Forward, agrees_with_the_f32_reference_of_the_pack) {
  const test::TempDir folder;
  const Pack pack = test::tiny_llama_pack(folder.path(), {}, {.bits = 8});
  const Reference reference = Reference::from_pack(pack, 1).value();
  SeededRng rng(6);
  const std::vector<std::vector<TokenId>> sequences{random_tokens(rng, 45, 300),
                                                    random_tokens(rng, 7, 300)};
  std::vector<KvCache> caches;
  std::vector<Segment> segments;
  for (int i = 0; i < 2; ++i) caches.push_back(KvCache::make(pack.config(), 64).value());
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    segments.push_back({.cache = &caches[i], .tokens = sequences[i]});
  }
  Forward forward(pack, {.threads = 2, .rows_max = 64, .logits_rows_max = 52});
  ASSERT_TRUE(forward.step(segments));
  ASSERT_EQ(52, forward.wanted());
  const float* got = forward.logits(0, 52).value();

  const std::vector<float> hidden = reference.hidden(sequences).value();
  std::vector<float> want(52 * 300);
  ASSERT_TRUE(reference.logits(hidden.data(), 52, want.data()));
  double difference = 0;
  double size = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    const double w = static_cast<double>(want[i]);
    difference += (static_cast<double>(got[i]) - w) * (static_cast<double>(got[i]) - w);
    size += w * w;
  }
  EXPECT_GT(size, 1.0);
  EXPECT_LT(std::sqrt(difference / size), 5e-3);
}

TEST(Forward, refuses_rows_that_it_cannot_take) {
  const test::TempDir folder;
  const Pack pack = test::tiny_llama_pack(folder.path(), {.layers = 1}, {.bits = 8});
  Forward forward(pack, {.rows_max = 4});
  KvCache cache = KvCache::make(pack.config(), 3).value();
  const auto code = [&](const std::vector<TokenId>& tokens, int first) {
    const Segment segment{.cache = &cache, .first_position = first, .tokens = tokens};
    const Result<void> done = forward.step(std::span(&segment, 1));
    return done ? ErrorCode::kUnknown : done.error().code;
  };
  EXPECT_EQ(ErrorCode::kInvalidArgument, code({}, 0));
  EXPECT_EQ(ErrorCode::kInvalidArgument, code({1, 2, 3, 4, 5}, 0));
  EXPECT_EQ(ErrorCode::kInvalidArgument, code({1, 2, 3, 4}, 0));
  EXPECT_EQ(ErrorCode::kInvalidArgument, code({1}, 3));
  EXPECT_EQ(ErrorCode::kInvalidArgument, code({1}, -1));
  EXPECT_EQ(ErrorCode::kInvalidArgument, code({300}, 0));
  EXPECT_EQ(ErrorCode::kUnknown, code({1, 2, 3}, 0));
}

// The leaves of a step against rows hashed one by one, straight from their definition.
class Leaves : public testing::TestWithParam<int> {
 protected:
  static constexpr int kPrompt = 6;
  Leaves() {
    config_.layers = 3;
    config_.hidden = 20;
    config_.kv_heads = 2;
    config_.head_dim = 8;
  }

  // K || V of one position and kv head.
  [[nodiscard]] Bytes kv_row(const KvCache& cache, int layer, int head, int position) const {
    Bytes row;
    const auto p = static_cast<std::size_t>(position);
    for (std::size_t d = 0; d < 8; ++d) {
      append_le(row, cache.keys(layer, head, position)[d * 32 + p % 32]);
    }
    for (std::size_t d = 0; d < 8; ++d) append_le(row, cache.values(layer, head, position)[p % 32 * 8 + d]);
    return row;
  }

  ModelConfig config_;
};

TEST_P(Leaves, are_the_hashes_of_the_rows) {
  const int rows = GetParam();
  const proof::TraceShape shape{config_.layers, config_.kv_heads};
  SeededRng rng(8);
  const KvCache cache = KvCache::make(config_, rows).value();
  for (int layer = 0; layer < config_.layers; ++layer) {
    for (int head = 0; head < config_.kv_heads; ++head) {
      const std::size_t bytes = kernels::cache_cells(kKvBlock, 8) * 2;
      for (int position = 0; position < rows; position += kKvBlock) {
        rng.fill({reinterpret_cast<std::uint8_t*>(cache.keys(layer, head, position)), bytes});
        rng.fill({reinterpret_cast<std::uint8_t*>(cache.values(layer, head, position)), bytes});
      }
    }
  }
  // [layer][row][hidden]; the last layer's rows are the wanted ones.
  std::vector<std::vector<float>> residual(3);
  for (std::vector<float>& layer : residual) {
    layer.resize(static_cast<std::size_t>(rows * config_.hidden));
    rng.fill({reinterpret_cast<std::uint8_t*>(layer.data()), layer.size() * 4});
  }
  const std::vector<TokenId> tokens(static_cast<std::size_t>(rows), 1);

  proof::TraceBuilder got(shape, kPrompt, kernels::Isa::kScalar);
  const Segment segment{.cache = const_cast<KvCache*>(&cache),
                        .trace = &got,
                        .tokens = tokens,
                        .first_wanted = kPrompt - 1};
  StepPlan plan;
  plan.build({.heads = 2, .kv_heads = 2, .threads = 2}, std::span(&segment, 1));
  LeafTable leaves(config_, kernels::best_isa(), rows, 2);
  leaves.begin(plan);
  for (int layer = 0; layer < 3; ++layer) {
    const int count = layer == 2 ? plan.wanted() : rows;
    leaves.residual(0, layer, residual[static_cast<std::size_t>(layer)].data(), 0, count / 2);
    leaves.residual(1, layer, residual[static_cast<std::size_t>(layer)].data(), count / 2, count);
    const int units = leaves.is_deferred() ? rows * config_.kv_heads : 0;
    for (int i = 0; i < units; ++i) leaves.keep_keys_values(layer, i / config_.kv_heads, i % config_.kv_heads);
    if (units > 0) continue;
    leaves.keys_values(0, layer, 0, rows / 3);
    leaves.keys_values(1, layer, rows / 3, rows);
  }
  if (leaves.is_deferred()) {
    leaves.finish_layers(0, 0, 1);
    leaves.finish_layers(1, 1, 3);
  }
  leaves.append(0);

  proof::TraceBuilder want(shape, kPrompt, kernels::Isa::kScalar);
  for (int t = 0; t < rows; ++t) {
    Bytes row;
    for (int layer = 0; layer < 3; ++layer) {
      Hash256 leaf{};
      const int at = layer == 2 ? t - (kPrompt - 1) : t;
      if (at >= 0) {
        const float* x = residual[static_cast<std::size_t>(layer)].data() + at * config_.hidden;
        leaf = crypto::b2("adit1.res", {reinterpret_cast<const std::uint8_t*>(x), 20 * 4});
      }
      append(row, leaf);
      for (int head = 0; head < 2; ++head) {
        append(row, crypto::b2("adit1.kv", kv_row(cache, layer, head, t)));
      }
    }
    want.append(static_cast<std::uint32_t>(t), row.data());
  }
  std::vector<TokenId> ids(tokens);
  ids.push_back(1);
  EXPECT_EQ(to_hex(want.root({}, ids)), to_hex(got.root({}, ids)));
}

// Steps that are hashed at the end, and steps that are hashed layer by layer.
INSTANTIATE_TEST_SUITE_P(Rows, Leaves,
                         testing::Values(6, 7, kDeferredRows, kDeferredRows + 1, 40, 150));

}  // namespace
}  // namespace adit::model
