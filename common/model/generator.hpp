// SPDX-License-Identifier: MIT
// common/model/generator.hpp
//
// Generates for several sequences at once: those that decode go on together, one token a step, while new
// prompts are read in chunks beside them.
//
// In       prompts as token ids; sampling as in sampler.hpp, keyed by binding.seed.
// Out      each step's new tokens, and finished sequences with all their ids and the trace root of trace/1.
// Errors   add: kInvalidArgument (empty or too long prompt, id out of the vocabulary, parameter out of
//          range, an adapter of another pack), kResourceExhausted (batch_max sequences run already, or
//          kv_bytes can never hold it).
//          step: kDataLoss when the pass met a value that is not finite; the sequences of that step are gone.
// Also     per sequence, outside the exact contract of receipts: a filter of the ids it may choose
//          (token_filter.hpp) and log-probabilities (logprobs.hpp).
// Memory   keys and values lie in blocks of 32 positions of one pool (kv_pool.hpp). A sequence waits, in order of
//          arrival, until the pool can hold the whole of it; then it can always go on. Blocks of finished
//          sequences stay until their memory is needed.
// Adapters rows of one adapter stand together in a step; the model's own linears run over all rows. Blocks are
//          shared between sequences of the same adapter only.
// Exact    a sequence's ids and root do not depend on what runs beside it (with other adapters or none), on chunks,
//          threads or isa, or on whether its prefix was taken over.
// Threads  one thread per object.
// Tests    tests/unit/common/model/generator_test.cpp, tests/unit/common/model/exactness_test.cpp,
//          tests/unit/common/model/mixed_adapters_test.cpp
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/base/strong.hpp"
#include "common/model/adapter.hpp"
#include "common/model/chooser.hpp"
#include "common/model/forward.hpp"
#include "common/model/kv_pool.hpp"
#include "common/model/pack.hpp"
#include "common/model/sampler.hpp"
#include "common/model/token_filter.hpp"
#include "common/proof/trace.hpp"

namespace adit::model {

using SequenceId = std::uint64_t;

// The numbers are those of the receipt.
// kDeadEnd: the filter allows no id any more; no receipt knows it, for no receipt knows filters.
enum class FinishReason : std::uint8_t { kStop = 1, kLength = 2, kDeadEnd = 3 };
[[nodiscard]] const char* name(FinishReason reason);

struct GenerateParams {
  std::uint32_t max_tokens = 1;
  SamplingParams sampling{};
};

// What a request outside the protocol may add.
struct GenerateExtras {
  // Null: every id.
  std::shared_ptr<TokenFilter> filter{};
  std::optional<int> top_logprobs{};
  // Null: the model as it is. Held until the sequence ends. The subnet's requests have none: no miner declares one
  // in its card yet, and a Replayer runs the model as it is.
  std::shared_ptr<const Adapter> adapter{};
};

// What can be said of a prompt and its parameters without running anything.
[[nodiscard]] Result<void> check_generation(const ModelConfig& config, std::span<const TokenId> prompt,
                                            const GenerateParams& params);

struct EngineOptions {
  kernels::Isa isa = kernels::best_isa();
  // check_kv(config, kv) holds.
  KvForm kv = KvForm::kF16;
  int threads = 1;
  // Where each thread stays (thread_pins.hpp); none: where the system puts it.
  std::vector<int> cpus{};
  // Prompt rows of one step, of all sequences together. The default keeps the rows of a small model in a second-level
  // cache of 1 MiB: 8 % faster than 512 (SmolLM2-135M, A16, one and two threads).
  int prefill_chunk = 256;
  // Sequences that run at once.
  int batch_max = 8;
  // Budget of keys, values and kept trace leaves; 0: a quarter of the machine's memory.
  std::uint64_t kv_bytes = 0;
  // Whether a prompt that begins like an earlier sequence takes over what that one computed.
  bool shares_prefixes = true;
};

struct NewToken {
  SequenceId sequence = 0;
  TokenId token = 0;
  std::optional<TokenLogprobs> logprobs{};
};

struct Generated {
  SequenceId sequence = 0;
  // A stop id counts.
  std::vector<TokenId> ids;
  FinishReason finish = FinishReason::kLength;
  Hash256 trace_root{};
};

struct StepResult {
  std::vector<NewToken> tokens;
  std::vector<Generated> finished;
  int prompt_rows = 0;
  int decode_rows = 0;
  // Prompt positions that were taken over instead of computed.
  int shared_rows = 0;
};

class BatchEngine {
 public:
  // `pack` must outlive the engine.
  BatchEngine(const Pack& pack, const EngineOptions& options);
  ~BatchEngine();

  [[nodiscard]] Result<SequenceId> add(std::span<const TokenId> prompt, const GenerateParams& params,
                                       const proof::TraceBinding& binding, GenerateExtras extras = {});
  // One forward step of everything that runs. Nothing runs: an empty result.
  [[nodiscard]] Result<StepResult> step();
  // Forgets a sequence; unknown ids are ignored (it may just have finished).
  void cancel(SequenceId sequence);

  [[nodiscard]] int running() const { return static_cast<int>(sequences_.size()); }
  [[nodiscard]] bool has_room() const { return running() < options_.batch_max; }
  [[nodiscard]] const EngineOptions& options() const { return options_; }
  // Nothing has been added: nullptr.
  [[nodiscard]] const KvPool* pool() const { return pool_.get(); }
  // The token ids that a sequence has generated so far; empty for an unknown one.
  [[nodiscard]] std::span<const TokenId> generated(SequenceId sequence) const;

 private:
  struct Sequence;

  [[nodiscard]] Result<void> make_pool();
  // Lets waiting sequences in, as long as blocks can be promised to them.
  void admit(StepResult& result);
  [[nodiscard]] bool admit(Sequence& sequence);
  void publish(Sequence& sequence);
  // Rows of this step: one of each decoding sequence and, in order of arrival, as many as fit of the prompts.
  // Sequences of one adapter stand together.
  [[nodiscard]] std::vector<Segment> plan_step(StepResult& result);
  [[nodiscard]] Result<void> choose(StepResult& result);
  void finish(StepResult& result);
  void drop_step();

  const Pack& pack_;
  EngineOptions options_;
  Forward forward_;
  Chooser chooser_;
  std::shared_ptr<KvPool> pool_;
  SequenceId next_id_ = 1;
  // In order of arrival.
  std::vector<std::unique_ptr<Sequence>> sequences_;
  // Those of this step, in the order of its rows.
  std::vector<Sequence*> stepping_;
};

}  // namespace adit::model
