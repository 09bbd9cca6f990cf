// SPDX-License-Identifier: MIT
#include "common/model/kv_cache.hpp"

#include <utility>

#include <gtest/gtest.h>

#include "kernels/attention/attention.h"

namespace adit::model {
namespace {

ModelConfig small_config() {
  ModelConfig config;
  config.layers = 3;
  config.kv_heads = 2;
  config.head_dim = 64;
  return config;
}

TEST(KvCache, planes_are_disjoint_and_zero) {
  const KvCache cache = KvCache::make(small_config(), 100).value();
  const std::size_t cells = kernels::cache_cells(100, 64);
  for (int layer = 0; layer < 3; ++layer) {
    for (int head = 0; head < 2; ++head) {
      for (std::uint16_t* plane : {cache.k(layer, head), cache.v(layer, head)}) {
        for (std::size_t i = 0; i < cells; ++i) {
          ASSERT_EQ(0, plane[i]);
          plane[i] = static_cast<std::uint16_t>(1 + layer);
        }
      }
    }
  }
}

TEST(KvCache, memory_grows_with_use) {
  const ModelConfig config = small_config();
  const KvCache cache = KvCache::make(config, 8192).value();
  EXPECT_EQ(0U, cache.resident_bytes());
  // One row of every plane: one page of each.
  for (int layer = 0; layer < 3; ++layer) {
    for (int head = 0; head < 2; ++head) {
      *cache.k(layer, head) = 1;
      *cache.v(layer, head) = 1;
    }
  }
  EXPECT_GT(cache.resident_bytes(), 0U);
  EXPECT_LE(cache.resident_bytes(), 12U * 2 * 4096);
  EXPECT_EQ(3U * 2 * 64 * 2 * 2, kv_bytes_per_position(config));
}

TEST(KvCache, moves_keep_addresses) {
  KvCache first = KvCache::make(small_config(), 64).value();
  std::uint16_t* const cells = first.v(1, 1);
  *cells = 77;
  const KvCache second = std::move(first);
  EXPECT_EQ(cells, second.v(1, 1));
  EXPECT_EQ(77, *second.v(1, 1));
  EXPECT_EQ(64, second.positions_max());
}

TEST(KvCache, refuses_what_no_address_space_holds) {
  ModelConfig config = small_config();
  config.layers = 512;
  config.kv_heads = 256;
  config.head_dim = 256;
  EXPECT_EQ(ErrorCode::kResourceExhausted, KvCache::make(config, 1 << 20).error().code);
}

}  // namespace
}  // namespace adit::model
