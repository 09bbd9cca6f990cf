// SPDX-License-Identifier: MIT
#include "common/model/prune.hpp"

#include <gtest/gtest.h>

namespace adit::model {
namespace {

using Floats = std::vector<float>;

Floats pruned(const char* pattern, Floats rows, int count, const Floats& norms = {}) {
  const int k = static_cast<int>(rows.size()) / count;
  RowNorms of;
  if (!norms.empty()) of = [&](int) { return norms.data(); };
  prune_rows(parse_pattern(pattern).value(), of, count, k, rows.data());
  return rows;
}

TEST(Prune, n_of_m_keeps_the_largest_of_each_group_and_the_lower_column_of_equals) {
  EXPECT_EQ(pruned("2:4", {1, -5, 3, 2, /**/ 7, 7, 7, 7, /**/ 0.5f, 9}, 1),
            (Floats{0, -5, 3, 0, 7, 7, 0, 0, 0.5f, 9}));
  EXPECT_EQ(pruned("1:4", {1, -5, 3, 2}, 1), (Floats{0, -5, 0, 0}));
}

TEST(Prune, unstructured_drops_the_share_of_each_row) {
  EXPECT_EQ(pruned("unstructured:0.5", {1, -5, 3, 2, /**/ 4, 1, 2, 3}, 2), (Floats{0, -5, 3, 0, 4, 0, 0, 3}));
  EXPECT_EQ(pruned("unstructured:0", {1, 0, 3}, 1), (Floats{1, 0, 3}));
}

TEST(Prune, norms_weigh_the_columns) {
  EXPECT_EQ(pruned("unstructured:0.5", {1, -5, 3, 2}, 1, {100, 1, 1, 2}), (Floats{1, -5, 0, 0}));
  EXPECT_EQ(pruned("2:4", {1, -5, 3, 2}, 1, {100, 0, 1, 2}), (Floats{1, 0, 0, 2}));
}

TEST(Prune, blocks_go_whole_by_their_sums) {
  // 2 rows of blocks (16 rows each, the last cut to 4) of 96 columns = 3 blocks.
  Floats rows(20 * 96, 1.0f);
  for (std::size_t r = 0; r < 16; ++r) {
    for (std::size_t c = 32; c < 64; ++c) rows[r * 96 + c] = -0.5f;
  }
  for (std::size_t r = 16; r < 20; ++r) {
    for (std::size_t c = 64; c < 96; ++c) rows[r * 96 + c] = 0.25f;
  }
  const Floats out = pruned("block:16x32:0.34", rows, 20);
  for (std::size_t r = 0; r < 20; ++r) {
    for (std::size_t c = 0; c < 96; ++c) {
      const bool gone = r < 16 ? c / 32 == 1 : c / 32 == 2;
      ASSERT_EQ(out[r * 96 + c], gone ? 0.0f : rows[r * 96 + c]) << r << " " << c;
    }
  }
}

TEST(Prune, patterns_that_are_none_are_refused) {
  for (const char* text : {"", "2", "4:2", "0:4", "4:4", "2:65", "2:4x", "unstructured", "unstructured:1",
                           "unstructured:-1", "unstructured:nan", "block:16x64", "block:3x64:0.5", "block:16x33:0.5",
                           "block:16x2048:0.5", "blocks:16x64:0.5"}) {
    EXPECT_FALSE(parse_pattern(text)) << text;
  }
  EXPECT_TRUE(parse_pattern("block:1x128:0.75"));
}

}  // namespace
}  // namespace adit::model
