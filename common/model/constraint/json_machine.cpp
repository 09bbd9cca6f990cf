// SPDX-License-Identifier: MIT
#include "common/model/constraint/json_machine.hpp"

#include <algorithm>
#include <utility>

namespace adit::model::constraint {

JsonMachine::JsonMachine(const Schema& schema) : schema_(schema) {
  clear();
}

void JsonMachine::clear() {
  cells_.assign(1, Cell{});
  depths_.assign(1, 0);
  cell_ids_.clear();
  next_.clear();
  stacks_.clear();
  accepting_.clear();
  state_ids_.clear();
  Stacks first;
  seen_.clear();
  grow(push({.goal = Goal::kValue, .a = schema_.root()}), first);
  start_ = intern(std::move(first));
}

std::size_t JsonMachine::CellHash::operator()(const Cell& cell) const {
  std::uint64_t h = static_cast<std::uint64_t>(cell.goal);
  for (const std::uint64_t part : {static_cast<std::uint64_t>(cell.a), std::uint64_t{cell.b},
                                   std::uint64_t{cell.c}, static_cast<std::uint64_t>(cell.next)}) {
    h = (h ^ part) * 0x9e3779b97f4a7c15u;
    h ^= h >> 29;
  }
  return static_cast<std::size_t>(h);
}

JsonMachine::CellId JsonMachine::push(Cell cell) {
  const auto [found, is_new] = cell_ids_.try_emplace(cell, static_cast<CellId>(cells_.size()));
  if (is_new) {
    const bool opens =
        cell.goal == Goal::kMembers || cell.goal == Goal::kEntries || cell.goal == Goal::kItems;
    cells_.push_back(cell);
    depths_.push_back(depths_[static_cast<std::size_t>(cell.next)] + (opens ? 1 : 0));
  }
  return found->second;
}

JsonMachine::CellId JsonMachine::text(const std::string& content, CellId under) {
  const auto [found, is_new] = text_ids_.try_emplace(content, static_cast<std::int32_t>(texts_.size()));
  if (is_new) texts_.push_back(content);
  return push({.goal = Goal::kText, .a = found->second, .next = under});
}

std::int32_t JsonMachine::literal_tree(NodeId id) {
  const auto known = literal_roots_.find(id);
  if (known != literal_roots_.end()) return known->second;
  const auto root = static_cast<std::int32_t>(literals_.size());
  literals_.emplace_back();
  for (const std::string& literal : schema_.node(id).literals) {
    std::int32_t at = root;
    for (const char c : literal) {
      const auto [child, is_new] = literals_[static_cast<std::size_t>(at)].children.try_emplace(
          static_cast<std::uint8_t>(c), static_cast<std::int32_t>(literals_.size()));
      at = child->second;
      if (is_new) literals_.emplace_back();
    }
    literals_[static_cast<std::size_t>(at)].is_end = true;
  }
  literal_roots_[id] = root;
  return root;
}

bool JsonMachine::has_depth_for(NodeId value, CellId under) const {
  return depths_[static_cast<std::size_t>(under)] + schema_.node(value).depth_min <= kAnswerDepthMax;
}

JsonMachine::State JsonMachine::intern(Stacks&& stacks) {
  if (stacks.tops.empty() && !stacks.accepting) return kDead;
  const auto [found, is_new] =
      state_ids_.try_emplace({stacks.tops, stacks.accepting}, static_cast<State>(next_.size()));
  if (is_new) {
    next_.emplace_back().fill(kUnknown);
    accepting_.push_back(stacks.accepting);
    stacks_.push_back(std::move(stacks));
  }
  return found->second;
}

JsonMachine::State JsonMachine::find_next(State state, std::uint8_t byte) {
  Stacks out;
  seen_.clear();
  // By index and by value: growing may move both tables.
  const std::vector<CellId> tops = stacks_[static_cast<std::size_t>(state)].tops;
  for (const CellId top : tops) {
    const Cell cell = cells_[static_cast<std::size_t>(top)];
    consume(cell, byte, out);
  }
  const State next = intern(std::move(out));
  next_[static_cast<std::size_t>(state)][byte] = next;
  return next;
}

JsonMachine::State JsonMachine::forget(State keep) {
  // The stacks as plain lists, bottom first, and then built anew.
  std::vector<std::vector<Cell>> lists;
  for (const CellId top : stacks_[static_cast<std::size_t>(keep)].tops) {
    std::vector<Cell>& list = lists.emplace_back();
    for (CellId at = top; at != 0; at = cells_[static_cast<std::size_t>(at)].next) {
      list.push_back(cells_[static_cast<std::size_t>(at)]);
    }
    std::reverse(list.begin(), list.end());
  }
  Stacks stacks{.tops = {}, .accepting = accepting_[static_cast<std::size_t>(keep)]};
  clear();
  for (const std::vector<Cell>& list : lists) {
    CellId top = 0;
    for (Cell cell : list) {
      cell.next = top;
      top = push(cell);
    }
    stacks.tops.push_back(top);
  }
  return intern(std::move(stacks));
}

}  // namespace adit::model::constraint
