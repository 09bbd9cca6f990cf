// SPDX-License-Identifier: MIT
#include "validator/consensus/sparse.hpp"

#include <algorithm>
#include <numeric>

namespace adit::validator {
namespace {

struct MedianRange {
  I32F32 minority;
  I32F32 low;
  I32F32 high;
};

// Quickselect on stake: keeps the half that holds the median until one score is left.
I32F32 weighted_median(const Vector& stake, const Vector& scores, MedianRange range) {
  std::vector<std::size_t> rows(stake.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  while (!rows.empty()) {
    if (rows.size() == 1) return scores[rows[0]];
    const I32F32 pivot = scores[rows[rows.size() / 2]];
    std::vector<std::size_t> below;
    std::vector<std::size_t> above;
    I32F32 stake_below;
    I32F32 stake_above;
    for (const std::size_t row : rows) {
      if (scores[row] < pivot) {
        stake_below += stake[row];
        below.push_back(row);
      } else if (scores[row] > pivot) {
        stake_above += stake[row];
        above.push_back(row);
      }
    }
    if (range.minority < range.low + stake_below && !below.empty()) {
      rows = std::move(below);
      range.high = range.low + stake_below;
    } else if (range.high - stake_above <= range.minority && !above.empty()) {
      rows = std::move(above);
      range.low = range.high - stake_above;
    } else {
      return pivot;
    }
  }
  return I32F32();
}

}  // namespace

I32F32 sum(const Vector& values) {
  I32F32 total;
  for (const I32F32 value : values) total += value;
  return total;
}

Vector normalised(const Vector& values) {
  const I32F32 total = sum(values);
  if (total.is_zero()) return values;
  Vector out;
  out.reserve(values.size());
  for (const I32F32 value : values) out.push_back(value / total);
  return out;
}

void normalise_rows(Matrix& matrix) {
  for (Row& row : matrix) {
    I32F32 total;
    for (const auto& [column, value] : row) total += value;
    if (!total.is_positive()) continue;
    for (auto& [column, value] : row) value = value / total;
  }
}

void normalise_columns(Matrix& matrix) {
  Vector totals(matrix.size());
  for (const Row& row : matrix) {
    for (const auto& [column, value] : row) totals[column] += value;
  }
  for (Row& row : matrix) {
    for (auto& [column, value] : row) {
      if (!totals[column].is_zero()) value = value / totals[column];
    }
  }
}

void divide_by_column_max(Matrix& matrix) {
  Vector most(matrix.size());
  for (const Row& row : matrix) {
    for (const auto& [column, value] : row) most[column] = std::max(most[column], value);
  }
  for (Row& row : matrix) {
    for (auto& [column, value] : row) {
      if (!most[column].is_zero()) value = value / most[column];
    }
  }
}

Vector left_product(const Vector& left, const Matrix& matrix) {
  Vector out(matrix.size());
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    for (const auto& [column, value] : matrix[i]) out[column] += left[i] * value;
  }
  return out;
}

Vector right_product(const Matrix& matrix, const Vector& right) {
  Vector out(matrix.size());
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    for (const auto& [column, value] : matrix[i]) out[i] += value * right[column];
  }
  return out;
}

Matrix blend(const Matrix& fresh, const Matrix& old, I32F32 share) {
  const I32F32 rest = I32F32::one() - share;
  Matrix out(fresh.size());
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    Vector values(fresh.size());
    for (const auto& [column, value] : fresh[i]) values[column] += share * value;
    for (const auto& [column, value] : old[i]) values[column] += rest * value;
    for (std::size_t column = 0; column < values.size(); ++column) {
      if (values[column].is_positive()) out[i].emplace_back(static_cast<Uid>(column), values[column]);
    }
  }
  return out;
}

Vector dense(const Row& row, std::size_t columns) {
  Vector out(columns);
  for (const auto& [column, value] : row) out[column] = value;
  return out;
}

Vector weighted_median_columns(const Vector& stake, const Matrix& matrix, I32F32 kappa) {
  const std::size_t columns = matrix.size();
  Vector holders;
  std::vector<Vector> scores(columns);
  for (std::size_t i = 0; i < columns; ++i) {
    if (!stake[i].is_positive()) continue;
    holders.push_back(stake[i]);
    const Vector row = dense(matrix[i], columns);
    for (std::size_t j = 0; j < columns; ++j) scores[j].push_back(row[j]);
  }
  holders = normalised(holders);
  const I32F32 total = sum(holders);
  const MedianRange range{.minority = total - kappa, .low = I32F32(), .high = total};
  Vector out;
  out.reserve(columns);
  for (std::size_t j = 0; j < columns; ++j) out.push_back(weighted_median(holders, scores[j], range));
  return out;
}

}  // namespace adit::validator
