// SPDX-License-Identifier: MIT
// Low-rank adapters in a forward pass: A and B of each adapter over its own rows, beside linears that run over all.
#include <algorithm>

#include "common/model/forward_pass.hpp"
#include "kernels/linear/tile_rows.h"
#include "kernels/ops/rows.h"

namespace adit::model {
namespace {

using kernels::LinearWeights;

// Rows, and tiles of B, that are worked on at once: what lies between stays in a core's cache.
constexpr int kRows = 64;
constexpr int kTiles = 4;
constexpr int kColumns = kTiles * kernels::kTileRows;

// The place of a reader among those that read the same row.
std::size_t place_of(PartRole reader) {
  switch (reader) {
    case PartRole::kAttnK:
    case PartRole::kAttnKvA:
    case PartRole::kIndexQB:
    case PartRole::kFfnUp:
    case PartRole::kSharedUp:
      return 1;
    case PartRole::kAttnV:
    case PartRole::kIndexK:
      return 2;
    case PartRole::kIndexW:
      return 3;
    default:
      return 0;
  }
}

Share rows_of(const AdapterRun& run, bool is_wanted) {
  return is_wanted ? Share{run.wanted_begin, run.wanted_end} : Share{run.begin, run.end};
}

LinearWeights tiles_of(const LinearWeights& weights, int tile, int count) {
  const int first = tile * kernels::kTileRows;
  LinearWeights out = kernels::tile_rows(weights, first, count * kernels::kTileRows);
  out.m = std::min(out.m, weights.m - first);
  return out;
}

}  // namespace

void Forward::Pass::prepare_low_rows(Worker& worker, bool has_rows) {
  if (plan_.runs().empty()) return;
  int width = kColumns;
  for (const AdapterRun& run : plan_.runs()) width = std::max(width, run.adapter->width());
  const auto floats = static_cast<std::size_t>(kRows) * static_cast<std::size_t>(width);
  if (worker.low_scratch.size() < floats) worker.low_scratch.resize(floats);
  if (!has_rows) return;
  if (worker.low.size() < plan_.runs().size()) worker.low.resize(plan_.runs().size());
  for (std::size_t i = 0; i < plan_.runs().size(); ++i) {
    const AdapterRun& run = plan_.runs()[i];
    for (kernels::ActBuffer& act : worker.low[i]) {
      act.prepare(options_.isa, kernels::ActForm::kA16, run.end - run.begin, run.adapter->width());
    }
  }
}

void Forward::Pass::lower_runs(int w, const AdaptedRows& at, std::span<const PartRole> readers,
                               const kernels::ActBuffer& act, Share rows) {
  float* low = workers_[static_cast<std::size_t>(w)].low_scratch.data();
  bool finite = true;
  for (std::size_t i = 0; i < plan_.runs().size(); ++i) {
    const AdapterRun& run = plan_.runs()[i];
    const Share all = rows_of(run, at.is_wanted);
    const int begin = std::max(all.begin, rows.begin + at.first),
              end = std::min(all.end, rows.end + at.first);
    const int width = run.adapter->width();
    for (const PartRole reader : readers) {
      const LowRank* pair = run.adapter->find(at.layer, reader);
      if (pair == nullptr) continue;
      kernels::ActBuffer& out = at.low[i][place_of(reader)];
      for (int row = begin; row < end; row += kRows) {
        const int count = std::min(kRows, end - row);
        kernels::linear(options_.isa, pair->a, act.tokens(row - at.first, count), low,
                        static_cast<std::size_t>(width), 0, kernels::tile_count(pair->a));
        for (int r = 0; r < count; ++r) {
          const int token = row + r - all.begin;
          const float* values = low + static_cast<std::ptrdiff_t>(r) * width;
          finite = kernels::quantize(options_.isa, values, 0, out, token, token + 1) && finite;
        }
      }
    }
  }
  if (!finite) is_finite_.store(false, std::memory_order_relaxed);
}

void Forward::Pass::raise_runs(int w, const AdaptedRows& at, PartRole reader, float* y, int ldy,
                               Share tiles) {
  float* high = workers_[static_cast<std::size_t>(w)].low_scratch.data();
  for (std::size_t i = 0; i < plan_.runs().size(); ++i) {
    const AdapterRun& run = plan_.runs()[i];
    const LowRank* pair = run.adapter->find(at.layer, reader);
    if (pair == nullptr) continue;
    const kernels::ActBuffer& act = at.low[i][place_of(reader)];
    const Share all = rows_of(run, at.is_wanted);
    const int begin = std::max(all.begin, at.first), end = std::min(all.end, at.first + at.count);
    for (int tile = tiles.begin; tile < tiles.end; tile += kTiles) {
      const LinearWeights b = tiles_of(pair->b, tile, std::min(kTiles, tiles.end - tile));
      for (int row = begin; row < end; row += kRows) {
        const int count = std::min(kRows, end - row);
        kernels::linear(options_.isa, b, act.tokens(row - all.begin, count), high, kColumns, 0,
                        kernels::tile_count(b));
        for (int r = 0; r < count; ++r) {
          float* out = y + static_cast<std::ptrdiff_t>(row + r - at.first) * ldy + tile * kernels::kTileRows;
          kernels::add_rows(options_.isa, out, high + r * kColumns, b.m);
        }
      }
    }
  }
}

}  // namespace adit::model
