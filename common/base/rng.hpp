// SPDX-License-Identifier: MIT
// common/base/rng.hpp
//
// The Rng seam: randomness comes in through a parameter.
//
// Out      fill: every byte of `out` is overwritten.
// Threads  OsRng: any thread. SeededRng: one thread.
// Source   SeededRng is splitmix64 (Steele, Lea, Flood 2014; public domain reference by S. Vigna): a
//          documented stream that is the same on every platform. Never for secrets.
// Tests    tests/unit/common/base/rng_test.cpp
#pragma once

#include <cstdint>
#include <span>

namespace adit {

class Rng {
 public:
  virtual ~Rng() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;
};

// getrandom(2); aborts if the kernel has no entropy source.
class OsRng final : public Rng {
 public:
  void fill(std::span<std::uint8_t> out) override;
};

class SeededRng final : public Rng {
 public:
  explicit SeededRng(std::uint64_t seed) : state_(seed) {}
  void fill(std::span<std::uint8_t> out) override;
  [[nodiscard]] std::uint64_t next();
  // Uniform in [0, bound), bound > 0, without modulo bias.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);

 private:
  std::uint64_t state_;
};

}  // namespace adit
