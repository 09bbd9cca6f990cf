// SPDX-License-Identifier: MIT
#include "kernels/core/isa.h"

#include <gtest/gtest.h>

namespace adit::kernels {
namespace {

TEST(Isa, names_go_both_ways) {
  for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512}) {
    Isa back = Isa::kScalar;
    ASSERT_TRUE(isa_from_name(isa_name(isa), back));
    EXPECT_EQ(back, isa);
  }
}

TEST(Isa, an_unknown_name_is_refused_and_changes_nothing) {
  Isa isa = Isa::kAvx2;
  EXPECT_FALSE(isa_from_name("sse9", isa));
  EXPECT_FALSE(isa_from_name("", isa));
  EXPECT_EQ(isa, Isa::kAvx2);
}

TEST(Isa, the_best_one_is_supported_and_none_above_it_is) {
  EXPECT_TRUE(isa_supported(Isa::kScalar));
  EXPECT_TRUE(isa_supported(best_isa()));
  if (best_isa() != Isa::kAvx512) {
    EXPECT_FALSE(isa_supported(Isa::kAvx512));
  }
}

}  // namespace
}  // namespace adit::kernels
