// SPDX-License-Identifier: MIT
// A part of a linear layer's rows gives the bits that these rows have in the whole.
#include "kernels/linear/tile_rows.h"

#include <gtest/gtest.h>

#include "tests/unit/kernels/random_linear.hpp"

namespace adit::kernels {
namespace {

TEST(TileRows, give_the_rows_of_the_whole) {
  Random random(test_seed());
  std::vector<Isa> isas = vector_isas();
  isas.push_back(Isa::kScalar);
  for (const WeightForm form : {WeightForm::kI8, WeightForm::kU4}) {
    for (const ActForm form_act : {ActForm::kA16, ActForm::kA8g32}) {
      const TestLinear layer = TestLinear::random(random, form, form_act, 96, 72, 300);
      const std::vector<float> x = random.wide_row(5 * 72);
      for (const Isa isa : isas) {
        ActBuffer act;
        act.prepare(isa, form_act, 5, 72);
        ASSERT_TRUE(quantize(isa, x.data(), 72, act, 0, 5));
        std::vector<float> whole(5 * 96);
        linear(isa, layer.view(), act, whole.data(), 96, 0, 6);
        std::vector<float> parts(5 * 96);
        for (const auto& [first, count] : {std::pair{0, 16}, {16, 48}, {64, 32}}) {
          linear(isa, tile_rows(layer.view(), first, count), act, parts.data() + first, 96, 0, count / 16);
        }
        EXPECT_TRUE(same_bits(parts, whole)) << isa_name(isa);
      }
    }
  }
}

}  // namespace
}  // namespace adit::kernels
