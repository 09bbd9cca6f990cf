// SPDX-License-Identifier: MIT
#include <cstring>

#include "kernels/hash/blake2b.h"

namespace adit::kernels::blake2b {
namespace {

struct OneLane {
  using Reg = std::uint64_t;
  static constexpr int kLanes = 1;
  static Reg set(std::uint64_t value) { return value; }
  static Reg add(Reg a, Reg b) { return a + b; }
  static Reg xor_(Reg a, Reg b) { return a ^ b; }
  template <int R>
  static Reg rot(Reg a) {
    return (a >> R) | (a << (64 - R));
  }
  static void load_block(Reg (&m)[16], const std::uint8_t* const* row, std::size_t offset) {
    std::memcpy(m, row[0] + offset, kBlockBytes);
  }
};

}  // namespace

void hash_lanes_1(const Personal& personal, const std::uint8_t* const* row, std::size_t row_bytes,
                  std::uint8_t* const* out) {
  hash_lanes<OneLane>(personal, row, row_bytes, out);
}

}  // namespace adit::kernels::blake2b
