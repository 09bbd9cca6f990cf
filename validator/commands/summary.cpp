// SPDX-License-Identifier: MIT
#include "validator/commands/summary.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "common/crypto/ss58.hpp"

namespace adit::validator {

Result<Summary> summarize(const Ledger& ledger, const Rules& rules, const chain::Metagraph* graph) {
  LedgerState state(rules);
  Summary out;
  out.rows = ledger.size();
  const auto fold = [&](const Row& row) -> Result<void> {
    ADIT_TRY_VOID(state.apply(row));
    if (row.kind == RowKind::kSubmitted && state.submitted()->success) ++out.vectors_landed;
    return {};
  };
  ADIT_TRY_VOID(ledger.walk(1, fold));
  if (!state.plan()) return out;
  out.step = state.plan()->step;
  out.asked = state.asked().size();
  out.judged = state.judged().size();
  const std::vector<HotkeyScore> scores = state.scores();
  for (const PlannedMiner& miner : state.plan()->miners) {
    MinerLine line{.uid = miner.uid, .hotkey = miner.hotkey};
    const auto score = std::find_if(scores.begin(), scores.end(),
                                    [&](const HotkeyScore& s) { return s.hotkey == miner.hotkey; });
    if (score != scores.end()) line.score = *score;
    if (state.landed()) {
      const auto& uids = state.landed()->uids;
      const auto at = std::find(uids.begin(), uids.end(), miner.uid);
      if (at != uids.end()) line.weight = state.landed()->values[static_cast<std::size_t>(at - uids.begin())];
    }
    if (graph != nullptr) {
      if (const chain::Neuron* neuron = graph->find(miner.hotkey)) line.incentive = neuron->incentive;
    }
    out.miners.push_back(std::move(line));
  }
  std::sort(out.miners.begin(), out.miners.end(),
            [](const MinerLine& a, const MinerLine& b) { return a.uid < b.uid; });
  return out;
}

std::string verdict_counts(const HotkeyScore& score) {
  std::string out;
  for (const auto& [verdict, count] : score.verdicts) {
    out += fmt::format("{}{}x {}", out.empty() ? "" : ", ", count, protocol::name(verdict));
  }
  return out.empty() ? "not asked" : out;
}

void print_table(std::ostream& out, const Summary& summary) {
  out << fmt::format("step {}: {} of {} answers judged, {} weight vectors landed\n", summary.step,
                     summary.judged, summary.asked, summary.vectors_landed);
  out << fmt::format("{:>4}  {:<14}{:>10}{:>8}{:>11}  {}\n", "uid", "hotkey", "score", "weight", "incentive",
                     "verdicts (window)");
  for (const MinerLine& line : summary.miners) {
    const std::string hotkey = crypto::ss58_encode(line.hotkey);
    out << fmt::format("{:>4}  {:<14}{:>10}{:>8}{:>11}  {}\n", line.uid, hotkey.substr(0, 12),
                       line.score.score, line.weight, line.incentive ? std::to_string(*line.incentive) : "-",
                       verdict_counts(line.score));
  }
}

std::string to_json(const Summary& summary) {
  nlohmann::ordered_json root = {{"rows", summary.rows},
                                 {"step", summary.step},
                                 {"asked", summary.asked},
                                 {"judged", summary.judged},
                                 {"landed", summary.vectors_landed},
                                 {"miners", nlohmann::json::array()}};
  for (const MinerLine& line : summary.miners) {
    nlohmann::ordered_json miner = {{"uid", line.uid},
                                    {"hotkey", crypto::ss58_encode(line.hotkey)},
                                    {"score", line.score.score},
                                    {"weight", line.weight},
                                    {"zeroed", line.score.zeroed},
                                    {"tokens", line.score.tokens}};
    if (line.incentive) miner["incentive"] = *line.incentive;
    for (const auto& [verdict, count] : line.score.verdicts) {
      miner["verdicts"][std::string(protocol::name(verdict))] = count;
    }
    root["miners"].push_back(std::move(miner));
  }
  return root.dump();
}

}  // namespace adit::validator
