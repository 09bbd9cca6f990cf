// SPDX-License-Identifier: MIT
#include "common/model/prune.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

namespace adit::model {
namespace {

using kernels::Storage;

constexpr int kGroupMax = 64;

std::size_t z(int value) { return static_cast<std::size_t>(value); }

template <class T>
bool parse_all(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

float score(const float* norms, int column, float weight) {
  const float size = std::fabs(weight);
  return norms == nullptr ? size : size * norms[column];
}

// The `drop` lowest of the scores, of equal ones the later: their places.
template <class T>
std::vector<int> lowest(const std::vector<T>& scores, int drop) {
  std::vector<int> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  const auto before = [&](int a, int b) {
    return scores[z(a)] != scores[z(b)] ? scores[z(a)] < scores[z(b)] : a > b;
  };
  std::nth_element(order.begin(), order.begin() + drop, order.end(), before);
  order.resize(z(drop));
  return order;
}

int dropped(double share, std::size_t count) {
  return static_cast<int>(std::floor(share * static_cast<double>(count) + 1e-9));
}

// Columns [begin, begin + count) of a row: all but the best `keep` become 0.
void keep_best(const float* norms, int begin, int count, int keep, float* row) {
  std::vector<float> scores(z(count));
  for (int i = 0; i < count; ++i) scores[z(i)] = score(norms, begin + i, row[begin + i]);
  for (const int i : lowest(scores, std::max(count - keep, 0))) row[begin + i] = 0;
}

void prune_blocks(const PrunePattern& p, const RowNorms& norms_of, int count, int k, float* rows) {
  const int blocks = (k + p.block_columns - 1) / p.block_columns;
  for (int top = 0; top < count; top += p.block_rows) {
    const int bottom = std::min(top + p.block_rows, count);
    std::vector<double> sums(z(blocks));
    for (int r = top; r < bottom; ++r) {
      const float* norms = norms_of ? norms_of(r) : nullptr;
      for (int c = 0; c < k; ++c) {
        sums[z(c / p.block_columns)] += static_cast<double>(score(norms, c, rows[z(r) * z(k) + z(c)]));
      }
    }
    for (const int block : lowest(sums, dropped(p.share, sums.size()))) {
      const int from = block * p.block_columns, to = std::min(from + p.block_columns, k);
      for (int r = top; r < bottom; ++r) std::fill(rows + z(r) * z(k) + z(from), rows + z(r) * z(k) + z(to), 0.0f);
    }
  }
}

}  // namespace

Result<PrunePattern> parse_pattern(std::string_view text) {
  PrunePattern out;
  const auto bad = [&] {
    return invalid_argument(
        "pattern {}: expected N:M (N of every M weights stay, M up to {}), unstructured:SHARE or "
        "block:RxC:SHARE (R of 1, 16, 32, C a multiple of 32 up to 1024; SHARE of 0..1 goes)",
        text.substr(0, 40), kGroupMax);
  };
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return bad();
  const std::string_view head = text.substr(0, colon), rest = text.substr(colon + 1);
  if (head == "unstructured" || head == "block") {
    out.kind = head == "block" ? PruneKind::kBlock : PruneKind::kUnstructured;
    std::string_view share = rest;
    if (out.kind == PruneKind::kBlock) {
      const std::size_t second = rest.find(':');
      if (second == std::string_view::npos) return bad();
      const auto form = parse_storage("block " + std::string(rest.substr(0, second)));
      if (!form) return bad();
      out.block_rows = form->block_rows;
      out.block_columns = form->block_columns;
      share = rest.substr(second + 1);
    }
    if (!parse_all(share, out.share) || !(out.share >= 0 && out.share < 1)) return bad();
    return out;
  }
  if (!parse_all(head, out.n) || !parse_all(rest, out.m)) return bad();
  if (out.n < 1 || out.n >= out.m || out.m > kGroupMax) return bad();
  return out;
}

std::vector<StorageForm> storages_of(const PrunePattern& p) {
  std::vector<StorageForm> out{StorageForm{}};
  if (p.kind == PruneKind::kBlock) out.push_back({Storage::kBlock, p.block_rows, p.block_columns});
  if (p.kind == PruneKind::kNOfM) out.push_back({Storage::k24, 0, 0});
  out.push_back({Storage::kBitmask, 0, 0});
  return out;
}

void prune_rows(const PrunePattern& p, const RowNorms& norms_of, int count, int k, float* rows) {
  if (p.kind == PruneKind::kBlock) {
    prune_blocks(p, norms_of, count, k, rows);
    return;
  }
  for (int r = 0; r < count; ++r) {
    float* row = rows + z(r) * z(k);
    const float* norms = norms_of ? norms_of(r) : nullptr;
    if (p.kind == PruneKind::kUnstructured) {
      keep_best(norms, 0, k, k - dropped(p.share, z(k)), row);
      continue;
    }
    for (int begin = 0; begin < k; begin += p.m) keep_best(norms, begin, std::min(p.m, k - begin), p.n, row);
  }
}

void ColumnNorms::add(const Part& part, int first, const float* x, int n) {
  std::vector<double>& sums = seen_[part.name][first].squares;
  sums.resize(z(part.k));
  for (int i = 0; i < n; ++i) {
    for (int c = 0; c < part.k; ++c) {
      const auto value = static_cast<double>(x[z(i) * z(part.k) + z(c)]);
      sums[z(c)] += value * value;
    }
  }
}

void ColumnNorms::finish() {
  for (auto& [name, firsts] : seen_) {
    for (auto& [first, seen] : firsts) {
      seen.norms.clear();
      for (const double sum : seen.squares) seen.norms.push_back(static_cast<float>(std::sqrt(sum)));
    }
  }
}

const float* ColumnNorms::of(const std::string& name, int row) const {
  const auto found = seen_.find(name);
  if (found == seen_.end()) return nullptr;
  const auto after = found->second.upper_bound(row);
  return after == found->second.begin() ? nullptr : std::prev(after)->second.norms.data();
}

Result<void> Pruner::apply(const Part& part, int begin, int count, float* rows) const {
  RowNorms norms;
  if (norms_ != nullptr) norms = [&](int row) { return norms_->of(part.name, begin + row); };
  prune_rows(pattern_, norms, count, part.k, rows);
  return {};
}

}  // namespace adit::model
