// SPDX-License-Identifier: MIT
// common/model/constraint/json_machine.hpp
//
// A pushdown machine over bytes that accepts a schema's grammar, made into a deterministic one as it is used.
//
// In       bytes from a state; states are numbers, good until forget().
// Out      step: the next state, or kDead when no accepted text goes on with this byte. is_accepting: the bytes so
//          far are a whole answer.
// Exact    a state stands for the set of stacks that the bytes so far allow, in an order that depends on schema and
//          bytes only; of more than kStacksMax the later ones are left out, by that order. So every answer is
//          accepted by the schema, and the same bytes are accepted on every machine.
// Units    a state holds 1 KiB; is_full says when to forget(): it keeps one state and drops the rest.
// Threads  one thread per object. The schema must outlive it.
// Source   schema.hpp for the grammar
// Tests    tests/unit/common/model/constraint/json_machine_test.cpp, tests/fuzz/json_schema_fuzz.cpp
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "common/model/constraint/schema.hpp"

namespace adit::model::constraint {

class JsonMachine {
 public:
  using State = std::int32_t;
  static constexpr State kDead = -1;
  static constexpr std::size_t kStacksMax = 256;
  static constexpr std::size_t kStatesMax = 8192;

  explicit JsonMachine(const Schema& schema);
  [[nodiscard]] State start() const { return start_; }
  [[nodiscard]] State step(State state, std::uint8_t byte) {
    State& next = next_[static_cast<std::size_t>(state)][byte];
    if (next == kUnknown) return find_next(state, byte);
    return next;
  }
  [[nodiscard]] bool is_accepting(State state) const { return accepting_[static_cast<std::size_t>(state)]; }
  [[nodiscard]] bool is_full() const { return next_.size() >= kStatesMax; }
  // Drops all states but this one; its new number.
  [[nodiscard]] State forget(State keep);

 private:
  static constexpr State kUnknown = -2;

  // What is still to be matched; `next` lies under it. Cell 0 is the empty stack.
  enum class Goal : std::uint8_t {
    kValue,    // a: node
    kText,     // a: text, b: byte of it
    kSpace,    // one space or nothing
    kString,   // a: node or -1, b: characters so far, c: place inside of a character
    kNumber,   // a: 1 for integers, b: digits so far, c: place
    kLiteral,  // a: literal tree node
    kMembers,  // a: node, b: first property that may come, c: 1 after the first
    kEntries,  // a: node, c: 1 after the first
    kItems     // a: node, b: items so far (as far as that matters)
  };
  struct Cell {
    Goal goal = Goal::kValue;
    std::int32_t a = 0;
    std::uint32_t b = 0;
    std::uint32_t c = 0;
    std::int32_t next = 0;
    auto operator<=>(const Cell&) const = default;
  };
  using CellId = std::int32_t;
  struct CellHash {
    std::size_t operator()(const Cell& cell) const;
  };
  struct Stacks {
    std::vector<CellId> tops;
    bool accepting = false;
  };
  struct LiteralNode {
    std::map<std::uint8_t, std::int32_t> children;
    bool is_end = false;
  };

  CellId push(Cell cell);
  CellId text(const std::string& content, CellId under);
  void grow(CellId cell, Stacks& out);
  void grow_value(NodeId id, CellId under, Stacks& out);
  void grow_members(const Cell& cell, CellId self, Stacks& out);
  void grow_entries(const Cell& cell, Stacks& out);
  void grow_items(const Cell& cell, Stacks& out);
  // The comma in front of a member or item that is not the first, then `under`.
  CellId after_comma(bool is_first, CellId under);
  void consume(const Cell& cell, std::uint8_t byte, Stacks& out);
  void consume_string(const Cell& cell, std::uint8_t byte, Stacks& out);
  void consume_number(const Cell& cell, std::uint8_t byte, Stacks& out);
  [[nodiscard]] State find_next(State state, std::uint8_t byte);
  [[nodiscard]] State intern(Stacks&& stacks);
  [[nodiscard]] bool has_depth_for(NodeId value, CellId under) const;
  [[nodiscard]] std::int32_t literal_tree(NodeId id);
  void clear();

  const Schema& schema_;
  std::vector<std::string> texts_;
  std::unordered_map<std::string, std::int32_t> text_ids_;
  std::vector<LiteralNode> literals_;
  std::unordered_map<NodeId, std::int32_t> literal_roots_;

  std::vector<Cell> cells_;
  // Containers that are open in a stack.
  std::vector<std::int32_t> depths_;
  std::unordered_map<Cell, CellId, CellHash> cell_ids_;
  // Of one grow().
  std::unordered_set<CellId> seen_;

  std::vector<std::array<State, 256>> next_;
  std::vector<Stacks> stacks_;
  std::vector<bool> accepting_;
  std::map<std::pair<std::vector<CellId>, bool>, State> state_ids_;
  State start_ = 0;
};

}  // namespace adit::model::constraint
