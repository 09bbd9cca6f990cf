// SPDX-License-Identifier: MIT
#include "kernels/core/numerics_f64.h"

#include <cmath>
#include <cstdint>
#include <cstring>

namespace adit::kernels {
namespace {

// pi/2 and ln 2 in parts of 53 (ln 2: 33, then 53) bits; the sums are exact to 2^-160 and 2^-86.
constexpr double kHalfPi1 = 0x1.921fb54442d18p+0;
constexpr double kHalfPi2 = 0x1.1a62633145c07p-54;
constexpr double kHalfPi3 = -0x1.f1976b7ed8fbcp-110;
constexpr double kTwoOverPi = 0x1.45f306dc9c883p-1;
constexpr double kLn2Head = 0x1.62e42fee00000p-1;
constexpr double kLn2Tail = 0x1.a39ef35793c76p-33;
constexpr double kLog2EDouble = 0x1.71547652b82fep+0;
// 1.5 * 2^52: adding it leaves the nearest integer in the low bits.
constexpr double kMagic = 0x1.8p+52;

std::uint64_t bits_of_double(double value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

double double_of(std::uint64_t bits) {
  double value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// r - r^3/3! + ... - r^19/19!, |r| <= pi/4.
double sin_series(double r) {
  const double r2 = r * r;
  double sum = -1.0 / 121645100408832000.0;
  sum = std::fma(sum, r2, 1.0 / 355687428096000.0);
  sum = std::fma(sum, r2, -1.0 / 1307674368000.0);
  sum = std::fma(sum, r2, 1.0 / 6227020800.0);
  sum = std::fma(sum, r2, -1.0 / 39916800.0);
  sum = std::fma(sum, r2, 1.0 / 362880.0);
  sum = std::fma(sum, r2, -1.0 / 5040.0);
  sum = std::fma(sum, r2, 1.0 / 120.0);
  sum = std::fma(sum, r2, -1.0 / 6.0);
  return std::fma(sum * r2, r, r);
}

// 1 - r^2/2! + ... + r^16/16! - r^18/18!.
double cos_series(double r) {
  const double r2 = r * r;
  double sum = -1.0 / 6402373705728000.0;
  sum = std::fma(sum, r2, 1.0 / 20922789888000.0);
  sum = std::fma(sum, r2, -1.0 / 87178291200.0);
  sum = std::fma(sum, r2, 1.0 / 479001600.0);
  sum = std::fma(sum, r2, -1.0 / 3628800.0);
  sum = std::fma(sum, r2, 1.0 / 40320.0);
  sum = std::fma(sum, r2, -1.0 / 720.0);
  sum = std::fma(sum, r2, 1.0 / 24.0);
  sum = std::fma(sum, r2, -0.5);
  return std::fma(sum, r2, 1.0);
}

}  // namespace

void sincos_c(double angle, double& sine, double& cosine) {
  const double shifted = std::fma(angle, kTwoOverPi, kMagic);
  const double n = shifted - kMagic;
  double r = std::fma(-n, kHalfPi1, angle);
  r = std::fma(-n, kHalfPi2, r);
  r = std::fma(-n, kHalfPi3, r);
  const double s = sin_series(r);
  const double c = cos_series(r);
  switch (bits_of_double(shifted) & 3u) {
    case 0:
      sine = s;
      cosine = c;
      return;
    case 1:
      sine = c;
      cosine = -s;
      return;
    case 2:
      sine = -s;
      cosine = -c;
      return;
    default:
      sine = -c;
      cosine = s;
      return;
  }
}

double exp_d(double x) {
  const double shifted = std::fma(x, kLog2EDouble, kMagic);
  const double n = shifted - kMagic;
  double r = std::fma(-n, kLn2Head, x);
  r = std::fma(-n, kLn2Tail, r);
  // Horner form of the series to r^14/14!: ((r/14 + 1) r/13 + 1) ...
  double sum = 1.0;
  for (int i = 14; i >= 1; --i) sum = std::fma(sum, r / static_cast<double>(i), 1.0);
  return double_of(bits_of_double(sum) + (bits_of_double(shifted) << 52));
}

double log_d(double x) {
  const std::uint64_t bits = bits_of_double(x);
  constexpr std::uint64_t kSqrtHalf = 0x3fe6a09e667f3bcdu;
  const auto e = static_cast<std::int64_t>(bits - kSqrtHalf) >> 52;
  const double significand = double_of(bits - (static_cast<std::uint64_t>(e) << 52));
  const double f = significand - 1.0;
  const double s = f / (2.0 + f);
  const double s2 = s * s;
  // 2 atanh(s) = 2 s + 2 s^3/3 + ... + 2 s^23/23.
  double sum = 0.0;
  for (int i = 23; i >= 3; i -= 2) sum = std::fma(sum, s2, 2.0 / static_cast<double>(i));
  // log(1+f) = f - s * (f - s2 * sum): the leading term is exact.
  const double n = static_cast<double>(e);
  const double tail = std::fma(-s, std::fma(-s2, sum, f), n * kLn2Tail);
  return std::fma(n, kLn2Head, f + tail);
}

double pow_d(double base, double exponent) {
  return exp_d(exponent * log_d(base));
}

}  // namespace adit::kernels
