// SPDX-License-Identifier: MIT
#include "common/model/linear_tiles.hpp"

#include <gtest/gtest.h>

#include <random>

#include "kernels/linear/linear.h"

namespace adit::model {
namespace {

using kernels::ActForm;
using kernels::ScaleGroup;
using kernels::WeightForm;

RowCodes random_row(WeightForm form, int k, ScaleGroup group, std::mt19937& random) {
  const int columns = group == ScaleGroup::kRow ? k : static_cast<int>(group);
  const int groups = (k + columns - 1) / columns;
  RowCodes row;
  row.group = group;
  row.q.assign(static_cast<std::size_t>((k + 31) / 32 * 32), 0);
  for (std::size_t i = 0; i < static_cast<std::size_t>(k); ++i) {
    const int code = form == WeightForm::kU4 ? static_cast<int>(random() % 16) : static_cast<int>(random() % 255) - 127;
    row.q[i] = static_cast<std::int8_t>(code);
  }
  for (int g = 0; g < groups; ++g) {
    row.s.push_back(static_cast<std::uint16_t>(random() % 512));
    row.o.push_back(form == WeightForm::kU4 ? static_cast<std::int16_t>(random() % 65535 - 32767) : std::int16_t{0});
  }
  row.rs = static_cast<float>(random() % 1000) / 1e6f;
  return row;
}

TEST(LinearTiles, rows_come_back_as_they_were_stored_and_mean_what_the_kernels_read) {
  std::mt19937 random(4);
  for (const ScaleGroup group : {ScaleGroup::k32, ScaleGroup::k64, ScaleGroup::k128, ScaleGroup::kRow}) {
    for (const auto& [m, k, form] : {std::tuple{1, 32, WeightForm::kI8}, {16, 64, WeightForm::kU4},
                                     {33, 40, WeightForm::kI8}, {50, 300, WeightForm::kU4},
                                     {50, 200, WeightForm::kI8}}) {
      LinearTiles tiles(form, ActForm::kA16, m, k, false, group);
      const int columns = group == ScaleGroup::kRow ? k : static_cast<int>(group);
      std::vector<RowCodes> rows;
      for (int row = 0; row < m; ++row) {
        rows.push_back(random_row(form, k, group, random));
        tiles.store_row(row, rows.back());
      }
      const kernels::LinearWeights view = tiles.view();
      ASSERT_EQ(view.m_pad % 16, 0);
      RowCodes back;
      for (int row = 0; row < m; ++row) {
        const RowCodes& stored = rows[static_cast<std::size_t>(row)];
        read_row(view, row, back);
        EXPECT_EQ(back.q, stored.q);
        EXPECT_EQ(back.s, stored.s);
        EXPECT_EQ(back.o, stored.o);
        EXPECT_EQ(back.rs, stored.rs);
        std::uint64_t abs_sum = 0, sq_sum = 0;
        for (int column = 0; column < k; ++column) {
          const auto at = static_cast<std::size_t>(column);
          const auto g = static_cast<std::size_t>(column / columns);
          const std::int64_t w = std::int64_t{stored.s[g]} * stored.q[at] + stored.o[g];
          ASSERT_EQ(kernels::effective_weight(view, row, column), w) << m << " " << k << " " << row << " " << column;
          abs_sum += static_cast<std::uint64_t>(w < 0 ? -w : w);
          sq_sum += static_cast<std::uint64_t>(w * w);
        }
        EXPECT_EQ(back.abs_sum, abs_sum);
        EXPECT_EQ(back.sq_sum, sq_sum);
      }
    }
  }
}

}  // namespace
}  // namespace adit::model
