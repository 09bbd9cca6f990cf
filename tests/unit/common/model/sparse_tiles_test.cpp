// SPDX-License-Identifier: MIT
#include "common/model/sparse_tiles.hpp"

#include <gtest/gtest.h>

#include "common/base/rng.hpp"
#include "common/model/linear_tiles.hpp"
#include "kernels/linear/sparse.h"

namespace adit::model {
namespace {

using kernels::Storage;

// A random int8 layer with `dropped` of 8 weights 0; in blocks of 32 columns if asked.
LinearTiles layer_of(std::uint64_t seed, int m, int k, int dropped, bool blocks) {
  SeededRng rng(seed);
  LinearTiles tiles(kernels::WeightForm::kI8, kernels::ActForm::kA16, m, k);
  for (int row = 0; row < m; ++row) {
    RowCodes codes;
    codes.q.resize(static_cast<std::size_t>((k + 31) / 32 * 32));
    codes.s.assign(codes.q.size() / 32, 3);
    codes.o.assign(codes.q.size() / 32, 0);
    codes.rs = 0.5f;
    bool gone = false;
    for (int c = 0; c < k; ++c) {
      if (!blocks || c % 32 == 0) gone = static_cast<int>(rng.below(8)) < dropped;
      codes.q[static_cast<std::size_t>(c)] =
          static_cast<std::int8_t>(gone ? 0 : static_cast<int>(rng.below(255)) - 127);
    }
    tiles.store_row(row, codes);
  }
  return tiles;
}

TEST(SparseTiles, give_the_dense_tiles_and_rows_again) {
  const StorageForm forms[] = {{Storage::kBitmask, 0, 0}, {Storage::kBlock, 1, 32}, {Storage::kBlock, 16, 64},
                               {Storage::kBlock, 32, 32}, {Storage::kBlock, 1, 128}};
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const int m = 1 + static_cast<int>(seed * 7), k = 1 + static_cast<int>(seed * 29);
    const LinearTiles dense = layer_of(seed, m, k, static_cast<int>(seed % 9), seed % 2 == 0);
    const auto view = dense.view();
    for (const StorageForm& form : forms) {
      const auto tiles = SparseTiles::encode(view, form);
      ASSERT_TRUE(tiles) << tiles.error().message;
      const auto sparse = tiles->view(view);
      Bytes expanded(static_cast<std::size_t>(16 * view.k_pad));
      for (int tile = 0; tile < view.m_pad / 16; ++tile) {
        kernels::expand_tile_scalar(sparse, tile, expanded.data());
        ASSERT_EQ(std::memcmp(expanded.data(), view.q + static_cast<std::ptrdiff_t>(tile) * 16 * view.k_pad,
                              expanded.size()),
                  0)
            << storage_name(form) << " " << seed;
      }
      RowCodes want, found;
      for (int row = 0; row < m; ++row) {
        read_row(view, row, want);
        read_row(sparse, row, found);
        ASSERT_EQ(want.q, found.q);
        ASSERT_EQ(want.s, found.s);
        ASSERT_EQ(want.abs_sum, found.abs_sum);
      }
    }
  }
}

TEST(SparseTiles, two_of_four_is_refused_for_three) {
  LinearTiles dense(kernels::WeightForm::kI8, kernels::ActForm::kA16, 3, 64);
  RowCodes codes;
  codes.q.assign(64, 0);
  codes.s.assign(2, 1);
  codes.o.assign(2, 0);
  codes.q[36] = 1;
  codes.q[39] = -127;
  dense.store_row(1, codes);
  const auto two = SparseTiles::encode(dense.view(), {Storage::k24, 0, 0});
  ASSERT_TRUE(two);
  EXPECT_EQ(two->values().size(), 16u * 32u);
  EXPECT_TRUE(two->offsets().empty());
  codes.q[37] = 5;
  dense.store_row(1, codes);
  const auto refused = SparseTiles::encode(dense.view(), {Storage::k24, 0, 0});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("columns 36..39"), std::string::npos) << refused.error().message;
}

TEST(SparseTiles, the_fastest_of_about_the_smallest_is_chosen) {
  const StorageForm block{Storage::kBlock, 1, 32}, mask{Storage::kBitmask, 0, 0}, two{Storage::k24, 0, 0};
  const StorageForm forms[] = {StorageForm{}, block, two, mask};
  EXPECT_EQ(best_storage(layer_of(1, 64, 256, 4, true).view(), forms), block);
  EXPECT_EQ(best_storage(layer_of(1, 64, 256, 4, false).view(), forms), mask);
  EXPECT_EQ(best_storage(layer_of(1, 64, 256, 0, false).view(), forms), StorageForm{});
}

TEST(SparseTiles, names_go_both_ways) {
  for (const char* name : {"dense", "2:4", "bitmask", "block 16x64", "block 32x32", "block 1x128"}) {
    const auto form = parse_storage(name);
    ASSERT_TRUE(form) << name;
    EXPECT_EQ(storage_name(*form), name);
  }
  for (const char* name : {"", "block", "block 16", "block 2x32", "block 16x40", "block 16x0", "block 16x-32",
                           "block 16x4096", "2:4 "}) {
    EXPECT_FALSE(parse_storage(name)) << name;
  }
}

}  // namespace
}  // namespace adit::model
