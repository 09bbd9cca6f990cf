// SPDX-License-Identifier: MIT
// validator/step/step.hpp
//
// The validator's step, as a machine that looks at the chain and the ledger and does what is due next. All it
// knows is in the ledger; a process that is killed anywhere goes on where the rows end.
//
// Walk     1 clockwork, 2 metagraph, 3 tasks, 4 query, 5 verify, 6 ledger, 7 score, 8 weighting, 9 commit,
//          10 state. The observer is told at the end of each.
// Out      run_once: whether anything was done (else the caller waits for the next block).
// Errors   kUnavailable: the chain does not answer (try again later). kDataLoss: the ledger contradicts itself
//          (stop). Others: our own failure in one phase; nothing is half-written.
// Threads  one; queries use threads of their own inside (fan_out).
// Source   design "The validator's step"
// Tests    deploy/demo.sh, tests/integration/validator_kill_test.cpp
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/rng.hpp"
#include "common/chain/client.hpp"
#include "validator/commit/weight_setter.hpp"
#include "validator/query/fan_out.hpp"
#include "validator/replay/ledger_state.hpp"
#include "validator/verify/judge.hpp"

namespace adit::validator {

enum class Phase : std::uint8_t {
  kClockwork = 1,
  kMetagraph,
  kTasks,
  kQuery,
  kVerify,
  kLedger,
  kScore,
  kWeighting,
  kCommit,
  kState,
};
[[nodiscard]] std::string_view name(Phase phase);

// A task made ready to be asked.
struct PreparedTask {
  std::string family;
  std::uint32_t level = 0;
  std::string expected;
  std::vector<TokenId> prompt;
};

struct StepSettings {
  NetUid netuid = 0;
  Hash256 charter{};
  Hash256 card{};
  std::string software;
  protocol::SamplingParams sampling;
  std::uint32_t max_tokens = 0;
  std::uint32_t questions = 0;  // a step, over all miners; at least one a miner
  BlockNumber blocks_left_min = 0;
  BlockNumber blocks_after_epoch = 0;  // miners must have seen the epoch's permits before they are asked
  bool allow_loopback_miners = false;
  FanOutOptions fan_out;
};

// Everything a step works with; all references outlive it.
struct StepParts {
  chain::ChainClient& chain;
  crypto::Signer& signer;
  MinerClient& miners;
  Judge& judge;
  WeightSetter& weights;
  Ledger& ledger;
  LedgerState& state;
  Rng& rng;
  std::function<Result<PreparedTask>(const Hash256& task_seed)> make_task;
  std::function<void(Phase)> observe = [](Phase) {};
};

class Step {
 public:
  Step(StepSettings settings, StepParts parts) : settings_(std::move(settings)), parts_(std::move(parts)) {}
  [[nodiscard]] Result<bool> run_once();

 private:
  [[nodiscard]] Result<bool> settle(const chain::Metagraph& graph);
  [[nodiscard]] Result<bool> plan(const chain::Metagraph& graph);
  [[nodiscard]] Result<bool> ask_and_judge(const chain::Metagraph& graph);
  [[nodiscard]] Result<bool> weigh(const chain::Metagraph& graph);
  [[nodiscard]] Result<bool> submit(const WeightsRow& row);
  [[nodiscard]] Result<std::vector<NewRow>> questions_of(const PlanRow& plan, const Hash256& secret);
  [[nodiscard]] Result<Hash256> secret_of(std::uint64_t step);
  // Appends to the ledger and folds the same rows into the state.
  [[nodiscard]] Result<void> record(const std::vector<NewRow>& rows);

  StepSettings settings_;
  StepParts parts_;
};

// Where a neuron can be asked; none without an axon. Address 0 means loopback only when allowed.
[[nodiscard]] std::optional<net::Endpoint> address_of(const chain::Neuron& neuron, bool allow_loopback);

}  // namespace adit::validator
