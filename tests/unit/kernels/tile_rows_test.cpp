// SPDX-License-Identifier: MIT
// A part of a linear layer's rows gives the bits that these rows have in the whole.
#include "kernels/linear/tile_rows.h"

#include <gtest/gtest.h>

#include "tests/unit/kernels/sparse_linear.hpp"

namespace adit::kernels {
namespace {

TEST(TileRows, give_the_rows_of_the_whole) {
  Random random(test_seed());
  std::vector<Isa> isas = vector_isas();
  isas.push_back(Isa::kScalar);
  for (const ScaleGroup group : kScaleGroups) {
    for (int forms = 0; forms < 4; ++forms) {
      const WeightForm form = forms % 2 == 0 ? WeightForm::kI8 : WeightForm::kU4;
      const ActForm form_act = forms < 2 ? ActForm::kA16 : ActForm::kA8g32;
      const TestLinear layer = TestLinear::random(random, form, form_act, 96, 72, 300, group);
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

TEST(TileRows, of_a_sparse_layer_too) {
  Random random(test_seed());
  for (const SparseForm& form : {SparseForm{Storage::k24, 0, 0}, SparseForm{Storage::kBitmask, 0, 0},
                                 SparseForm{Storage::kBlock, 16, 64}}) {
    TestLinear layer = TestLinear::random(random, WeightForm::kI8, ActForm::kA16, 96, 72, 300, ScaleGroup::k64);
    sparsify(layer, form, 96, 72, 4, random);
    layer.build();
    const SparseLinear sparse(layer.view(), form);
    const std::vector<float> x = random.wide_row(3 * 72);
    const std::vector<float> want = run_linear(Isa::kScalar, layer.view(), x, 3);
    ActBuffer act;
    act.prepare(best_isa(), ActForm::kA16, 3, 72);
    ASSERT_TRUE(quantize(best_isa(), x.data(), 72, act, 0, 3));
    std::vector<float> parts(3 * 96);
    for (const auto& [first, count] : {std::pair{0, 16}, {16, 48}, {64, 32}}) {
      linear(best_isa(), tile_rows(sparse.view(), first, count), act, parts.data() + first, 96, 0, count / 16);
    }
    EXPECT_TRUE(same_bits(parts, want)) << static_cast<int>(form.storage);
  }
}

}  // namespace
}  // namespace adit::kernels
