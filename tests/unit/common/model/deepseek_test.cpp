// SPDX-License-Identifier: MIT
// What latent attention and experts add to cache, trace, card and step: a token reads its experts and its chosen
// positions, and no others.
#include <cstring>

#include <gtest/gtest.h>

#include "common/base/files.hpp"
#include "common/crypto/hash.hpp"
#include "common/model/forward.hpp"
#include "common/model/leaf_table.hpp"
#include "common/model/replay.hpp"
#include "kernels/linear/tile_rows.h"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_model.hpp"

namespace adit::model {
namespace {

std::size_t z(int value) { return static_cast<std::size_t>(value); }

std::vector<TokenId> some_tokens(int count) {
  std::vector<TokenId> out;
  for (int i = 0; i < count; ++i) out.push_back(3 + i * 37 % 250);
  return out;
}

// Logits of the last of `tokens`, whose positions start at `first`; empty if the pass met a NaN.
std::vector<float> last_logits(Forward& forward, KvCache& cache, int first, std::span<const TokenId> tokens) {
  const int last = first + static_cast<int>(tokens.size()) - 1;
  const Segment segment{.cache = &cache, .first_position = first, .tokens = tokens, .first_wanted = last};
  if (!forward.step(std::span(&segment, 1))) return {};
  const float* logits = forward.logits(0, 1).value();
  return {logits, logits + forward.config().vocab};
}

TEST(LatentCache, rows_are_disjoint_and_counted) {
  const ModelConfig config = test::tiny_config("deepseek_v32");
  const KvCache cache = KvCache::make(config, 70).value();
  // f16 of kv_rank + rope_dim; int8 of the indexer's key; f32 scale.
  EXPECT_EQ(kv_bytes_per_position(config), 3u * (2 * 64 + 32 + 4));
  EXPECT_EQ(kv_bytes_per_position(test::tiny_config("deepseek_v2")), 3u * 2 * 64);
  for (int pass = 0; pass < 2; ++pass) {
    for (int layer = 0; layer < 3; ++layer) {
      for (int position = 0; position < 70; ++position) {
        const auto mark = static_cast<std::uint8_t>(1 + (layer * 70 + position) % 250);
        std::uint16_t* row = cache.latent_row(layer, position);
        std::uint8_t* block = cache.index_block(layer, position);
        std::uint8_t* key = block + kernels::index_key_at(position, 32);
        std::uint8_t* scale = block + kernels::index_scale_at(position, 32);
        if (pass == 0) {
          std::memset(row, mark, 128);
          std::memset(key, mark, 32);
          std::memset(scale, mark, 4);
        }
        const std::string want(128, static_cast<char>(mark));
        ASSERT_EQ(std::memcmp(row, want.data(), 128), 0) << layer << " " << position;
        ASSERT_EQ(std::memcmp(key, want.data(), 32), 0);
        ASSERT_EQ(std::memcmp(scale, want.data(), 4), 0);
        ASSERT_EQ(cache.latent(layer).row(position), row);
      }
    }
  }
}

TEST(LatentLeaves, hash_the_latent_row_the_key_and_its_scale) {
  for (const char* family : {"deepseek_v2", "deepseek_v32"}) {
    ModelConfig config = test::tiny_config(family);
    config.layers = 1;
    const proof::TraceShape shape{1, 1};
    for (const int rows : {3, 40}) {
      SeededRng rng(5);
      KvCache cache = KvCache::make(config, rows).value();
      std::vector<float> residual(z(rows * config.hidden), 1.5f);
      const std::vector<TokenId> tokens(z(rows), 1);
      proof::TraceBuilder got(shape, 1, kernels::best_isa()), want(shape, 1, kernels::Isa::kScalar);
      for (int p = 0; p < rows; ++p) {
        Bytes row(128), key(32), scale(4);
        rng.fill(row);
        rng.fill(key);
        rng.fill(scale);
        std::memcpy(cache.latent_row(0, p), row.data(), row.size());
        if (config.indexer.top_k > 0) {
          std::memcpy(cache.index_block(0, p) + kernels::index_key_at(p, 32), key.data(), key.size());
          std::memcpy(cache.index_block(0, p) + kernels::index_scale_at(p, 32), scale.data(), scale.size());
          append(row, key);
          append(row, scale);
        }
        Bytes leaves;
        append(leaves, crypto::b2(proof::kResidualDomain,
                                  ByteView(reinterpret_cast<const std::uint8_t*>(residual.data()),
                                           z(config.hidden) * 4)));
        append(leaves, crypto::b2(proof::kKvDomain, row));
        want.append(static_cast<std::uint32_t>(p), leaves.data());
      }
      const Segment segment{.cache = &cache, .trace = &got, .tokens = tokens};
      StepPlan plan;
      plan.build({.heads = 6, .kv_heads = 1, .threads = 1}, std::span(&segment, 1));
      LeafTable table(config, kernels::best_isa(), rows, 1);
      table.begin(plan);
      table.residual(0, 0, residual.data(), 0, rows);
      if (table.is_deferred()) {
        table.finish_layers(0, 0, 1);
      } else {
        table.keys_values(0, 0, 0, rows);
      }
      table.append(0);
      const std::vector<TokenId> ids(z(rows + 1), 1);
      EXPECT_EQ(to_hex(got.root({}, ids)), to_hex(want.root({}, ids))) << family << " " << rows;
    }
  }
}

// One layer of experts in memory whose weights can be spoilt.
class TinyExperts : public ::testing::TestWithParam<const char*> {
 protected:
  TinyExperts() {
    ModelConfig config = test::tiny_config(GetParam());
    config.layers = 1;
    config.moe.dense_layers = 0;
    const Pack made = test::pack_of(test::TinyModel(config), dir_.path(), {.bits = 8});
    const Bytes bytes = read_file(made.path(), std::size_t{1} << 28).value();
    memory_ = AlignedArray<std::uint8_t>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), memory_.data());
    pack_.emplace(Pack::parse(ByteView(memory_.data(), bytes.size()), "tiny").value());
  }
  // Flips a code of each row of one expert's down matrix, or flips it back.
  void spoil(int expert) {
    const int hidden = pack_->config().hidden;
    const auto part = kernels::tile_rows(pack_->layers()[0].experts_down, expert * hidden, hidden);
    auto* codes = const_cast<std::uint8_t*>(part.q);
    for (int i = 0; i < hidden * part.k_pad; i += 4) codes[i] ^= 0x15;
  }

  test::TempDir dir_;
  AlignedArray<std::uint8_t> memory_;
  std::optional<Pack> pack_;
};

TEST_P(TinyExperts, a_token_reads_its_experts_only) {
  const ModelConfig& config = pack_->config();
  Forward forward(*pack_, {.rows_max = 1, .logits_rows_max = 1});
  const auto logits = [&] {
    KvCache cache = KvCache::make(config, 1).value();
    return last_logits(forward, cache, 0, some_tokens(1));
  };
  const std::vector<float> want = logits();
  ASSERT_FALSE(want.empty());
  int read = 0;
  for (int expert = 0; expert < config.moe.experts; ++expert) {
    spoil(expert);
    read += logits() == want ? 0 : 1;
    spoil(expert);
  }
  EXPECT_EQ(read, config.moe.per_token);
  EXPECT_EQ(logits(), want);
}

INSTANTIATE_TEST_SUITE_P(Families, TinyExperts,
                         ::testing::Values("deepseek_v2", "deepseek_v3", "deepseek_v32"),
                         [](const auto& family) { return std::string(family.param); });

TEST(TinyIndexer, a_row_reads_its_chosen_positions_only) {
  const test::TempDir dir;
  ModelConfig config = test::tiny_config("deepseek_v32");
  config.layers = 1;
  const Pack pack = test::pack_of(test::TinyModel(config), dir.path(), {.bits = 8});
  Forward forward(pack, {.rows_max = 64, .logits_rows_max = 1});
  KvCache cache = KvCache::make(config, 64).value();
  const std::vector<TokenId> tokens = some_tokens(61);
  ASSERT_FALSE(last_logits(forward, cache, 0, std::span(tokens).first(60)).empty());
  const auto decode = [&] { return last_logits(forward, cache, 60, std::span(tokens).last(1)); };
  const std::vector<float> want = decode();
  int read = 0;
  for (int position = 0; position < 60; ++position) {
    std::uint16_t* row = cache.latent_row(0, position);
    const std::vector<std::uint16_t> kept(row, row + 64);
    std::fill(row, row + 64, std::uint16_t{0x7e00});
    read += decode() == want ? 0 : 1;
    std::copy(kept.begin(), kept.end(), row);
  }
  // The row's own position may be among the 24.
  EXPECT_GE(read, 23);
  EXPECT_LE(read, 24);
  EXPECT_EQ(decode(), want);
}

// Beyond 1024 positions a lone row's scores are made in pieces by all threads; wide steps go row by row.
TEST(TinyIndexer, a_lone_row_of_a_long_sequence_chooses_as_in_a_wide_step) {
  const test::TempDir dir;
  ModelConfig config = test::tiny_config("deepseek_v32");
  config.layers = 2;
  config.context = 4096;
  const Pack pack = test::pack_of(test::TinyModel(config), dir.path(), {.bits = 8});
  const std::vector<TokenId> tokens = some_tokens(2200);
  Forward wide(pack, {.threads = 1, .rows_max = 440, .logits_rows_max = 1});
  KvCache cache = KvCache::make(config, 2200).value();
  std::vector<float> want;
  for (int first = 0; first < 2200; first += 440)
    want = last_logits(wide, cache, first, std::span(tokens).subspan(z(first), 440));
  ASSERT_FALSE(want.empty());
  for (const int threads : {1, 3}) {
    Forward narrow(pack, {.threads = threads, .rows_max = 4, .logits_rows_max = 1});
    EXPECT_EQ(last_logits(narrow, cache, 2199, std::span(tokens).last(1)), want) << threads;
    EXPECT_EQ(last_logits(narrow, cache, 2196, std::span(tokens).last(4)), want) << threads;
  }
}

}  // namespace
}  // namespace adit::model
