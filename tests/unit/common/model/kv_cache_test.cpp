// SPDX-License-Identifier: MIT
#include "common/model/kv_cache.hpp"

#include <set>
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

Hash256 key_of(std::uint8_t byte) {
  Hash256 key{};
  key[0] = byte;
  return key;
}

TEST(KvCache, blocks_and_planes_are_disjoint_and_zero) {
  const KvCache cache = KvCache::make(small_config(), 100).value();
  ASSERT_EQ(4, cache.block_count());
  std::uint16_t mark = 1;
  for (const bool is_check : {false, true}) {
    mark = 1;
    for (int position = 0; position < 128; position += kKvBlock) {
      for (int layer = 0; layer < 3; ++layer) {
        for (int head = 0; head < 2; ++head) {
          for (std::uint16_t* block :
               {cache.keys(layer, head, position), cache.values(layer, head, position + 31)}) {
            for (int i = 0; i < kKvBlock * 64; ++i) {
              ASSERT_EQ(is_check ? mark : 0, block[i]);
              block[i] = mark;
            }
            ++mark;
          }
          EXPECT_EQ(cache.keys(layer, head, position),
                    cache.table()[position / 32] + cache.keys_at(layer, head));
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
      *cache.keys(layer, head, 0) = 1;
      *cache.values(layer, head, 0) = 1;
    }
  }
  EXPECT_GT(cache.resident_bytes(), 0U);
  EXPECT_LE(cache.resident_bytes(), 12U * 2 * 4096);
  EXPECT_EQ(3U * 2 * 64 * 2 * 2, kv_bytes_per_position(config));
}

TEST(KvCache, moves_keep_addresses_and_blocks) {
  const auto pool = KvPool::make(kv_shape(small_config(), false), 5).value();
  {
    KvCache first(pool, small_config(), 64);
    ASSERT_TRUE(first.grow(64));
    std::uint16_t* const cells = first.values(1, 1, 40);
    *cells = 77;
    KvCache second = std::move(first);
    EXPECT_EQ(cells, second.values(1, 1, 40));
    EXPECT_EQ(77, *second.values(1, 1, 40));
    EXPECT_EQ(64, second.positions_max());
    EXPECT_EQ(3, pool->available());
    second = KvCache(pool, small_config(), 32);
    EXPECT_EQ(5, pool->available());
  }
  EXPECT_EQ(5, pool->available());
}

TEST(KvCache, refuses_what_no_address_space_holds) {
  ModelConfig config = small_config();
  config.layers = 512;
  config.kv_heads = 256;
  config.head_dim = 256;
  EXPECT_EQ(ErrorCode::kResourceExhausted, KvCache::make(config, 1 << 20).error().code);
}

TEST(KvPool, gives_each_block_once_and_the_lowest_first) {
  const auto pool = KvPool::make(kv_shape(small_config(), true), 4).value();
  std::set<int> taken;
  for (int i = 0; i < 4; ++i) {
    const auto block = pool->take();
    EXPECT_EQ(i, block);
    taken.insert(*block);
    EXPECT_EQ(3 - i, pool->available());
    EXPECT_EQ(std::ptrdiff_t{i} * 32 * 64, pool->base(i) - pool->base(0));
    EXPECT_EQ(std::ptrdiff_t{i} * 32 * 9 * 32, pool->leaves(i) - pool->leaves(0));
  }
  EXPECT_EQ(4u, taken.size());
  EXPECT_FALSE(pool->take());
  pool->release(2);
  EXPECT_EQ(2, pool->take());
}

TEST(KvPool, finds_what_was_published_until_its_memory_is_needed) {
  const auto pool = KvPool::make(kv_shape(small_config(), false), 3).value();
  EXPECT_EQ(nullptr, pool->leaves(0));
  for (const std::uint8_t i : {0, 1, 2}) pool->publish(*pool->take(), key_of(i));
  EXPECT_EQ(3, pool->published());
  // Held by its first owner and by a second.
  EXPECT_EQ(1, pool->find(key_of(1)));
  for (const int block : {2, 1, 0}) pool->release(block);
  EXPECT_EQ(2, pool->available());
  pool->release(1);
  EXPECT_EQ(3, pool->available());
  EXPECT_FALSE(pool->find(key_of(9)));
  // Taken up again, so that 0 and then 1 is the one left for longest; 2 stays held.
  EXPECT_EQ(2, pool->find(key_of(2)));
  EXPECT_EQ(0, pool->take());
  EXPECT_FALSE(pool->find(key_of(0)));
  EXPECT_EQ(1, pool->find(key_of(1)));
  EXPECT_FALSE(pool->take());
  EXPECT_EQ(2, pool->published());
}

TEST(KvPool, a_key_has_one_block) {
  const auto pool = KvPool::make(kv_shape(small_config(), false), 2).value();
  const int a = *pool->take(), b = *pool->take();
  pool->publish(a, key_of(5));
  pool->publish(b, key_of(5));
  pool->release(b);
  pool->release(a);
  EXPECT_EQ(a, pool->find(key_of(5)));
  EXPECT_EQ(b, pool->take());
}

TEST(KvPool, a_key_stands_for_everything_before_it) {
  const std::vector<TokenId> ids{1, 2, 3}, others{1, 2, 4};
  const Hash256 root = prefix_root(key_of(1), {});
  EXPECT_NE(root, prefix_root(key_of(2), {}));
  EXPECT_NE(root, prefix_root(key_of(1), key_of(1)));
  EXPECT_EQ(prefix_key(root, ids), prefix_key(root, ids));
  EXPECT_NE(prefix_key(root, ids), prefix_key(root, others));
  EXPECT_NE(prefix_key(prefix_key(root, ids), ids), prefix_key(prefix_key(root, others), ids));
}

}  // namespace
}  // namespace adit::model
