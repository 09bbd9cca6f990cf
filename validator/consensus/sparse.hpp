// SPDX-License-Identifier: MIT
// validator/consensus/sparse.hpp
//
// Vectors and sparse matrices of I32F32, with the few operations of the epoch.
//
// In       Row: (column, value) pairs; a column stands at most once in a row. Matrix: one Row a uid.
// Shapes   square: as many columns as rows; every column index is below the row count.
// Errors   none.
// Exact    sums run in index order; nothing depends on the order of pairs in a row unless they saturate.
// Threads  pure; any thread.
// Source   the operations of the chain's epoch/math.rs, by meaning.
// Tests    tests/unit/validator/consensus/yuma_test.cpp
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "common/base/strong.hpp"
#include "validator/consensus/fixed.hpp"

namespace adit::validator {

using Vector = std::vector<I32F32>;
using Row = std::vector<std::pair<Uid, I32F32>>;
using Matrix = std::vector<Row>;

[[nodiscard]] I32F32 sum(const Vector& values);
// Each value over the sum; unchanged when the sum is 0.
[[nodiscard]] Vector normalised(const Vector& values);
void normalise_rows(Matrix& matrix);
// A column whose sum is 0 stays.
void normalise_columns(Matrix& matrix);
// Each value over the largest of its column; a column without a positive value stays.
void divide_by_column_max(Matrix& matrix);
// out[j] = sum_i left[i] * matrix[i][j]
[[nodiscard]] Vector left_product(const Vector& left, const Matrix& matrix);
// out[i] = sum_j matrix[i][j] * right[j]
[[nodiscard]] Vector right_product(const Matrix& matrix, const Vector& right);
// share * fresh + (1 - share) * old, positive results only.
[[nodiscard]] Matrix blend(const Matrix& fresh, const Matrix& old, I32F32 share);
// A row as a dense vector of `columns` values.
[[nodiscard]] Vector dense(const Row& row, std::size_t columns);

// For each column the greatest score that rows holding more than `kappa` of the stake reach; rows without
// stake do not count and a missing value is 0.
[[nodiscard]] Vector weighted_median_columns(const Vector& stake, const Matrix& matrix, I32F32 kappa);

}  // namespace adit::validator
