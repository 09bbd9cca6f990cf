// SPDX-License-Identifier: MIT
// tests/unit/kernels/kernel_test.hpp
//
// What kernel tests share: random numbers from a printed seed, the vector instruction sets of this machine,
// and comparison of bits.
//
// Threads  one.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/rng.hpp"
#include "kernels/core/isa.h"
#include "kernels/core/numerics.h"

namespace adit::kernels {

// The seed of a property test; ADIT_TEST_SEED repeats a failure.
inline std::uint64_t test_seed() {
  const char* text = std::getenv("ADIT_TEST_SEED");
  return text == nullptr ? 20261125 : std::strtoull(text, nullptr, 10);
}

inline std::vector<Isa> vector_isas() {
  std::vector<Isa> isas;
  for (const Isa isa : kIsas) {
    if (isa != Isa::kScalar && isa_supported(isa)) isas.push_back(isa);
  }
  return isas;
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : rng_(seed) {}
  int between(int low, int high) {
    return low + static_cast<int>(rng_.below(static_cast<std::uint64_t>(high - low + 1)));
  }
  std::uint64_t bits() { return rng_.next(); }
  // Uniform in [-1, 1).
  float unit() {
    return static_cast<float>(static_cast<double>(rng_.next() >> 11) * 0x1p-52 - 1.0);
  }
  // Magnitudes spread over 2^-12 .. 2^4, now and then a zero of either sign.
  float wide() {
    if (rng_.below(64) == 0) return rng_.below(2) == 0 ? 0.0f : -0.0f;
    return std::ldexp(unit(), between(-12, 4));
  }
  std::vector<float> wide_row(int n) {
    std::vector<float> row(static_cast<std::size_t>(n));
    for (float& value : row) value = wide();
    return row;
  }

 private:
  SeededRng rng_;
};

// Bitwise equality; says the first place that differs.
inline testing::AssertionResult same_bits(const std::vector<float>& got,
                                          const std::vector<float>& want) {
  if (got.size() != want.size()) return testing::AssertionFailure() << "sizes differ";
  if (want.empty() || std::memcmp(got.data(), want.data(), want.size() * sizeof(float)) == 0) {
    return testing::AssertionSuccess();
  }
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (bits_of(got[i]) != bits_of(want[i])) {
      return testing::AssertionFailure()
             << "at " << i << ": got " << std::hexfloat << got[i] << ", want " << want[i];
    }
  }
  return testing::AssertionSuccess();
}

// Names the case in a failure.
inline std::string case_name(Isa isa, std::uint64_t seed, int round) {
  return std::string(isa_name(isa)) + ", seed " + std::to_string(seed) + ", round " +
         std::to_string(round);
}

}  // namespace adit::kernels
