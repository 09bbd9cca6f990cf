// SPDX-License-Identifier: MIT
// tests/support/evicted_pack.hpp
//
// A pack whose experts' pages are on the disk only, and which of them are in memory.
//
// In       a pack of a family with experts, below kHugeFileBytes, in a file that nobody else maps.
// Out      evict: a try; is_evicted says whether the file system let the pages go.
// Units    pages of the system.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/model/pack.hpp"
#include "tests/support/tiny_model.hpp"

namespace adit::test {

// An expert's codes of one matrix take 8 pages and more; the file stays below kHugeFileBytes: mapped plainly.
inline model::ModelConfig many_experts(int layers) {
  model::ModelConfig c = test::tiny_config("deepseek_v2");
  c.layers = layers;
  c.hidden = 1024;
  c.ffn = 64;
  c.moe.experts = 24;
  c.moe.ffn = 64;
  c.moe.shared_ffn = 32;
  c.moe.groups = c.moe.groups_per_token = 1;
  c.moe.dense_layers = 1;
  return c;
}

inline std::uintptr_t page_bytes() { return static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE)); }

// Whether each page that holds codes of rows [first, first + count), and of no other rows, is in memory.
inline std::vector<bool> inner_pages(const kernels::LinearWeights& all, int first, int count) {
  const std::size_t row = static_cast<std::size_t>(all.k_pad) / (all.form == kernels::WeightForm::kU4 ? 2 : 1);
  const auto begin = reinterpret_cast<std::uintptr_t>(all.q) + static_cast<std::size_t>(first) * row;
  const std::uintptr_t end = begin + static_cast<std::size_t>(count) * row;
  const std::uintptr_t from = (begin + page_bytes() - 1) / page_bytes() * page_bytes();
  const std::uintptr_t to = end / page_bytes() * page_bytes();
  std::vector<unsigned char> pages((to - from) / page_bytes());
  EXPECT_EQ(0, mincore(reinterpret_cast<void*>(from), to - from, pages.data()));
  std::vector<bool> out;
  for (const unsigned char page : pages) out.push_back((page & 1U) != 0);
  return out;
}

inline bool all_in(const std::vector<bool>& pages) {
  return std::find(pages.begin(), pages.end(), false) == pages.end();
}
inline bool none_in(const std::vector<bool>& pages) {
  return std::find(pages.begin(), pages.end(), true) == pages.end();
}

// Whole pages that hold an array of experts' codes.
struct CodePages {
  void* begin;
  std::size_t bytes;
};
inline std::vector<CodePages> expert_codes(const model::Pack& pack) {
  std::vector<CodePages> out;
  for (const model::LayerWeights& layer : pack.layers()) {
    for (const kernels::LinearWeights* w : {&layer.experts_gate, &layer.experts_up, &layer.experts_down}) {
      if (w->q == nullptr) continue;
      const auto first = reinterpret_cast<std::uintptr_t>(w->q);
      const std::uintptr_t begin = first / page_bytes() * page_bytes();
      const std::size_t codes = static_cast<std::size_t>(w->m_pad) * static_cast<std::size_t>(w->k_pad);
      const std::size_t bytes = w->form == kernels::WeightForm::kU4 ? codes / 2 : codes;
      out.push_back({reinterpret_cast<void*>(begin), first + bytes - begin});
    }
  }
  return out;
}

// As a pack that exceeds memory is mapped: in small pages, read ahead by the system unless an engine advised it
// otherwise before.
inline void map_plainly(const model::Pack& pack, bool is_advised) {
  for (const CodePages& pages : expert_codes(pack)) {
    if (!is_advised) madvise(pages.begin, pages.bytes, MADV_NORMAL);
    madvise(pages.begin, pages.bytes, MADV_NOHUGEPAGE);
  }
}

// Takes the experts' codes out of this mapping, and then the file's pages out of the cache.
inline void evict(const model::Pack& pack, const std::filesystem::path& path) {
  for (const CodePages& pages : expert_codes(pack)) madvise(pages.begin, pages.bytes, MADV_DONTNEED);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  fsync(fd);
  EXPECT_EQ(0, posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
  close(fd);
}

inline bool is_evicted(const model::Pack& pack) {
  const model::LayerWeights& layer = pack.layers().back();
  const model::ModelConfig& c = pack.config();
  return none_in(inner_pages(layer.experts_gate, 0, c.moe.experts * c.moe.ffn)) &&
         none_in(inner_pages(layer.experts_up, 0, c.moe.experts * c.moe.ffn)) &&
         none_in(inner_pages(layer.experts_down, 0, c.moe.experts * c.hidden));
}

}  // namespace adit::test
