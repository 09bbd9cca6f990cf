// SPDX-License-Identifier: MIT
#include "common/model/eval.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "common/model/kv_cache.hpp"
#include "common/model/parallel_rows.hpp"

namespace adit::model {
namespace {

constexpr int kChunkRows = 64;
// Share of the progress that the reference's pass over the layers takes.
constexpr double kBeginShare = 0.4;

class ReferenceSource final : public LogitsSource {
 public:
  explicit ReferenceSource(const Reference& reference) : reference_(reference) {}
  Result<void> begin(std::span<const std::vector<TokenId>> windows, const EvalProgress& progress) override {
    ADIT_TRY(hidden_, reference_.hidden(windows, progress));
    std::size_t at = 0;
    for (const auto& window : windows) {
      starts_.push_back(at);
      at += window.size();
    }
    return {};
  }
  Result<void> logits(std::size_t window, int first, int count, float* out) override {
    const std::size_t row = starts_[window] + static_cast<std::size_t>(first);
    return reference_.logits(hidden_.data() + row * static_cast<std::size_t>(reference_.config().hidden),
                             count, out);
  }

 private:
  const Reference& reference_;
  std::vector<float> hidden_;
  std::vector<std::size_t> starts_;
};

class EngineSource final : public LogitsSource {
 public:
  EngineSource(const Pack& pack, const ForwardOptions& options) : pack_(pack), forward_(pack, options) {}
  Result<void> begin(std::span<const std::vector<TokenId>> windows, const EvalProgress&) override {
    windows_ = windows;
    return {};
  }
  Result<void> logits(std::size_t window, int first, int count, float* out) override {
    const std::vector<TokenId>& ids = windows_[window];
    if (first == 0) {
      ADIT_TRY(KvCache cache, KvCache::make(pack_.config(), static_cast<int>(ids.size()), forward_.options().kv));
      cache_ = std::move(cache);
    }
    const Segment segment{
        .cache = &*cache_,
        .trace = nullptr,
        .first_position = first,
        .tokens = std::span(ids).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
        .first_wanted = first};
    ADIT_TRY_VOID(forward_.step(std::span(&segment, 1)));
    const auto vocab = static_cast<std::size_t>(pack_.config().vocab);
    for (int i = 0; i < count; i += forward_.options().logits_rows_max) {
      const int rows = std::min(forward_.options().logits_rows_max, count - i);
      ADIT_TRY(const float* from, forward_.logits(i, rows));
      for (int r = 0; r < rows; ++r) {
        std::copy_n(from + static_cast<std::size_t>(r) * forward_.logits_stride(), vocab, out);
        out += vocab;
      }
    }
    return {};
  }

 private:
  const Pack& pack_;
  Forward forward_;
  std::span<const std::vector<TokenId>> windows_;
  std::optional<KvCache> cache_;
};

struct Row {
  double kl = 0;
  double nll_reference = 0;
  double nll_other = 0;
  bool same_top = false;
};

double log_sum_exp(const float* x, int n, float top) {
  double sum = 0;
  for (int i = 0; i < n; ++i) sum += static_cast<double>(std::exp(x[i] - top));
  return static_cast<double>(top) + std::log(sum);
}

// next: the id that follows, or -1.
Row compare_row(const float* reference, const float* other, int vocab, TokenId next) {
  const float* top_r = std::max_element(reference, reference + vocab);
  const float* top_o = std::max_element(other, other + vocab);
  const double lse_r = log_sum_exp(reference, vocab, *top_r), lse_o = log_sum_exp(other, vocab, *top_o);
  const auto shift = static_cast<float>(lse_r);
  Row row;
  for (int i = 0; i < vocab; ++i) {
    const double p = static_cast<double>(std::exp(reference[i] - shift));
    row.kl += p * static_cast<double>(reference[i] - other[i]);
  }
  row.kl += lse_o - lse_r;
  row.same_top = top_r - reference == top_o - other;
  if (next >= 0) {
    row.nll_reference = lse_r - static_cast<double>(reference[next]);
    row.nll_other = lse_o - static_cast<double>(other[next]);
  }
  return row;
}

struct Totals {
  double kl = 0;
  double kl_max = 0;
  double nll_reference = 0;
  double nll_other = 0;
  std::size_t same_top = 0;
  void add(const Row& row) {
    kl += row.kl;
    kl_max = std::max(kl_max, row.kl);
    nll_reference += row.nll_reference;
    nll_other += row.nll_other;
    same_top += row.same_top ? 1 : 0;
  }
};

std::vector<std::vector<TokenId>> cut(std::span<const TokenId> ids, int window) {
  std::vector<std::vector<TokenId>> out;
  for (std::size_t at = 0; at < ids.size(); at += static_cast<std::size_t>(window)) {
    const auto part = ids.subspan(at, std::min(static_cast<std::size_t>(window), ids.size() - at));
    out.emplace_back(part.begin(), part.end());
  }
  return out;
}

}  // namespace

std::unique_ptr<LogitsSource> reference_source(const Reference& reference) {
  return std::make_unique<ReferenceSource>(reference);
}

std::unique_ptr<LogitsSource> engine_source(const Pack& pack, const ForwardOptions& options) {
  ForwardOptions fitting = options;
  fitting.rows_max = std::max(options.rows_max, kChunkRows);
  return std::make_unique<EngineSource>(pack, fitting);
}

Result<EvalReport> compare_models(std::span<const TokenId> ids, LogitsSource& reference,
                                  LogitsSource& other, const EvalOptions& options,
                                  const EvalProgress& progress) {
  if (ids.size() < 2) return invalid_argument("a text of {} tokens, expected at least 2", ids.size());
  if (options.window < 2)
    return invalid_argument("a window of {} tokens, expected at least 2", options.window);
  const auto report = [&](double done) {
    if (progress) progress(done);
  };
  const auto windows = cut(ids, options.window);
  ADIT_TRY_VOID(reference.begin(windows, [&](double done) { report(kBeginShare * done); }));
  ADIT_TRY_VOID(other.begin(windows, {}));
  const auto vocab = static_cast<std::size_t>(options.vocab);
  std::vector<float> of_reference(kChunkRows * vocab), of_other(kChunkRows * vocab);
  std::vector<Row> rows(kChunkRows);
  Totals totals;
  EvalReport out;
  for (std::size_t w = 0; w < windows.size(); ++w) {
    const int length = static_cast<int>(windows[w].size());
    for (int first = 0; first < length; first += kChunkRows) {
      const int count = std::min(kChunkRows, length - first);
      ADIT_TRY_VOID(reference.logits(w, first, count, of_reference.data()));
      ADIT_TRY_VOID(other.logits(w, first, count, of_other.data()));
      parallel_rows(options.threads, count, 4, [&](int begin, int end) {
        for (int i = begin; i < end; ++i) {
          const auto row = static_cast<std::size_t>(i), next = static_cast<std::size_t>(first + i + 1);
          rows[row] = compare_row(of_reference.data() + row * vocab, of_other.data() + row * vocab,
                                  options.vocab, next < windows[w].size() ? windows[w][next] : -1);
        }
      });
      for (int i = 0; i < count; ++i) totals.add(rows[static_cast<std::size_t>(i)]);
      out.positions += static_cast<std::size_t>(count);
      report(kBeginShare +
             (1 - kBeginShare) * static_cast<double>(out.positions) / static_cast<double>(ids.size()));
    }
    out.scored += windows[w].size() - 1;
  }
  const auto positions = static_cast<double>(out.positions), scored = static_cast<double>(out.scored);
  out.mean_kl = totals.kl / positions;
  out.max_kl = totals.kl_max;
  out.top1 = static_cast<double>(totals.same_top) / positions;
  out.perplexity_reference = std::exp(totals.nll_reference / scored);
  out.perplexity_pack = std::exp(totals.nll_other / scored);
  return out;
}

}  // namespace adit::model
