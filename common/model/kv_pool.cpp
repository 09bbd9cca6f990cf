// SPDX-License-Identifier: MIT
#include "common/model/kv_pool.hpp"

#include <cerrno>
#include <cstring>

#include <sys/mman.h>
#include <unistd.h>

#include "common/base/check.hpp"
#include "common/crypto/hash.hpp"
#include "common/proof/trace.hpp"
#include "kernels/attention/attention.h"
#include "kernels/hash/hash_rows.h"
#include "kernels/indexer/indexer.h"

namespace adit::model {
namespace {

constexpr std::size_t kLine = 64;

// Cells of one layer's block of an MLA model, in whole cache lines.
std::size_t latent_block(const ModelConfig& config) {
  const auto row = static_cast<std::size_t>(config.mla.kv_rank + config.mla.rope_dim);
  const std::size_t index =
      config.indexer.top_k > 0 ? kernels::index_block_bytes(config.indexer.head_dim) : 0;
  const std::size_t bytes = kKvBlock * row * sizeof(std::uint16_t) + index;
  return (bytes + kLine - 1) / kLine * kLine / sizeof(std::uint16_t);
}

}  // namespace

KvShape kv_shape(const ModelConfig& config, bool keeps_leaves, KvForm form) {
  static_assert(kKvBlock == kernels::kKeyBlock);
  ADIT_CHECK(check_kv(config, form).has_value());
  KvShape shape;
  shape.form = form;
  shape.planes = config.is_mla() ? config.layers : config.layers * config.kv_heads * 2;
  shape.block_cells =
      config.is_mla() ? latent_block(config) : kernels::kv_block_cells(form, config.head_dim);
  const std::size_t lanes = proof::lane_count({config.layers, config.kv_heads});
  if (keeps_leaves) shape.leaf_bytes = std::size_t{kKvBlock} * lanes * kernels::kDigestBytes;
  return shape;
}

Hash256 prefix_root(const Hash256& pack, const Hash256& adapter) {
  Bytes bytes;
  append(bytes, pack);
  append(bytes, adapter);
  return crypto::b2("adit1.kvroot", bytes);
}

Hash256 prefix_key(const Hash256& parent, std::span<const TokenId> ids) {
  Bytes bytes;
  append(bytes, parent);
  for (const TokenId id : ids) append_le<std::uint32_t>(bytes, static_cast<std::uint32_t>(id));
  return crypto::b2("adit1.kvblock", bytes);
}

Result<std::shared_ptr<KvPool>> KvPool::make(const KvShape& shape, int blocks) {
  ADIT_CHECK(blocks >= 1);
  const std::size_t bytes = static_cast<std::size_t>(blocks) * shape.block_bytes() + kLine;
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, kFlags, -1, 0);
  if (memory == MAP_FAILED) {
    return resource_exhausted("key-value cache: {} bytes for {} positions: {}", bytes,
                              std::int64_t{blocks} * kKvBlock, std::strerror(errno));
  }
  // Huge pages would make one row of each plane cost 2 MiB.
  madvise(memory, bytes, MADV_NOHUGEPAGE);
  return std::shared_ptr<KvPool>(new KvPool(shape, blocks, memory, bytes));
}

KvPool::KvPool(const KvShape& shape, int blocks, void* memory, std::size_t bytes)
    : shape_(shape),
      memory_(memory),
      mapped_bytes_(bytes),
      plane_cells_(static_cast<std::size_t>(blocks) * shape.block_cells),
      cells_(static_cast<std::uint16_t*>(memory)),
      leaves_(
          reinterpret_cast<std::uint8_t*>(cells_ + static_cast<std::size_t>(shape.planes) * plane_cells_)),
      states_(static_cast<std::size_t>(blocks)) {
  for (int block = blocks - 1; block >= 0; --block) free_.push_back(block);
}

KvPool::~KvPool() {
  munmap(memory_, mapped_bytes_);
}

std::optional<int> KvPool::take() {
  int block = -1;
  if (!free_.empty()) {
    block = free_.back();
    free_.pop_back();
  } else if (!idle_.empty()) {
    block = idle_.front();
    idle_.pop_front();
    State& state = states_[static_cast<std::size_t>(block)];
    index_.erase(state.key);
    state.is_published = false;
  } else {
    return std::nullopt;
  }
  states_[static_cast<std::size_t>(block)].holders = 1;
  return block;
}

std::optional<int> KvPool::find(const Hash256& key) {
  const auto found = index_.find(key);
  if (found == index_.end()) return std::nullopt;
  State& state = states_[static_cast<std::size_t>(found->second)];
  if (state.holders++ == 0) idle_.erase(state.place);
  return found->second;
}

void KvPool::release(int block) {
  State& state = states_[static_cast<std::size_t>(block)];
  ADIT_CHECK(state.holders > 0);
  if (--state.holders > 0) return;
  if (state.is_published) {
    state.place = idle_.insert(idle_.end(), block);
  } else {
    free_.push_back(block);
  }
}

void KvPool::publish(int block, const Hash256& key) {
  State& state = states_[static_cast<std::size_t>(block)];
  ADIT_CHECK(state.holders > 0 && !state.is_published);
  if (!index_.try_emplace(key, block).second) return;
  state.is_published = true;
  state.key = key;
}

std::size_t KvPool::resident_bytes() const {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> pages((mapped_bytes_ + page - 1) / page);
  if (mincore(memory_, mapped_bytes_, pages.data()) != 0) return 0;
  std::size_t resident = 0;
  for (const unsigned char state : pages) resident += (state & 1U) != 0 ? page : 0;
  return resident;
}

}  // namespace adit::model
