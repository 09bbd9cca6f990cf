// SPDX-License-Identifier: MIT
#include "kernels/core/isa.h"

#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "kernels/core/by_isa.h"

namespace adit::kernels {
namespace {

TEST(Isa, names_go_both_ways) {
  for (const Isa isa : kIsas) {
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
  // Where the processor is emulated it is known what it has (CMakeLists.txt).
  const char* known = std::getenv("ADIT_TEST_ISA");
  if (known != nullptr) {
    EXPECT_EQ(std::string(isa_name(best_isa())), known);
  }
}

TEST(Isa, every_supported_one_has_its_own_version) {
  for (const Isa isa : kIsas) {
    const std::string version = ADIT_BY_ISA(isa, "scalar", "avx2", "avx512", "neon");
    if (isa_supported(isa)) {
      EXPECT_EQ(version, isa_name(isa));
    }
  }
}

}  // namespace
}  // namespace adit::kernels
