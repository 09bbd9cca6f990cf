// SPDX-License-Identifier: MIT
#include "validator/step/step.hpp"

#include <algorithm>

#include "common/log/log.hpp"
#include "validator/step/clockwork.hpp"
#include "validator/step/secrets.hpp"

namespace adit::validator {
namespace {

// After the chain refused a vector, the next attempt waits this many blocks.
constexpr BlockNumber kRetryBlocks = 10;

// A miner is planned if it can be asked and is not ourselves.
std::vector<PlannedMiner> askable(const chain::Metagraph& graph, const AccountId& self, bool allow_loopback) {
  std::vector<PlannedMiner> out;
  for (const chain::Neuron& neuron : graph.neurons) {
    if (neuron.hotkey != self && address_of(neuron, allow_loopback)) {
      out.push_back({neuron.uid, neuron.hotkey});
    }
  }
  return out;
}

}  // namespace

std::string_view name(Phase phase) {
  switch (phase) {
    case Phase::kClockwork:
      return "clockwork";
    case Phase::kMetagraph:
      return "metagraph";
    case Phase::kTasks:
      return "tasks";
    case Phase::kQuery:
      return "query";
    case Phase::kVerify:
      return "verify";
    case Phase::kLedger:
      return "ledger";
    case Phase::kScore:
      return "score";
    case Phase::kWeighting:
      return "weighting";
    case Phase::kCommit:
      return "commit";
    case Phase::kState:
      return "state";
  }
  return "unknown";
}

std::optional<net::Endpoint> address_of(const chain::Neuron& neuron, bool allow_loopback) {
  if (!neuron.axon || neuron.axon->port == 0) return std::nullopt;
  net::Endpoint out{.is_v6 = neuron.axon->is_v6, .port = neuron.axon->port};
  if (out.is_v6) {
    out.ip = neuron.axon->ip;
  } else {
    std::copy(neuron.axon->ip.end() - 4, neuron.axon->ip.end(), out.ip.begin());
  }
  if (!out.is_unspecified()) return out;
  if (!allow_loopback) return std::nullopt;
  out = {.is_v6 = false, .ip = {127, 0, 0, 1}, .port = out.port};
  return out;
}

Result<void> Step::record(const std::vector<NewRow>& rows) {
  const std::uint64_t first = parts_.ledger.size() + 1;
  ADIT_TRY_VOID(parts_.ledger.append(rows));
  std::uint64_t seq = first;
  for (const NewRow& row : rows) ADIT_TRY_VOID(parts_.state.apply({seq++, row.kind, row.body, {}}));
  return {};
}

Result<bool> Step::run_once() {
  ADIT_TRY(const chain::BlockRef head, parts_.chain.finalized_head());
  ADIT_TRY(const chain::Metagraph graph, parts_.chain.metagraph(settings_.netuid, head.hash));
  parts_.observe(Phase::kMetagraph);
  ADIT_TRY(const bool settled, settle(graph));
  if (settled) return true;
  ADIT_TRY(const bool asked, ask_and_judge(graph));
  if (asked) return true;
  ADIT_TRY(const bool weighed, weigh(graph));
  if (weighed) return true;
  return plan(graph);
}

// A submission whose outcome is unknown comes first: nothing else may be sent before.
Result<bool> Step::settle(const chain::Metagraph&) {
  const auto& weights = parts_.state.weights();
  if (!weights || parts_.state.submitted()) return false;
  ADIT_TRY(const WeightSetter::Recovered found, parts_.weights.recover(*weights));
  switch (found.fate) {
    case WeightSetter::Fate::kUnknown:
      return false;
    case WeightSetter::Fate::kNotSent:
      return submit(*weights);
    case WeightSetter::Fate::kLanded:
    case WeightSetter::Fate::kFailed:
      break;
  }
  ADIT_LOG(kInfo, "weights_recovered", {"step", found.row.step}, {"landed", found.row.success});
  ADIT_TRY_VOID(record({encode_row(found.row)}));
  parts_.observe(Phase::kState);
  return true;
}

Result<Hash256> Step::secret_of(std::uint64_t step) {
  auto stored = parts_.ledger.secret(step);
  if (!stored && stored.error().code == ErrorCode::kNotFound) {
    Hash256 fresh;
    parts_.rng.fill(fresh);
    ADIT_TRY_VOID(parts_.ledger.put_secret(step, fresh));
    stored = parts_.ledger.secret(step);
  }
  ADIT_TRY(const Bytes bytes, std::move(stored));
  if (bytes.size() != 32) return data_loss("the secret of step {} has {} bytes", step, bytes.size());
  Hash256 out;
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

Result<bool> Step::plan(const chain::Metagraph& graph) {
  const auto& last = parts_.state.plan();
  const auto due =
      step_due(graph, last ? std::optional(last->step) : std::nullopt, settings_.blocks_left_min);
  parts_.observe(Phase::kClockwork);
  if (!due || graph.block < graph.last_epoch_block + settings_.blocks_after_epoch) return false;
  const chain::Neuron* me = graph.find(parts_.signer.account());
  if (me == nullptr || !me->validator_permit) {
    ADIT_LOG(kDebug, "step_waits", {"reason", me == nullptr ? "not registered" : "no validator permit yet"});
    return false;
  }
  PlanRow plan{.step = *due,
               .block = graph.block,
               .block_hash = graph.block_hash,
               .netuid = graph.netuid,
               .charter = settings_.charter,
               .software = settings_.software};
  plan.miners = askable(graph, parts_.signer.account(), settings_.allow_loopback_miners);
  if (plan.miners.empty()) return false;
  ADIT_TRY(const Hash256 secret, secret_of(*due));
  plan.secret_commitment = commitment_of(secret);
  if (last) {
    ADIT_TRY(plan.revealed_secret, secret_of(last->step));
  }
  ADIT_TRY(std::vector<NewRow> rows, questions_of(plan, secret));
  rows.insert(rows.begin(), encode_row(plan));
  ADIT_TRY_VOID(record(rows));
  ADIT_LOG(kInfo, "step_planned", {"step", plan.step}, {"block", plan.block}, {"miners", plan.miners.size()},
           {"questions", rows.size() - 1});
  parts_.observe(Phase::kTasks);
  return true;
}

Result<std::vector<NewRow>> Step::questions_of(const PlanRow& plan, const Hash256& secret) {
  const std::size_t per_miner = std::max<std::size_t>(1, settings_.questions / plan.miners.size());
  std::vector<NewRow> rows;
  for (std::size_t i = 0; i < per_miner * plan.miners.size(); ++i) {
    const PlannedMiner& miner = plan.miners[i % plan.miners.size()];
    const SlotSecrets slot = slot_secrets(secret, i, plan.block_hash, miner.hotkey);
    ADIT_TRY(PreparedTask task, parts_.make_task(slot.task_seed));
    const protocol::GenerateRequest request{.card = settings_.card,
                                            .charter = settings_.charter,
                                            .prompt = std::move(task.prompt),
                                            .max_tokens = settings_.max_tokens,
                                            .sampling = settings_.sampling,
                                            .block_hash = plan.block_hash,
                                            .slot = i,
                                            .nonce = slot.nonce,
                                            .audit_commitment = slot.audit_commitment};
    rows.push_back(encode_row(AskedRow{.step = plan.step,
                                       .slot = i,
                                       .uid = miner.uid,
                                       .hotkey = miner.hotkey,
                                       .family = std::move(task.family),
                                       .level = task.level,
                                       .expected = std::move(task.expected),
                                       .request = protocol::canonical_bytes(request)}));
  }
  return rows;
}

Result<bool> Step::ask_and_judge(const chain::Metagraph& graph) {
  const auto& plan = parts_.state.plan();
  if (!plan || parts_.state.weights() || plan->step < graph.epoch_index) return false;
  std::vector<Question> open;
  for (const AskedRow& asked : parts_.state.asked()) {
    if (parts_.state.judged().contains(asked.slot)) continue;
    ADIT_TRY(protocol::GenerateRequest request, protocol::decode_generate_request(asked.request));
    const chain::Neuron* neuron = graph.find(asked.hotkey);
    open.push_back({asked, std::move(request),
                    neuron ? address_of(*neuron, settings_.allow_loopback_miners) : std::nullopt});
  }
  if (open.empty()) return false;
  const std::size_t count = open.size();
  const std::vector<Answered> answers = fan_out(parts_.miners, std::move(open), settings_.fan_out);
  parts_.observe(Phase::kQuery);
  for (const Answered& answer : answers) {
    ADIT_TRY(const JudgedRow row, parts_.judge.judge(answer));
    parts_.observe(Phase::kVerify);
    ADIT_TRY_VOID(record({encode_row(row)}));
    ADIT_LOG(kDebug, "answer_judged", {"step", row.step}, {"slot", row.slot}, {"uid", row.uid},
             {"verdict", protocol::name(row.verdict)}, {"tokens", row.tokens}, {"detail", row.detail});
    parts_.observe(Phase::kLedger);
  }
  ADIT_LOG(kInfo, "answers_judged", {"step", plan->step}, {"answers", count});
  return true;
}

Result<bool> Step::weigh(const chain::Metagraph& graph) {
  const auto& plan = parts_.state.plan();
  const auto& sent = parts_.state.submitted();
  if (!plan || plan->step < graph.epoch_index || parts_.state.judged().empty()) return false;
  if (parts_.state.judged().size() < parts_.state.asked().size()) return false;
  if (parts_.state.weights() && (!sent || sent->success)) return false;
  if (sent && graph.block < sent->block + kRetryBlocks) return false;
  const WeightVector vector = parts_.state.weights_now();
  parts_.observe(Phase::kScore);
  if (vector.uids.empty()) return false;
  WeightsRow row{.step = plan->step,
                 .block = graph.block,
                 .version_key = graph.weights_version,
                 .uids = vector.uids,
                 .values = vector.values};
  if (const auto refused = parts_.weights.preflight(graph, row); !refused) {
    ADIT_LOG(kDebug, "weights_wait", {"step", row.step}, {"reason", refused.error().message});
    return false;
  }
  ADIT_TRY(row.nonce, parts_.weights.account_nonce());
  ADIT_TRY_VOID(record({encode_row(row)}));
  parts_.observe(Phase::kWeighting);
  return submit(row);
}

Result<bool> Step::submit(const WeightsRow& row) {
  ADIT_TRY(const SubmittedRow outcome, parts_.weights.submit(row));
  parts_.observe(Phase::kCommit);
  if (outcome.success) {
    ADIT_LOG(kInfo, "weights_landed", {"step", row.step}, {"block", outcome.block},
             {"uids", row.uids.size()});
  } else {
    ADIT_LOG(kError, "weights_refused", {"step", row.step}, {"reason", outcome.error});
  }
  ADIT_TRY_VOID(record({encode_row(outcome)}));
  parts_.observe(Phase::kState);
  return true;
}

}  // namespace adit::validator
