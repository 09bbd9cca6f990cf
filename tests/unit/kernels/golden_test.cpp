// SPDX-License-Identifier: MIT
// Every operation against vectors made from NUMERICS.md in exact rational arithmetic by another program
// (tests/vectors/numerics). They freeze version 1: a changed bit fails here.
#include <gtest/gtest.h>

#include "kernels/attention/attention.h"
#include "kernels/core/numerics_f64.h"
#include "kernels/norm/rms_norm.h"
#include "kernels/ops/rows.h"
#include "kernels/rope/rope.h"
#include "kernels/swiglu/swiglu.h"
#include "tests/unit/kernels/golden_records.hpp"
#include "tests/unit/kernels/random_linear.hpp"

namespace adit::kernels {
namespace {

int size_of(const std::vector<float>& x) {
  return static_cast<int>(x.size());
}

TEST(Golden, exp_c) {
  for (const Record& record : records_of("exp_c")) {
    for (const Isa isa : all_isas()) {
      std::vector<float> x = record.floats("x");
      exp_rows(isa, x.data(), 0.0f, size_of(x), x.data());
      EXPECT_TRUE(same_bits(x, record.floats("out"))) << isa_name(isa);
    }
  }
}

TEST(Golden, log_c) {
  for (const Record& record : records_of("log_c")) {
    const std::vector<float> x = record.floats("x");
    const std::vector<float> want = record.floats("out");
    for (std::size_t i = 0; i < x.size(); ++i)
      ASSERT_EQ(log_c(x[i]), want[i]) << std::hexfloat << x[i];
  }
}

TEST(Golden, f16) {
  for (const Record& record : records_of("f16")) {
    const std::vector<float> x = record.floats("x");
    for (std::size_t i = 0; i < x.size(); ++i) {
      ASSERT_EQ(f16_from_f32(x[i]), record.arrays.at("out")[i]) << std::hexfloat << x[i];
    }
  }
}

TEST(Golden, sums) {
  for (const Isa isa : all_isas()) {
    const Record sum = records_of("sum256").front();
    const std::vector<float> x = sum.floats("x");
    EXPECT_TRUE(same_bits({sum256(isa, x.data(), size_of(x))}, sum.floats("out"))) << isa_name(isa);
    const Record dot = records_of("dot256").front();
    const std::vector<float> a = dot.floats("x");
    const std::vector<float> b = dot.floats("y");
    EXPECT_TRUE(same_bits({dot256(isa, a.data(), b.data(), size_of(a))}, dot.floats("out")))
        << isa_name(isa);
  }
}

TEST(Golden, rms_norm) {
  const Record record = records_of("rms_norm").front();
  for (const Isa isa : all_isas()) {
    std::vector<float> x = record.floats("x");
    rms_norm(isa, x.data(), record.floats("w").data(), size_of(x), record.floats("eps")[0],
             x.data());
    EXPECT_TRUE(same_bits(x, record.floats("out"))) << isa_name(isa);
  }
}

TEST(Golden, rope) {
  const Record record = records_of("rope").front();
  for (const Isa isa : all_isas()) {
    std::vector<float> x = record.floats("x");
    rope(isa, x.data(), 1, size_of(x), record.floats("cos").data(), record.floats("sin").data());
    EXPECT_TRUE(same_bits(x, record.floats("out"))) << isa_name(isa);
  }
}

TEST(Golden, rope_tables_are_the_rounded_sines_and_cosines) {
  std::vector<double> inv_freq;
  for (int i = 0; i < 32; ++i) inv_freq.push_back(pow_d(10000.0, -static_cast<double>(i) / 32));
  for (const Record& record : records_of("rope_table")) {
    const int position = record.ints("position")[0];
    std::vector<float> c(32);
    std::vector<float> s(32);
    rope_table(inv_freq.data(), 32, position, c.data(), s.data());
    // At a position beyond 2^16 the last bits of inv_freq itself show.
    if (position < 65536) {
      EXPECT_TRUE(same_bits(c, record.floats("cos"))) << position;
      EXPECT_TRUE(same_bits(s, record.floats("sin"))) << position;
    }
    for (std::size_t i = 0; i < 32; ++i) {
      EXPECT_NEAR(c[i], record.floats("cos")[i], 1e-7);
      EXPECT_NEAR(s[i], record.floats("sin")[i], 1e-7);
    }
  }
}

TEST(Golden, swiglu) {
  const Record record = records_of("swiglu").front();
  for (const Isa isa : all_isas()) {
    std::vector<float> x = record.floats("gate");
    swiglu(isa, x.data(), record.floats("up").data(), size_of(x), x.data());
    EXPECT_TRUE(same_bits(x, record.floats("out"))) << isa_name(isa);
  }
}

// One query row over the keys and values of a record.
std::vector<float> attend_record(const Record& record, Isa isa, KvForm form, std::vector<std::uint16_t>& cached_k,
                                 std::vector<std::uint16_t>& cached_v) {
  const std::vector<float> q = record.floats("q");
  const std::vector<float> k = record.floats("k");
  const std::vector<float> v = record.floats("v");
  const int dim = size_of(q);
  const int keys = size_of(k) / dim;
  cached_k.assign(cache_cells(keys, dim, form), 0);
  cached_v.assign(cache_cells(keys, dim, form), 0);
  for (int j = 0; j < keys; ++j) {
    store_kv(isa, dim, j, k.data() + j * dim, v.data() + j * dim, cached_k.data(), cached_v.data(), form);
  }
  std::vector<float> out(q.size());
  std::vector<float> scratch(attend_scratch_floats(1, 1, keys));
  AttendParams params;
  params.form = form;
  params.head_dim = dim;
  params.first_keys = keys;
  params.scale = record.floats("scale")[0];
  params.q = q.data();
  params.k = cached_k.data();
  params.v = cached_v.data();
  params.out = out.data();
  params.scratch = scratch.data();
  attend(isa, params);
  return out;
}

TEST(Golden, attention) {
  std::vector<std::uint16_t> k, v;
  for (const Record& record : records_of("attention")) {
    for (const Isa isa : all_isas()) {
      EXPECT_TRUE(same_bits(attend_record(record, isa, KvForm::kF16, k, v), record.floats("out")))
          << isa_name(isa);
    }
  }
}

// Row j of an int8 cache as [codes | scale], from the layout of attention.h.
void expect_int8_rows(const Record& record, const std::vector<std::uint16_t>& cache, bool is_key, int first_row) {
  const int dim = size_of(record.floats("q"));
  const int keys = size_of(record.floats("k")) / dim;
  const std::vector<int> codes = record.ints("codes");
  const std::vector<float> scales = record.floats("scales");
  for (int j = 0; j < keys; ++j) {
    const std::uint16_t* block =
        cache.data() + static_cast<std::size_t>(j / kKeyBlock) * kv_block_cells(KvForm::kI8, dim);
    const auto* bytes = reinterpret_cast<const std::int8_t*>(block);
    float scale = 0;
    std::memcpy(&scale, bytes + kv_scale_at(j, dim), sizeof scale);
    const auto row = static_cast<std::size_t>(first_row + j);
    EXPECT_EQ(bits_of(scale), bits_of(scales[row])) << j;
    for (int i = 0; i < dim; ++i) {
      const int at = is_key ? i * kKeyBlock + j % kKeyBlock : (j % kKeyBlock) * dim + i;
      ASSERT_EQ(bytes[at], codes[row * static_cast<std::size_t>(dim) + static_cast<std::size_t>(i)]) << j << " " << i;
    }
  }
}

TEST(Golden, attention_over_int8_keys_and_values) {
  std::vector<std::uint16_t> k, v;
  for (const Record& record : records_of("attention_int8", "numerics_v2.txt")) {
    const int keys = size_of(record.floats("k")) / size_of(record.floats("q"));
    for (const Isa isa : all_isas()) {
      EXPECT_TRUE(same_bits(attend_record(record, isa, KvForm::kI8, k, v), record.floats("out")))
          << isa_name(isa);
      expect_int8_rows(record, k, true, 0);
      expect_int8_rows(record, v, false, keys);
    }
  }
}

TestLinear layer_of(const Record& record, int m, int k) {
  const bool is_u4 = record.ints("u4")[0] == 1;
  const ActForm act = record.ints("a16")[0] == 1 ? ActForm::kA16 : ActForm::kA8g32;
  TestLinear layer(is_u4 ? WeightForm::kU4 : WeightForm::kI8, act, m, k);
  layer.set(record.ints("q"), record.ints("s"), record.ints("o"), record.floats("rs"),
            record.floats("bias"));
  layer.build();
  return layer;
}

TEST(Golden, linear) {
  for (const Record& record : records_of("linear")) {
    const std::vector<float> x = record.floats("x");
    const int k = size_of(x);
    const int m = size_of(record.floats("rs"));
    const TestLinear layer = layer_of(record, m, k);
    for (const Isa isa : all_isas()) {
      ActBuffer act;
      act.prepare(isa, layer.view().act, 1, k);
      ASSERT_TRUE(quantize(isa, x.data(), x.size(), act, 0, 1));
      const std::vector<std::int64_t> effective = effective_activations(act, 0);
      for (std::size_t i = 0; i < x.size(); ++i)
        ASSERT_EQ(effective[i], record.ints("xq")[i]) << isa_name(isa);
      EXPECT_EQ(bits_of(act.scale(0)), record.arrays.at("scale")[0]);
      EXPECT_TRUE(same_bits(run_linear(isa, layer.view(), x, 1), record.floats("out")))
          << isa_name(isa);
    }
  }
}

}  // namespace
}  // namespace adit::kernels
