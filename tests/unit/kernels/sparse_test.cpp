// SPDX-License-Identifier: MIT
// Sparse storages give the bits of the dense layer with zeros: every instruction set (with and without VBMI2),
// activation form, accumulator, batch and tile range.
#include "kernels/linear/sparse.h"

#include <array>

#include <gtest/gtest.h>

#include "tests/unit/kernels/sparse_linear.hpp"

namespace adit::kernels {
namespace {

constexpr std::array<SparseForm, 6> kForms{
    SparseForm{Storage::k24, 0, 0},      SparseForm{Storage::kBitmask, 0, 0},
    SparseForm{Storage::kBlock, 16, 64}, SparseForm{Storage::kBlock, 32, 32},
    SparseForm{Storage::kBlock, 1, 128}, SparseForm{Storage::kBlock, 1, 32}};
constexpr std::array<ActForm, 2> kActs{ActForm::kA16, ActForm::kA8g32};

std::vector<Isa> all_isas() {
  std::vector<Isa> out = vector_isas();
  out.push_back(Isa::kScalar);
  return out;
}

std::string name_of(const SparseForm& form, ActForm act) {
  return "storage " + std::to_string(static_cast<int>(form.storage)) + " of " +
         std::to_string(form.block_rows) + " x " + std::to_string(form.block_columns) +
         (act == ActForm::kA16 ? ", a16" : ", a8g32");
}

struct Shape {
  int m;
  int k;
  int scale_max;
  int dropped;
  ScaleGroup group = ScaleGroup::k32;
};
// Rows of zeros and, where the form can hold them, full rows among the others.
TestLinear random_layer(Random& random, const SparseForm& form, ActForm act, const Shape& shape) {
  TestLinear layer =
      TestLinear::random(random, WeightForm::kI8, act, shape.m, shape.k, shape.scale_max, shape.group);
  sparsify(layer, form, shape.m, shape.k, shape.dropped, random);
  for (int row = 0; row < shape.m; ++row) {
    const int kind = random.between(0, 9);
    if (kind > 1 || form.block_rows > 1) continue;
    for (int column = 0; column < shape.k; ++column) {
      const bool full = kind == 1 && (form.storage != Storage::k24 || column % 4 < 2);
      layer.code(row, column) = full ? random.between(1, 127) : 0;
    }
  }
  layer.build();
  return layer;
}

TEST(SparseLinear, equal_bits_to_the_dense_layer_on_random_shapes) {
  const std::uint64_t seed = test_seed();
  for (const SparseForm& form : kForms) {
    for (const ActForm act : kActs) {
      Random random(seed);
      for (int round = 0; round < 60; ++round) {
        const Shape shape{random.between(1, 70), random.between(1, round % 10 == 0 ? 1600 : 300),
                          random_scale_max(random), random.between(0, 8), random_group(random)};
        const int n = random.between(1, round % 7 == 0 ? 64 : 9);
        const TestLinear layer = random_layer(random, form, act, shape);
        const SparseLinear sparse(layer.view(), form);
        const std::vector<float> x = random.wide_row(n * shape.k);
        const std::vector<float> want = run_linear(Isa::kScalar, layer.view(), x, n);
        for (const Isa isa : all_isas()) {
          ASSERT_TRUE(same_bits(run_linear(isa, sparse.view(), x, n), want))
              << name_of(form, act) << ", " << case_name(isa, seed, round) << ", m " << shape.m
              << ", k " << shape.k << ", n " << n;
        }
      }
    }
  }
}

TEST(SparseLinear, every_batch_up_to_64_and_every_tile_alone) {
  Random random(test_seed());
  for (const SparseForm& form : kForms) {
    for (const ActForm act : kActs) {
      const Shape shape{43, 170, act == ActForm::kA16 ? 1023 : 1, 4, random_group(random)};
      const TestLinear layer = random_layer(random, form, act, shape);
      const SparseLinear sparse(layer.view(), form);
      const std::vector<float> x = random.wide_row(64 * shape.k);
      const std::vector<float> want = run_linear(Isa::kScalar, layer.view(), x, 64);
      for (const Isa isa : vector_isas()) {
        for (int n = 1; n <= 64; ++n) {
          ActBuffer buffer;
          buffer.prepare(isa, act, n, shape.k);
          quantize(isa, x.data(), static_cast<std::size_t>(shape.k), buffer, 0, n);
          std::vector<float> y(static_cast<std::size_t>(n * shape.m));
          for (int tile = tile_count(sparse.view()) - 1; tile >= 0; --tile)
            linear(isa, sparse.view(), buffer, y.data(), static_cast<std::size_t>(shape.m), tile,
                   tile + 1);
          const std::vector<float> part(want.begin(), want.begin() + n * shape.m);
          ASSERT_TRUE(same_bits(y, part)) << name_of(form, act) << ", " << isa_name(isa) << ", n " << n;
        }
      }
    }
  }
}

// Every product positive and the sum as large as it can be with two of four codes.
TEST(SparseLinear, both_accumulators_at_the_bound) {
  struct Case {
    ActForm act;
    int k;
    int scale;
    bool fits;
  };
  const std::vector<Case> cases{{ActForm::kA16, 2048, 129, true},    {ActForm::kA16, 2048, 132, false},
                                {ActForm::kA16, 2048, 65535, false}, {ActForm::kA8g32, 1024, 4, true},
                                {ActForm::kA8g32, 1024, 6, false},   {ActForm::kA8g32, 1024, 65535, false}};
  for (const SparseForm& form : {kForms[0], kForms[1], kForms[4]}) {
    for (const Case& c : cases) {
      TestLinear layer(WeightForm::kI8, c.act, 17, c.k);
      std::vector<float> x;
      for (int column = 0; column < c.k; ++column) {
        const bool negative = column % 3 == 0;
        const bool kept = form.storage == Storage::kBlock ? column / 128 % 2 == 0 : column % 4 >= 2;
        for (int row = 0; row < 17; ++row)
          layer.code(row, column) = !kept ? 0 : (negative ? -1 : 1) * (row % 2 == 1 ? -127 : 127);
        // Left-out columns are small, so that the largest activations meet the codes.
        x.push_back((kept ? 2.5f : 0.0f) * (negative ? -1.0f : 1.0f));
      }
      layer.set_scales(c.scale);
      layer.build();
      ActBuffer act;
      act.prepare(Isa::kScalar, c.act, 1, c.k);
      ASSERT_TRUE(quantize(Isa::kScalar, x.data(), x.size(), act, 0, 1));
      const SparseLinear sparse(layer.view(), form);
      EXPECT_EQ(fits_int32(sparse.view(), act, 0), c.fits) << c.scale;
      std::vector<float> want;
      const std::vector<std::int64_t> effective = effective_activations(act, 0);
      for (int row = 0; row < 17; ++row) want.push_back(layer.result(row, effective, act.scale(0)));
      for (const Isa isa : all_isas()) {
        EXPECT_TRUE(same_bits(run_linear(isa, sparse.view(), x, 1), want))
            << name_of(form, c.act) << ", " << isa_name(isa) << ", scale " << c.scale;
      }
    }
  }
}

TEST(SparseLinear, tiles_expand_to_the_dense_form_and_codes_are_found) {
  const std::uint64_t seed = test_seed();
  Random random(seed);
  for (const SparseForm& form : kForms) {
    for (int round = 0; round < 30; ++round) {
      const Shape shape{random.between(1, 50), random.between(1, 400), 1023, random.between(0, 8),
                        random_group(random)};
      const TestLinear layer = random_layer(random, form, ActForm::kA16, shape);
      const SparseLinear sparse(layer.view(), form);
      const LinearWeights view = sparse.view();
      for (int row = 0; row < shape.m; ++row) {
        for (int column = 0; column < shape.k; ++column)
          ASSERT_EQ(effective_weight(view, row, column), layer.weight(row, column));
      }
      const auto bytes = static_cast<std::size_t>(view.k_pad) * kTileRows;
      alignas(64) static std::uint8_t scalar[448 * kTileRows];
      alignas(64) static std::uint8_t vector[448 * kTileRows];
      for (int tile = 0; tile < tile_count(view); ++tile) {
        expand_tile_scalar(view, tile, scalar);
        for (const Isa isa : vector_isas()) {
          expand_tile(isa, view, tile, vector);
          ASSERT_EQ(std::memcmp(scalar, vector, bytes), 0)
              << name_of(form, ActForm::kA16) << ", " << case_name(isa, seed, round);
        }
      }
    }
  }
}

#if defined(__x86_64__)
// Processors with AVX-512 VNNI but no VBMI2 go this way.
TEST(SparseLinear, the_way_without_vbmi2_gives_the_bits) {
  if (!isa_supported(Isa::kAvx512)) GTEST_SKIP() << "no AVX-512";
  Random random(test_seed());
  for (const SparseForm& form : kForms) {
    for (const ActForm act : kActs) {
      const Shape shape{39, 210, 1023, 4, random_group(random)};
      const TestLinear layer = random_layer(random, form, act, shape);
      const SparseLinear sparse(layer.view(), form);
      const LinearWeights view = sparse.view();
      const std::vector<float> x = random.wide_row(5 * shape.k);
      const std::vector<float> want = run_linear(Isa::kScalar, layer.view(), x, 5);
      ActBuffer buffer;
      buffer.prepare(Isa::kAvx512, act, 5, shape.k);
      quantize(Isa::kAvx512, x.data(), static_cast<std::size_t>(shape.k), buffer, 0, 5);
      std::vector<float> y(want.size());
      // A limit of 0: no token is taken as proved, so these are int64 sums.
      linear_by_expansion(Isa::kAvx512,
                          LinearCall{&view, &buffer, y.data(), static_cast<std::size_t>(shape.m), 0,
                                     tile_count(view), 0},
                          expand_tile_avx2);
      EXPECT_TRUE(same_bits(y, want)) << name_of(form, act);
    }
  }
}
#endif

}  // namespace
}  // namespace adit::kernels
