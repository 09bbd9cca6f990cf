// SPDX-License-Identifier: MIT
#include "common/model/generator.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include <unistd.h>

#include "common/base/check.hpp"
#include "common/base/limits.hpp"

namespace adit::model {

const char* name(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop: return "stop";
    case FinishReason::kLength: return "length";
    case FinishReason::kDeadEnd: return "dead_end";
  }
  return "unknown";
}

Result<void> check_generation(const ModelConfig& config, std::span<const TokenId> prompt,
                              const GenerateParams& params) {
  if (prompt.empty()) return invalid_argument("prompt: no tokens");
  if (params.max_tokens == 0 || params.max_tokens > limits::kNewTokensMax) {
    return invalid_argument("max_tokens: {} is not within 1 to {}", params.max_tokens, limits::kNewTokensMax);
  }
  const std::uint64_t total = prompt.size() + std::uint64_t{params.max_tokens};
  if (total > static_cast<std::uint64_t>(config.context)) {
    return invalid_argument("prompt of {} tokens and max_tokens {} exceed the context of {}", prompt.size(),
                            params.max_tokens, config.context);
  }
  for (std::size_t i = 0; i < prompt.size(); ++i) {
    if (prompt[i] < 0 || prompt[i] >= config.vocab) {
      return invalid_argument("prompt: token {} at {} is outside of the vocabulary of {}", prompt[i], i,
                              config.vocab);
    }
  }
  return check_sampling(params.sampling);
}

namespace {

// Contexts of finished sequences that a pool has room for beside those that run.
constexpr int kKeptContexts = 4;

}  // namespace

struct BatchEngine::Sequence {
  Sequence(SequenceId identity, KvCache&& keys_values, proof::TraceBuilder&& builder)
      : id(identity), cache(std::move(keys_values)), trace(std::move(builder)) {}

  SequenceId id;
  KvCache cache;
  proof::TraceBuilder trace;
  GenerateParams params;
  proof::TraceBinding binding;
  GenerateExtras extras;
  PhiloxKey key{};
  // Prompt, then generated ids.
  std::vector<TokenId> ids;
  std::size_t prompt = 0;
  // Positions computed before this step, and in it.
  std::size_t done = 0;
  std::size_t here = 0;
  // Whether it has been let in: blocks for all its positions are its own or promised to it.
  bool is_admitted = false;
  // Blocks that the pool's index knows, and the key of the last one.
  int published = 0;
  Hash256 prefix{};
  bool is_finished = false;
  FinishReason finish = FinishReason::kLength;

  [[nodiscard]] AllowedIds allowed() const { return extras.filter ? extras.filter->allowed() : AllowedIds{}; }
  [[nodiscard]] std::span<const TokenId> block_ids(int block) const {
    return std::span(ids).subspan(static_cast<std::size_t>(block) * kKvBlock, kKvBlock);
  }
  [[nodiscard]] int blocks_to_come() const { return kv_blocks(cache.positions_max()) - cache.block_count(); }
  // Whether this step's last row chooses a token.
  [[nodiscard]] bool chooses() const { return here > 0 && done + here == ids.size(); }
};

BatchEngine::BatchEngine(const Pack& pack, const EngineOptions& options)
    : pack_(pack),
      options_(options),
      forward_(pack, {.isa = options.isa,
                      .kv = options.kv,
                      .threads = options.threads,
                      .cpus = options.cpus,
                      .rows_max = options.prefill_chunk + options.batch_max,
                      .logits_rows_max = options.batch_max}),
      chooser_(options.isa, pack.config().vocab, options.threads) {}

BatchEngine::~BatchEngine() = default;

Result<SequenceId> BatchEngine::add(std::span<const TokenId> prompt, const GenerateParams& params,
                                    const proof::TraceBinding& binding, GenerateExtras extras) {
  ADIT_TRY_VOID(check_generation(pack_.config(), prompt, params));
  if (extras.filter && extras.filter->allowed().empty()) {
    return invalid_argument("the filter allows no first token");
  }
  if (extras.adapter && extras.adapter->pack_hash() != pack_.content_hash()) {
    return invalid_argument("the adapter was made for pack {}, this is {}", to_hex(extras.adapter->pack_hash()),
                            to_hex(pack_.content_hash()));
  }
  if (!has_room()) return resource_exhausted("{} sequences run already", running());
  ADIT_TRY_VOID(make_pool());
  const auto positions = static_cast<int>(prompt.size() + params.max_tokens - 1);
  if (kv_blocks(positions) > pool_->blocks()) {
    return resource_exhausted("{} positions, but the key-value cache holds {}", positions,
                              std::int64_t{pool_->blocks()} * kKvBlock);
  }
  const proof::TraceShape shape{pack_.config().layers, pack_.config().kv_heads};
  proof::TraceBuilder trace(shape, static_cast<std::uint32_t>(prompt.size()), options_.isa);
  auto sequence =
      std::make_unique<Sequence>(next_id_++, KvCache(pool_, pack_.config(), positions), std::move(trace));
  sequence->params = params;
  sequence->binding = binding;
  sequence->extras = std::move(extras);
  sequence->key = sampling_key(binding.seed);
  sequence->ids.reserve(prompt.size() + params.max_tokens);
  sequence->ids.assign(prompt.begin(), prompt.end());
  sequence->prompt = prompt.size();
  sequences_.push_back(std::move(sequence));
  return sequences_.back()->id;
}

Result<void> BatchEngine::make_pool() {
  if (pool_) return {};
  const KvShape shape = kv_shape(pack_.config(), options_.shares_prefixes, options_.kv);
  const std::uint64_t memory =
      static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const std::uint64_t bytes = options_.kv_bytes > 0 ? options_.kv_bytes : memory / 4;
  // More than every sequence of the batch at full length is of use to nobody.
  const std::uint64_t blocks_max = static_cast<std::uint64_t>(kv_blocks(pack_.config().context)) *
                                   static_cast<std::uint64_t>(options_.batch_max + kKeptContexts);
  const std::uint64_t blocks = std::clamp<std::uint64_t>(bytes / shape.block_bytes(), 1, blocks_max);
  ADIT_TRY(pool_, KvPool::make(shape, static_cast<int>(blocks)));
  return {};
}

void BatchEngine::admit(StepResult& result) {
  for (const std::unique_ptr<Sequence>& s : sequences_) {
    if (s->is_admitted) continue;
    if (!admit(*s)) return;
    result.shared_rows += static_cast<int>(s->done);
  }
}

bool BatchEngine::admit(Sequence& sequence) {
  // The last prompt position is always computed: its logits choose the first token.
  const int sharable = options_.shares_prefixes ? static_cast<int>(sequence.prompt - 1) / kKvBlock : 0;
  const Adapter* adapter = sequence.extras.adapter.get();
  sequence.prefix = prefix_root(pack_.content_hash(), adapter == nullptr ? Hash256{} : adapter->content_hash());
  std::vector<int> shared;
  for (int i = 0; i < sharable; ++i) {
    const Hash256 key = prefix_key(sequence.prefix, sequence.block_ids(i));
    const std::optional<int> block = pool_->find(key);
    if (!block) break;
    shared.push_back(*block);
    sequence.prefix = key;
  }
  int promised = 0;
  for (const std::unique_ptr<Sequence>& s : sequences_) promised += s->is_admitted ? s->blocks_to_come() : 0;
  const int more = sequence.blocks_to_come() - static_cast<int>(shared.size());
  if (promised + more > pool_->available()) {
    for (auto block = shared.rbegin(); block != shared.rend(); ++block) pool_->release(*block);
    return false;
  }
  const std::size_t row_bytes = kv_shape(pack_.config(), true).leaf_bytes / kKvBlock;
  for (const int block : shared) {
    sequence.cache.adopt(block);
    for (int i = 0; i < kKvBlock; ++i, ++sequence.done) {
      sequence.trace.append(static_cast<std::uint32_t>(sequence.done),
                            pool_->leaves(block) + static_cast<std::size_t>(i) * row_bytes);
    }
  }
  sequence.published = static_cast<int>(shared.size());
  sequence.is_admitted = true;
  return true;
}

void BatchEngine::publish(Sequence& s) {
  if (!options_.shares_prefixes) return;
  for (; static_cast<std::size_t>(s.published + 1) * kKvBlock <= s.done; ++s.published) {
    s.prefix = prefix_key(s.prefix, s.block_ids(s.published));
    pool_->publish(s.cache.block(s.published), s.prefix);
  }
}

std::vector<Segment> BatchEngine::plan_step(StepResult& result) {
  admit(result);
  stepping_.clear();
  std::size_t budget = static_cast<std::size_t>(options_.prefill_chunk);
  for (const std::unique_ptr<Sequence>& s : sequences_) {
    if (!s->is_admitted) continue;
    const std::size_t left = s->ids.size() - s->done;
    const bool is_prompt = s->done < s->prompt;
    s->here = is_prompt ? std::min(left, budget) : left;
    if (s->here == 0) continue;
    if (is_prompt) budget -= s->here;
    (is_prompt ? result.prompt_rows : result.decode_rows) += static_cast<int>(s->here);
    ADIT_CHECK(s->cache.grow(static_cast<int>(s->done + s->here)));
    stepping_.push_back(s.get());
  }
  const auto adapter_of = [](const Sequence* s) { return s->extras.adapter.get(); };
  std::stable_sort(stepping_.begin(), stepping_.end(), [&](const Sequence* a, const Sequence* b) {
    return std::less<>()(adapter_of(a), adapter_of(b));
  });
  std::vector<Segment> segments;
  for (Sequence* s : stepping_) {
    segments.push_back({.cache = &s->cache,
                        .trace = &s->trace,
                        .first_position = static_cast<int>(s->done),
                        .tokens = std::span(s->ids).subspan(s->done, s->here),
                        .first_wanted = static_cast<int>(s->prompt) - 1,
                        .adapter = adapter_of(s)});
  }
  return segments;
}

Result<StepResult> BatchEngine::step() {
  StepResult result;
  const std::vector<Segment> segments = plan_step(result);
  if (segments.empty()) return result;
  Result<void> done = forward_.step(segments);
  if (done) done = choose(result);
  if (!done) {
    drop_step();
    return tl::unexpected<Error>(std::move(done).error());
  }
  finish(result);
  return result;
}

Result<void> BatchEngine::choose(StepResult& result) {
  std::vector<Sequence*> choosing;
  std::vector<Chooser::Request> requests;
  for (Sequence* s : stepping_) {
    if (!s->chooses()) continue;
    choosing.push_back(s);
    requests.push_back({.sampling = s->params.sampling,
                        .key = s->key,
                        .position = static_cast<std::uint32_t>(s->ids.size() - 1),
                        .allowed = s->allowed(),
                        .top_logprobs = s->extras.top_logprobs});
  }
  if (choosing.empty()) return {};
  ADIT_TRY(const float* logits, forward_.logits(0, static_cast<int>(choosing.size())));
  ADIT_TRY(std::vector<Chooser::Choice> choices,
           chooser_.choose(forward_.team(), logits, forward_.logits_stride(), requests));
  const std::vector<TokenId>& stops = pack_.config().stop_ids;
  for (std::size_t i = 0; i < choosing.size(); ++i) {
    Sequence& s = *choosing[i];
    s.done += s.here;
    s.here = 0;
    const TokenId token = choices[i].token;
    s.ids.push_back(token);
    result.tokens.push_back({s.id, token, std::move(choices[i].logprobs)});
    const bool stopped = std::find(stops.begin(), stops.end(), token) != stops.end();
    s.is_finished = stopped || s.ids.size() - s.prompt == s.params.max_tokens;
    s.finish = stopped ? FinishReason::kStop : FinishReason::kLength;
    if (s.is_finished || !s.extras.filter) continue;
    s.extras.filter->advance(token);
    if (!s.extras.filter->allowed().empty()) continue;
    s.is_finished = true;
    s.finish = FinishReason::kDeadEnd;
  }
  return {};
}

void BatchEngine::finish(StepResult& result) {
  for (const std::unique_ptr<Sequence>& s : sequences_) {
    s->done += s->here;
    s->here = 0;
    if (s->is_admitted) publish(*s);
    if (!s->is_finished) continue;
    const auto first = s->ids.begin() + static_cast<std::ptrdiff_t>(s->prompt);
    result.finished.push_back({.sequence = s->id,
                               .ids = std::vector<TokenId>(first, s->ids.end()),
                               .finish = s->finish,
                               .trace_root = s->trace.root(s->binding, s->ids)});
  }
  std::erase_if(sequences_, [](const std::unique_ptr<Sequence>& s) { return s->is_finished; });
}

void BatchEngine::drop_step() {
  std::erase_if(sequences_, [](const std::unique_ptr<Sequence>& s) { return s->here > 0; });
}

void BatchEngine::cancel(SequenceId sequence) {
  std::erase_if(sequences_, [&](const std::unique_ptr<Sequence>& s) { return s->id == sequence; });
}

std::span<const TokenId> BatchEngine::generated(SequenceId sequence) const {
  for (const std::unique_ptr<Sequence>& s : sequences_) {
    if (s->id == sequence) return std::span<const TokenId>(s->ids).subspan(s->prompt);
  }
  return {};
}

}  // namespace adit::model
