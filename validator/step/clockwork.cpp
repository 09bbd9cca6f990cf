// SPDX-License-Identifier: MIT
#include "validator/step/clockwork.hpp"

#include <algorithm>

namespace adit::validator {
namespace {

constexpr std::uint64_t kTempoMax = 50'400;

}  // namespace

bool should_run_epoch(const chain::Metagraph& graph, BlockNumber block) {
  if (graph.tempo == 0) return false;
  if (graph.pending_epoch_at > 0 && block >= graph.pending_epoch_at) return true;
  if (graph.blocks_since_last_step > kTempoMax) return true;
  return block >= graph.last_epoch_block + graph.tempo;
}

std::uint64_t current_epoch(const chain::Metagraph& graph) {
  return graph.epoch_index + (should_run_epoch(graph, graph.block + 1) ? 1 : 0);
}

std::optional<BlockNumber> next_epoch_block(const chain::Metagraph& graph) {
  if (graph.tempo == 0) return std::nullopt;
  BlockNumber next = graph.last_epoch_block + graph.tempo;
  if (graph.pending_epoch_at > 0) next = std::min(next, graph.pending_epoch_at);
  // An epoch that is due but deferred runs in one of the next blocks.
  return std::max(next, graph.block + 1);
}

std::optional<std::uint64_t> step_due(const chain::Metagraph& graph,
                                      std::optional<std::uint64_t> planned_last,
                                      BlockNumber blocks_left_min) {
  const auto next = next_epoch_block(graph);
  if (!next || *next < graph.block + blocks_left_min) return std::nullopt;
  const std::uint64_t epoch = current_epoch(graph);
  if (planned_last && *planned_last >= epoch) return std::nullopt;
  return epoch;
}

}  // namespace adit::validator
