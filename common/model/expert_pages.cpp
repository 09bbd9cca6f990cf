// SPDX-License-Identifier: MIT
#include "common/model/expert_pages.hpp"

#include <cstddef>
#include <cstdint>

#include <sys/mman.h>
#include <unistd.h>

#include "kernels/linear/tile_rows.h"

namespace adit::model {
namespace {

using kernels::LinearWeights;

// The pages that hold [begin, end).
void advise(const void* begin, const void* end, int advice) {
  static const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const std::uintptr_t first = reinterpret_cast<std::uintptr_t>(begin) / page * page;
  const auto last = reinterpret_cast<std::uintptr_t>(end);
  if (begin != nullptr && first < last) madvise(reinterpret_cast<void*>(first), last - first, advice);
}

bool has_offsets(const LinearWeights& all) {
  return all.storage == kernels::Storage::kBitmask || all.storage == kernels::Storage::kBlock;
}

// Where the codes of `tile` begin; of the tile after the last one, where they end.
const std::uint8_t* codes_at(const LinearWeights& all, int tile) {
  if (has_offsets(all)) return all.q + all.offsets[tile];
  return kernels::tile_rows(all, tile * kernels::kTileRows, 0).q;
}

}  // namespace

void read_alone(const LinearWeights& experts) {
  if (experts.q == nullptr) return;
  advise(codes_at(experts, 0), codes_at(experts, experts.m_pad / kernels::kTileRows), MADV_RANDOM);
}

void want(const LinearWeights& experts, int first, int count) {
  if (experts.q == nullptr) return;
  const LinearWeights begin = kernels::tile_rows(experts, first, count);
  const LinearWeights end = kernels::tile_rows(experts, first + count, 0);
  advise(codes_at(experts, first / kernels::kTileRows), codes_at(experts, (first + count) / kernels::kTileRows),
         MADV_WILLNEED);
  advise(begin.s, end.s, MADV_WILLNEED);
  if (experts.o != nullptr) advise(begin.o, end.o, MADV_WILLNEED);
  if (experts.mask != nullptr) advise(begin.mask, end.mask, MADV_WILLNEED);
}

}  // namespace adit::model
