// SPDX-License-Identifier: MIT
// Latent attention, the indexer and the choice of experts against vectors made from NUMERICS.md in exact
// rational arithmetic by another program (tests/vectors/numerics).
#include <algorithm>

#include <gtest/gtest.h>

#include "kernels/indexer/indexer.h"
#include "kernels/mla/latent_attention.h"
#include "kernels/moe/route.h"
#include "tests/unit/kernels/golden_records.hpp"

namespace adit::kernels {
namespace {

std::size_t z(int value) { return static_cast<std::size_t>(value); }

TEST(GoldenDeepSeek, latent_attention) {
  for (const Record& record : records_of("latent_attention")) {
    const std::vector<float> q = record.floats("q"), rows = record.floats("rows");
    const int rank = record.ints("rank")[0], cells = static_cast<int>(q.size());
    const int keys = static_cast<int>(rows.size()) / cells;
    for (const Isa isa : all_isas()) {
      std::vector<std::uint16_t> memory(z((keys + kKeyBlock - 1) / kKeyBlock * kKeyBlock) * q.size());
      std::vector<const std::uint16_t*> blocks;
      for (int first = 0; first < keys; first += kKeyBlock) blocks.push_back(memory.data() + z(first * cells));
      for (int j = 0; j < keys; ++j) {
        const float* row = rows.data() + j * cells;
        store_latent(isa, row, rank, row + rank, cells - rank, memory.data() + j * cells);
      }
      std::vector<float> out(z(rank));
      std::vector<float> scratch(latent_scratch_floats(1, 1, cells, keys));
      LatentParams params;
      params.kv_rank = rank;
      params.first_keys = keys;
      params.scale = record.floats("scale")[0];
      params.q = q.data();
      params.keys = {blocks.data(), 0, cells};
      params.out = out.data();
      params.scratch = scratch.data();
      attend_latent(isa, params);
      EXPECT_TRUE(same_bits(out, record.floats("out"))) << isa_name(isa) << ", keys " << keys;
    }
  }
}

TEST(GoldenDeepSeek, rows_of_the_indexer) {
  for (const Isa isa : all_isas()) {
    const Record norm = records_of("layer_norm").front();
    std::vector<float> x = norm.floats("x");
    layer_norm(isa, x.data(), norm.floats("w").data(), norm.floats("b").data(), static_cast<int>(x.size()),
               x.data());
    EXPECT_TRUE(same_bits(x, norm.floats("out"))) << isa_name(isa);
    for (const Record& record : records_of("hadamard")) {
      x = record.floats("x");
      hadamard(isa, x.data(), static_cast<int>(x.size()));
      EXPECT_TRUE(same_bits(x, record.floats("out"))) << isa_name(isa);
    }
    for (const Record& record : records_of("int8_row")) {
      x = record.floats("x");
      std::vector<std::int8_t> q(x.size());
      float scale = 0;
      ASSERT_TRUE(quantize_int8(isa, x.data(), static_cast<int>(x.size()), q.data(), scale));
      EXPECT_EQ(std::vector<int>(q.begin(), q.end()), record.ints("out")) << isa_name(isa);
      EXPECT_TRUE(same_bits({scale}, record.floats("scale")));
    }
  }
}

TEST(GoldenDeepSeek, scores_of_the_indexer) {
  const Record heads = records_of("head_weights").front();
  std::vector<std::int32_t> weights(heads.ints("out").size());
  ASSERT_TRUE(head_weights(heads.floats("w").data(), heads.floats("scales").data(),
                           static_cast<int>(weights.size()), weights.data()));
  EXPECT_EQ(weights, heads.ints("out"));
  const Record record = records_of("index_scores").front();
  const std::vector<int> q_ints = record.ints("q"), k = record.ints("k");
  const std::vector<std::int8_t> q(q_ints.begin(), q_ints.end());
  const std::vector<float> scales = record.floats("scales");
  const int count = static_cast<int>(scales.size()), dim = static_cast<int>(k.size()) / count;
  std::vector<std::uint16_t> block(index_block_bytes(dim) / 2);
  auto* bytes = reinterpret_cast<std::uint8_t*>(block.data());
  for (int s = 0; s < count; ++s) {
    for (int i = 0; i < dim; ++i)
      bytes[index_key_at(s, dim) + z(i)] = static_cast<std::uint8_t>(k[z(s * dim + i)]);
    std::memcpy(bytes + index_scale_at(s, dim), &scales[z(s)], sizeof(float));
  }
  const std::uint16_t* blocks[] = {block.data()};
  for (const Isa isa : all_isas()) {
    std::vector<float> out(scales.size());
    std::vector<std::uint8_t> scratch(index_scratch_bytes(static_cast<int>(weights.size()), dim));
    const IndexParams params{static_cast<int>(weights.size()), dim, q.data(), weights.data(), {blocks, 0}, count,
                             out.data(), scratch.data()};
    index_scores(isa, params);
    EXPECT_TRUE(same_bits(out, record.floats("out"))) << isa_name(isa);
  }
}

TEST(GoldenDeepSeek, route) {
  for (const Record& record : records_of("route")) {
    const std::vector<int> n = record.ints("shape");
    const std::vector<float> logits = record.floats("logits");
    const bool has_bias = record.arrays.contains("bias");
    const std::vector<float> bias = has_bias ? record.floats("bias") : std::vector<float>();
    const RouteShape shape{.experts = static_cast<int>(logits.size()),
                           .per_token = n[0],
                           .groups = n[1],
                           .groups_per_token = n[2],
                           .group_top = n[3],
                           .is_sigmoid = n[4] == 1,
                           .normalise = n[5] == 1,
                           .scale = record.floats("scale")[0],
                           .bias = has_bias ? bias.data() : nullptr};
    for (const Isa isa : all_isas()) {
      std::vector<float> scratch(route_scratch_floats(shape.experts)), weights(z(n[0]));
      std::vector<std::int32_t> chosen(z(n[0]));
      ASSERT_TRUE(route(isa, shape, logits.data(), scratch.data(), chosen.data(), weights.data()));
      EXPECT_EQ(chosen, record.ints("chosen")) << isa_name(isa);
      EXPECT_TRUE(same_bits(weights, record.floats("out"))) << isa_name(isa);
    }
  }
}

}  // namespace
}  // namespace adit::kernels
