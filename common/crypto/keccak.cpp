// SPDX-License-Identifier: MIT
#include "common/crypto/keccak.hpp"

#include <bit>

namespace adit::crypto {
namespace {

constexpr int kRounds = 24;

// FIPS 202, algorithm 5: one bit of the round constants per step of x^8 + x^6 + x^5 + x^4 + 1.
constexpr std::array<std::uint64_t, kRounds> round_constants() {
  std::array<std::uint64_t, kRounds> out{};
  unsigned state = 1;
  for (std::uint64_t& constant : out) {
    for (unsigned j = 0; j < 7; ++j) {
      if ((state & 1) != 0) constant |= std::uint64_t{1} << ((1u << j) - 1);
      state = (state << 1) ^ ((state >> 7) * 0x171);
    }
  }
  return out;
}

// FIPS 202, algorithms 2 and 3: the path that rho and pi take through the lanes.
struct Step {
  int lane;
  int rotation;
};
constexpr std::array<Step, 24> rho_pi_path() {
  std::array<Step, 24> out{};
  int x = 1;
  int y = 0;
  for (int t = 0; t < 24; ++t) {
    const int next_y = (2 * x + 3 * y) % 5;
    x = y;
    y = next_y;
    out[static_cast<std::size_t>(t)] = {x + 5 * y, ((t + 1) * (t + 2) / 2) % 64};
  }
  return out;
}

constexpr auto kConstants = round_constants();
constexpr auto kPath = rho_pi_path();

}  // namespace

void keccak_f1600(std::array<std::uint64_t, 25>& lanes) {
  for (const std::uint64_t constant : kConstants) {
    // theta
    std::array<std::uint64_t, 5> columns{};
    for (std::size_t i = 0; i < 25; ++i) columns[i % 5] ^= lanes[i];
    for (std::size_t i = 0; i < 25; ++i) {
      lanes[i] ^= columns[(i + 4) % 5] ^ std::rotl(columns[(i + 1) % 5], 1);
    }
    // rho and pi
    std::uint64_t moving = lanes[1];
    for (const Step& step : kPath) {
      std::uint64_t& lane = lanes[static_cast<std::size_t>(step.lane)];
      const std::uint64_t displaced = lane;
      lane = std::rotl(moving, step.rotation);
      moving = displaced;
    }
    // chi and iota
    for (std::size_t row = 0; row < 25; row += 5) {
      const std::array<std::uint64_t, 5> r = {lanes[row], lanes[row + 1], lanes[row + 2], lanes[row + 3],
                                              lanes[row + 4]};
      for (std::size_t x = 0; x < 5; ++x) lanes[row + x] = r[x] ^ (~r[(x + 1) % 5] & r[(x + 2) % 5]);
    }
    lanes[0] ^= constant;
  }
}

}  // namespace adit::crypto
