// SPDX-License-Identifier: MIT
#include "kernels/indexer/top_k.h"

#include <array>
#include <cstddef>

#include "kernels/core/numerics.h"

namespace adit::kernels {
namespace {

constexpr int kDigitBits = 11;
constexpr std::uint32_t kDigits = 1u << kDigitBits;

// Larger scores have larger ranks; -0 has the rank of +0.
std::uint32_t rank_of(float score) {
  const std::uint32_t bits = bits_of(score + 0.0f);
  return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

}  // namespace

void top_k(const float* scores, int n, int k, std::int32_t* chosen) {
  // The rank of the k-th best, digit by digit from the top; `left` of its equals are taken.
  std::uint32_t rank = 0;
  std::uint32_t known = 0;
  auto left = static_cast<std::uint32_t>(k);
  for (const int shift : {21, 10, 0}) {
    const int bits = shift == 0 ? 10 : kDigitBits;
    const std::uint32_t mask = (1u << bits) - 1;
    std::array<std::uint32_t, kDigits> counts{};
    for (int i = 0; i < n; ++i) {
      const std::uint32_t r = rank_of(scores[i]);
      if ((r & known) == rank) ++counts[(r >> shift) & mask];
    }
    std::uint32_t digit = mask;
    while (counts[digit] < left) left -= counts[digit--];
    rank |= digit << shift;
    known |= mask << shift;
  }
  int found = 0;
  for (int i = 0; i < n; ++i) {
    const std::uint32_t r = rank_of(scores[i]);
    const bool is_equal = r == rank && left > 0;
    if (r <= rank && !is_equal) continue;
    if (is_equal) --left;
    chosen[found++] = i;
  }
}

}  // namespace adit::kernels
