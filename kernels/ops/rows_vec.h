// SPDX-License-Identifier: MIT
// kernels/ops/rows_vec.h
//
// The row operations over a vector type V (core/vec_*.h), included by one source per instruction set.
//
// In       as rows.h, rms_norm.h, rope.h and swiglu.h; the same bits as rows_scalar.cpp.
// Threads  pure.
// Tests    tests/unit/kernels/ops_test.cpp
#pragma once

#include <cstdint>

#include "kernels/ops/row_ops.h"

namespace adit::kernels {
namespace {

template <class V>
struct RowKernels {
  using Reg = typename V::Reg;
  static constexpr int kLanes = V::kLanes;

  // out[i] = f(load(i)), whole vectors and then the rest.
  template <class F>
  static void map(int n, float* out, F f) {
    int i = 0;
    for (; i + kLanes <= n; i += kLanes)
      V::store(out + i, f([&](const float* p) { return V::load(p + i); }));
    const int rest = n - i;
    if (rest > 0)
      V::store_n(out + i, f([&](const float* p) { return V::load_n(p + i, rest); }), rest);
  }

  static void add(float* x, const float* y, int n) {
    map(n, x, [&](auto load) { return V::add(load(x), load(y)); });
  }
  static void add_scaled(float* y, float w, const float* x, int n) {
    const Reg weight = V::set1(w);
    map(n, y, [&](auto load) { return V::fma(weight, load(x), load(y)); });
  }
  static void divide(const float* x, float divisor, int n, float* out) {
    const Reg d = V::set1(divisor);
    map(n, out, [&](auto load) { return V::div(load(x), d); });
  }
  static void exp(const float* x, float shift, int n, float* out) {
    const Reg s = V::set1(shift);
    map(n, out, [&](auto load) { return V::exp(V::sub(load(x), s)); });
  }
  static void gumbel(const float* u, int n, float* out) {
    map(n, out, [&](auto load) { return V::neg(V::log(V::neg(V::log(load(u))))); });
  }
  static void scale_rows(const float* x, const float* w, float r, int n, float* y) {
    const Reg scale = V::set1(r);
    map(n, y, [&](auto load) { return V::mul(V::mul(load(x), scale), load(w)); });
  }
  static void swiglu(const float* gate, const float* up, int n, float* y) {
    const Reg one = V::set1(1.0f);
    map(n, y, [&](auto load) {
      const Reg g = load(gate);
      const Reg sig = V::div(one, V::add(one, V::exp(V::neg(g))));
      return V::mul(V::mul(g, sig), load(up));
    });
  }

  static void rotate(float* x, int half, const float* cosine, const float* sine) {
    int i = 0;
    for (; i + kLanes <= half; i += kLanes) {
      const Reg a = V::load(x + i);
      const Reg b = V::load(x + half + i);
      const Reg c = V::load(cosine + i);
      const Reg s = V::load(sine + i);
      V::store(x + i, V::fma(a, c, V::neg(V::mul(b, s))));
      V::store(x + half + i, V::fma(b, c, V::mul(a, s)));
    }
    const int rest = half - i;
    if (rest == 0) return;
    const Reg a = V::load_n(x + i, rest);
    const Reg b = V::load_n(x + half + i, rest);
    const Reg c = V::load_n(cosine + i, rest);
    const Reg s = V::load_n(sine + i, rest);
    V::store_n(x + i, V::fma(a, c, V::neg(V::mul(b, s))), rest);
    V::store_n(x + half + i, V::fma(b, c, V::mul(a, s)), rest);
  }

  static int argmax(const float* x, int n) {
    Reg best = V::set1(x[0]);
    int i = 0;
    for (; i + kLanes <= n; i += kLanes) best = V::max(best, V::load(x + i));
    if (i < n) best = V::max(best, V::select_n(n - i, V::load_n(x + i, n - i), best));
    float lanes[kLanes];
    V::store(lanes, best);
    float largest = lanes[0];
    for (int lane = 1; lane < kLanes; ++lane)
      largest = lanes[lane] > largest ? lanes[lane] : largest;
    const Reg wanted = V::set1(largest);
    for (i = 0; i + kLanes <= n; i += kLanes) {
      const std::uint32_t hits = V::equal(V::load(x + i), wanted);
      if (hits != 0) return i + __builtin_ctz(hits);
    }
    for (; i < n; ++i) {
      if (x[i] == largest) return i;
    }
    return 0;
  }

  static bool all_finite(const float* x, int n) {
    const Reg largest = V::set1(0x1.fffffep+127f);
    constexpr std::uint32_t kAll = static_cast<std::uint32_t>((1ULL << kLanes) - 1);
    std::uint32_t finite = kAll;
    int i = 0;
    for (; i + kLanes <= n; i += kLanes) finite &= V::less_equal(V::abs(V::load(x + i)), largest);
    if (i < n) finite &= V::less_equal(V::abs(V::load_n(x + i, n - i)), largest);
    return finite == kAll;
  }

  // The 256 lanes as registers, eight at a time; `step(acc, i)` and `step_n(acc, i, n)` add one
  // vector.
  template <class Step, class StepN>
  static float tree256(int n, Step step, StepN step_n) {
    constexpr int kRegs = 256 / kLanes;
    constexpr int kBlock = 8;
    Reg regs[kRegs];
    for (int block = 0; block < kRegs; block += kBlock) {
      Reg acc[kBlock];
      for (int r = 0; r < kBlock; ++r) acc[r] = V::zero();
      for (int base = block * kLanes; base < n; base += 256) {
        for (int r = 0; r < kBlock; ++r) {
          const int i = base + r * kLanes;
          if (i + kLanes <= n) {
            acc[r] = step(acc[r], i);
          } else if (i < n) {
            acc[r] = V::select_n(n - i, step_n(acc[r], i, n - i), acc[r]);
          }
        }
      }
      for (int r = 0; r < kBlock; ++r) regs[block + r] = acc[r];
    }
    for (int stride = kRegs / 2; stride >= 1; stride /= 2) {
      for (int r = 0; r < stride; ++r) regs[r] = V::add(regs[r], regs[r + stride]);
    }
    return V::reduce(regs[0]);
  }

  static float sum256(const float* x, int n) {
    return tree256(
        n, [&](Reg acc, int i) { return V::add(acc, V::load(x + i)); },
        [&](Reg acc, int i, int rest) { return V::add(acc, V::load_n(x + i, rest)); });
  }
  static float dot256(const float* x, const float* y, int n) {
    return tree256(
        n, [&](Reg acc, int i) { return V::fma(V::load(x + i), V::load(y + i), acc); },
        [&](Reg acc, int i, int rest) {
          return V::fma(V::load_n(x + i, rest), V::load_n(y + i, rest), acc);
        });
  }

  static constexpr RowOps table() {
    return RowOps{add, add_scaled, argmax,     sum256,     dot256, divide,
                  exp, gumbel,     all_finite, scale_rows, rotate, swiglu};
  }
};

}  // namespace
}  // namespace adit::kernels
