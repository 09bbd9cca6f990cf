// SPDX-License-Identifier: MIT
#include "validator/commands/replay.hpp"

#include <map>

namespace adit::validator {
namespace {

Result<bool> equals_chain(std::ostream& out, const WeightsRow& landed, const Charter& charter,
                          ChainSide& side) {
  ADIT_TRY(const chain::Metagraph graph, side.chain.metagraph(charter.netuid, std::nullopt));
  const chain::Neuron* me = graph.find(side.validator);
  if (me == nullptr)
    return failed_precondition("the validator's hotkey is not registered on netuid {}", charter.netuid);
  ADIT_TRY(const auto stored,
           side.chain.weights_of(charter.netuid, charter.mechanism, me->uid, graph.block_hash));
  const std::map<Uid, std::uint16_t> on_chain(stored.begin(), stored.end());
  std::map<Uid, std::uint16_t> ours;
  for (std::size_t i = 0; i < landed.uids.size(); ++i) ours[landed.uids[i]] = landed.values[i];
  for (const auto& [uid, value] : ours) {
    const auto it = on_chain.find(uid);
    out << fmt::format("  uid {:>4}: replay {:>5}, chain {}\n", uid, value,
                       it == on_chain.end() ? "nothing" : fmt::format("{:>5}", it->second));
  }
  return on_chain == ours;
}

}  // namespace

Result<ReplayReport> replay_ledger(std::ostream& out, const Ledger& ledger, const Charter& charter,
                                   ChainSide* chain) {
  LedgerState state(charter.rules);
  ADIT_TRY_VOID(ledger.walk(1, [&](const Row& row) -> Result<void> { return state.apply(row); }));
  if (state.plan() && state.plan()->charter != charter_hash(charter)) {
    return failed_precondition("the ledger was written under charter {}, this file is {}",
                               to_hex(state.plan()->charter), to_hex(charter_hash(charter)));
  }
  ReplayReport report{.rows = ledger.size(), .vectors = state.vectors_checked()};
  out << fmt::format("{} rows, hash chain whole; {} weight vectors recomputed, all equal\n", report.rows,
                     report.vectors);
  out << fmt::format("head {}\n", to_hex(ledger.head()));
  if (!state.landed()) {
    out << "no vector has landed on chain\n";
    return report;
  }
  if (chain == nullptr) {
    for (std::size_t i = 0; i < state.landed()->uids.size(); ++i) {
      out << fmt::format("  uid {:>4}: {:>5}\n", state.landed()->uids[i], state.landed()->values[i]);
    }
    return report;
  }
  out << fmt::format("newest landed vector: step {}\n", state.landed()->step);
  ADIT_TRY(report.equal, equals_chain(out, *state.landed(), charter, *chain));
  report.compared = true;
  out << (report.equal ? "the chain holds exactly this vector\n" : "the chain holds ANOTHER vector\n");
  return report;
}

}  // namespace adit::validator
