// SPDX-License-Identifier: MIT
#include "common/model/kv_cache.hpp"

#include "common/base/check.hpp"

namespace adit::model {

Result<KvCache> KvCache::make(const ModelConfig& config, int positions_max, KvForm form) {
  ADIT_TRY(auto pool, KvPool::make(kv_shape(config, false, form), kv_blocks(positions_max)));
  KvCache cache(std::move(pool), config, positions_max);
  ADIT_CHECK(cache.grow(positions_max));
  return cache;
}

KvCache::KvCache(std::shared_ptr<KvPool> pool, const ModelConfig& config, int positions_max)
    : pool_(std::move(pool)),
      kv_heads_(config.kv_heads),
      latent_cells_(config.is_mla() ? config.mla.kv_rank + config.mla.rope_dim : 0),
      positions_max_(positions_max) {
  blocks_.reserve(static_cast<std::size_t>(kv_blocks(positions_max)));
  table_.reserve(blocks_.capacity());
}

KvCache& KvCache::operator=(KvCache&& other) noexcept {
  release();
  pool_ = std::move(other.pool_);
  blocks_ = std::move(other.blocks_);
  table_ = std::move(other.table_);
  kv_heads_ = other.kv_heads_;
  latent_cells_ = other.latent_cells_;
  positions_max_ = other.positions_max_;
  return *this;
}

KvCache::~KvCache() {
  release();
}

void KvCache::release() {
  // The last first: of a published prefix its end is given up before its beginning.
  for (; pool_ && !blocks_.empty(); blocks_.pop_back()) pool_->release(blocks_.back());
}

void KvCache::adopt(int block) {
  blocks_.push_back(block);
  table_.push_back(pool_->base(block));
}

bool KvCache::grow(int positions) {
  ADIT_CHECK(positions <= positions_max_);
  while (block_count() < kv_blocks(positions)) {
    const std::optional<int> block = pool_->take();
    if (!block) return false;
    adopt(*block);
  }
  return true;
}

std::size_t kv_bytes_per_position(const ModelConfig& config, KvForm form) {
  return kv_shape(config, false, form).block_bytes() / kKvBlock;
}

}  // namespace adit::model
