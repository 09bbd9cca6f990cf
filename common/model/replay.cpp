// SPDX-License-Identifier: MIT
#include "common/model/replay.hpp"

#include <algorithm>
#include <vector>

namespace adit::model {
namespace {

Result<void> check_ids(const ModelConfig& config, const ReplayInput& input) {
  ADIT_TRY_VOID(check_generation(config, input.prompt, input.params));
  if (input.ids.empty() || input.ids.size() > input.params.max_tokens) {
    return invalid_argument("{} generated ids, expected 1 to {}", input.ids.size(), input.params.max_tokens);
  }
  for (std::size_t i = 0; i < input.ids.size(); ++i) {
    if (input.ids[i] < 0 || input.ids[i] >= config.vocab) {
      return invalid_argument("generated id {} at {} is outside of the vocabulary of {}", input.ids[i], i,
                              config.vocab);
    }
  }
  return {};
}

// Whether the ids end where they must: at a stop id that is the only one, or at max_tokens.
std::optional<Mismatch> check_end(const ModelConfig& config, const ReplayInput& input) {
  const auto is_stop = [&](TokenId id) {
    return std::find(config.stop_ids.begin(), config.stop_ids.end(), id) != config.stop_ids.end();
  };
  const auto first = std::find_if(input.ids.begin(), input.ids.end(), is_stop);
  const auto count = static_cast<std::uint32_t>(input.ids.size());
  if (first == input.ids.end()) {
    if (count == input.params.max_tokens) return std::nullopt;
    return Mismatch{.kind = MismatchKind::kLength, .index = count};
  }
  const auto stop = static_cast<std::uint32_t>(first - input.ids.begin());
  if (stop + 1 == count) return std::nullopt;
  return Mismatch{.kind = MismatchKind::kLength, .index = stop + 1};
}

}  // namespace

const char* name(MismatchKind kind) {
  switch (kind) {
    case MismatchKind::kToken: return "token";
    case MismatchKind::kLength: return "length";
    case MismatchKind::kTrace: return "trace";
  }
  return "unknown";
}

Replayer::Replayer(const Pack& pack, const ReplayOptions& options)
    : pack_(pack),
      options_(options),
      forward_(pack, {.isa = options.isa,
                      .kv = options.kv,
                      .threads = options.threads,
                      .rows_max = options.chunk,
                      .logits_rows_max = options.logits_rows}),
      chooser_(options.isa, pack.config().vocab, options.threads) {}

Result<ReplayResult> Replayer::replay(const ReplayInput& input) {
  const ModelConfig& config = pack_.config();
  ADIT_TRY_VOID(check_ids(config, input));
  ReplayResult result;
  result.mismatch = check_end(config, input);
  if (result.mismatch) return result;

  std::vector<TokenId> all(input.prompt.begin(), input.prompt.end());
  all.insert(all.end(), input.ids.begin(), input.ids.end());
  // The last id was chosen, never computed with.
  const std::size_t positions = all.size() - 1;
  const std::size_t first_wanted = input.prompt.size() - 1;
  ADIT_TRY(KvCache cache, KvCache::make(config, static_cast<int>(positions), options_.kv));
  proof::TraceBuilder trace({config.layers, config.kv_heads}, static_cast<std::uint32_t>(input.prompt.size()),
                            options_.isa);
  for (std::size_t done = 0; done < positions;) {
    const std::size_t here = std::min(positions - done, static_cast<std::size_t>(options_.chunk));
    const Segment segment{.cache = &cache,
                          .trace = &trace,
                          .first_position = static_cast<int>(done),
                          .tokens = std::span<const TokenId>(all).subspan(done, here),
                          .first_wanted = static_cast<int>(first_wanted)};
    ADIT_TRY_VOID(forward_.step(std::span(&segment, 1)));
    const std::size_t index = std::max(done, first_wanted) - first_wanted;
    ADIT_TRY(result.mismatch, compare(input, static_cast<std::uint32_t>(index)));
    if (result.mismatch) return result;
    done += here;
  }
  result.trace_root = trace.root(input.binding, all);
  if (*result.trace_root != input.trace_root) {
    const auto count = static_cast<std::uint32_t>(input.ids.size());
    result.mismatch = Mismatch{.kind = MismatchKind::kTrace, .index = count};
  }
  return result;
}

Result<std::optional<Mismatch>> Replayer::compare(const ReplayInput& input, std::uint32_t index) {
  const PhiloxKey key = sampling_key(input.binding.seed);
  std::vector<Chooser::Request> requests;
  for (int first = 0; first < forward_.wanted(); first += options_.logits_rows) {
    const int count = std::min(options_.logits_rows, forward_.wanted() - first);
    requests.clear();
    for (int i = 0; i < count; ++i) {
      const auto position = input.prompt.size() - 1 + index + static_cast<std::uint32_t>(i);
      requests.push_back({.sampling = input.params.sampling,
                          .key = key,
                          .position = static_cast<std::uint32_t>(position)});
    }
    ADIT_TRY(const float* logits, forward_.logits(first, count));
    ADIT_TRY(const std::vector<Chooser::Choice> choices,
             chooser_.choose(forward_.team(), logits, forward_.logits_stride(), requests));
    for (const Chooser::Choice& choice : choices) {
      const TokenId expected = choice.token;
      const TokenId found = input.ids[index];
      if (expected != found) return Mismatch{MismatchKind::kToken, index, expected, found};
      ++index;
    }
  }
  return std::nullopt;
}

}  // namespace adit::model
