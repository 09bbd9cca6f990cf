// SPDX-License-Identifier: MIT
#include "common/model/kv_cache.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "kernels/attention/attention.h"

namespace adit::model {
namespace {

// Cells of one layer's block of an MLA model; 0 for others.
std::size_t latent_block(const ModelConfig& config) {
  if (!config.is_mla()) return 0;
  const auto row = static_cast<std::size_t>(config.mla.kv_rank + config.mla.rope_dim);
  const std::size_t index = config.indexer.top_k > 0 ? kernels::index_block_bytes(config.indexer.head_dim) : 0;
  return kernels::kKeyBlock * row + index / sizeof(std::uint16_t);
}

}  // namespace

Result<KvCache> KvCache::make(const ModelConfig& config, int positions_max) {
  KvCache cache;
  cache.kv_heads_ = config.kv_heads;
  cache.positions_max_ = positions_max;
  cache.plane_cells_ = kernels::cache_cells(positions_max, config.head_dim);
  const std::size_t planes = static_cast<std::size_t>(config.layers * config.kv_heads) * 2;
  const std::size_t blocks =
      static_cast<std::size_t>((positions_max + kernels::kKeyBlock - 1) / kernels::kKeyBlock);
  const std::size_t block_cells = latent_block(config);
  if (config.is_mla()) {
    // One plane a layer; plane() counts two.
    cache.latent_cells_ = config.mla.kv_rank + config.mla.rope_dim;
    cache.plane_cells_ = (blocks * block_cells + 1) / 2;
  }
  const std::size_t bytes = planes * cache.plane_cells_ * sizeof(std::uint16_t);
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, kFlags, -1, 0);
  if (memory == MAP_FAILED) {
    return resource_exhausted("key-value cache: {} bytes for {} positions: {}", bytes, positions_max,
                              std::strerror(errno));
  }
  // Huge pages would make one row of each plane cost 2 MiB.
  madvise(memory, bytes, MADV_NOHUGEPAGE);
  cache.cells_ = static_cast<std::uint16_t*>(memory);
  cache.mapped_bytes_ = bytes;
  for (std::size_t b = 0; config.is_mla() && b < blocks; ++b)
    cache.blocks_.push_back(cache.cells_ + b * block_cells);
  return cache;
}

KvCache::KvCache(KvCache&& other) noexcept { *this = std::move(other); }

KvCache& KvCache::operator=(KvCache&& other) noexcept {
  std::swap(cells_, other.cells_);
  std::swap(mapped_bytes_, other.mapped_bytes_);
  std::swap(plane_cells_, other.plane_cells_);
  std::swap(kv_heads_, other.kv_heads_);
  std::swap(positions_max_, other.positions_max_);
  std::swap(latent_cells_, other.latent_cells_);
  std::swap(blocks_, other.blocks_);
  return *this;
}

KvCache::~KvCache() {
  if (cells_ != nullptr) munmap(cells_, mapped_bytes_);
}

std::size_t KvCache::resident_bytes() const {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> pages((mapped_bytes_ + page - 1) / page);
  if (mincore(cells_, mapped_bytes_, pages.data()) != 0) return 0;
  std::size_t resident = 0;
  for (const unsigned char state : pages) resident += (state & 1U) != 0 ? page : 0;
  return resident;
}

std::size_t kv_bytes_per_position(const ModelConfig& config) {
  if (config.is_mla()) {
    return static_cast<std::size_t>(config.layers) * latent_block(config) * sizeof(std::uint16_t) /
           kernels::kKeyBlock;
  }
  return static_cast<std::size_t>(config.layers) * static_cast<std::size_t>(config.kv_heads) *
         static_cast<std::size_t>(config.head_dim) * 2 * sizeof(std::uint16_t);
}

}  // namespace adit::model
