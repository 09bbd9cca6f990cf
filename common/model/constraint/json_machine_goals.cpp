// SPDX-License-Identifier: MIT
// What each goal of the machine turns into, and what it does with a byte.
#include "common/model/constraint/json_machine.hpp"

namespace adit::model::constraint {
namespace {

// Digits before and after the point, and of the exponent.
constexpr std::uint32_t kDigitsMax = 18;
constexpr std::uint32_t kExponentDigitsMax = 2;

// Places inside of a character (Goal::kString, c): kWhole between characters; 1 to 3 bytes that are left; the
// restricted second bytes of RFC 3629; the escapes.
enum StringPlace : std::uint32_t {
  kWhole = 0,
  kLeft1,
  kLeft2,
  kLeft3,
  kAfterE0,
  kAfterEd,
  kAfterF0,
  kAfterF4,
  kEscape,
  kHex1,
  kHex2NoSurrogate,
  kHex2,
  kHex3,
  kHex4,
  kNowhere
};

enum NumberPlace : std::uint32_t { kSign = 0, kFirst, kZero, kInt, kPoint, kFraction, kE, kESign, kExponent };

bool is_digit(std::uint8_t byte) {
  return byte >= '0' && byte <= '9';
}
bool is_hex(std::uint8_t byte) {
  return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}
bool is_within(std::uint8_t byte, int low, int high) {
  return byte >= low && byte <= high;
}

// The place after `byte`, kNowhere if it cannot stand there. Only for places inside of a character.
StringPlace next_place(std::uint32_t place, std::uint8_t byte) {
  switch (place) {
    case kLeft1:
      return is_within(byte, 0x80, 0xbf) ? kWhole : kNowhere;
    case kLeft2:
      return is_within(byte, 0x80, 0xbf) ? kLeft1 : kNowhere;
    case kLeft3:
      return is_within(byte, 0x80, 0xbf) ? kLeft2 : kNowhere;
    case kAfterE0:
      return is_within(byte, 0xa0, 0xbf) ? kLeft1 : kNowhere;
    case kAfterEd:
      return is_within(byte, 0x80, 0x9f) ? kLeft1 : kNowhere;
    case kAfterF0:
      return is_within(byte, 0x90, 0xbf) ? kLeft2 : kNowhere;
    case kAfterF4:
      return is_within(byte, 0x80, 0x8f) ? kLeft2 : kNowhere;
    case kEscape:
      if (byte == 'u') return kHex1;
      return std::string_view("\"\\/bfnrt").find(static_cast<char>(byte)) != std::string_view::npos ? kWhole
                                                                                                    : kNowhere;
    case kHex1:
      return !is_hex(byte) ? kNowhere : byte == 'd' || byte == 'D' ? kHex2NoSurrogate : kHex2;
    case kHex2NoSurrogate:
      return is_within(byte, '0', '7') ? kHex3 : kNowhere;
    case kHex2:
      return is_hex(byte) ? kHex3 : kNowhere;
    case kHex3:
      return is_hex(byte) ? kHex4 : kNowhere;
    case kHex4:
      return is_hex(byte) ? kWhole : kNowhere;
    default:
      return kNowhere;
  }
}

// The place after the first byte of a character, kNowhere if it begins none.
StringPlace first_place(std::uint8_t byte) {
  if (byte == '\\') return kEscape;
  if (is_within(byte, 0x20, 0x7f)) return kWhole;
  if (is_within(byte, 0xc2, 0xdf)) return kLeft1;
  if (byte == 0xe0) return kAfterE0;
  if (byte == 0xed) return kAfterEd;
  if (is_within(byte, 0xe1, 0xef)) return kLeft2;
  if (byte == 0xf0) return kAfterF0;
  if (is_within(byte, 0xf1, 0xf3)) return kLeft3;
  return byte == 0xf4 ? kAfterF4 : kNowhere;
}

bool may_end(std::uint32_t place) {
  return place == kZero || place == kInt || place == kFraction || place == kExponent;
}

}  // namespace

void JsonMachine::grow(CellId id, Stacks& out) {
  if (id == 0) {
    out.accepting = true;
    return;
  }
  if (!seen_.insert(id).second) return;
  const Cell cell = cells_[static_cast<std::size_t>(id)];
  const auto keep = [&] {
    if (out.tops.size() < kStacksMax) out.tops.push_back(id);
  };
  switch (cell.goal) {
    case Goal::kText:
    case Goal::kString:
      keep();
      return;
    case Goal::kNumber:
      keep();
      if (may_end(cell.c)) grow(cell.next, out);
      return;
    case Goal::kLiteral: {
      const LiteralNode& node = literals_[static_cast<std::size_t>(cell.a)];
      const bool is_end = node.is_end;
      if (!node.children.empty()) keep();
      if (is_end) grow(cell.next, out);
      return;
    }
    case Goal::kSpace:
      grow(text(" ", cell.next), out);
      grow(cell.next, out);
      return;
    case Goal::kValue:
      grow_value(cell.a, cell.next, out);
      return;
    case Goal::kMembers:
      grow_members(cell, id, out);
      return;
    case Goal::kEntries:
      grow_entries(cell, out);
      return;
    case Goal::kItems:
      grow_items(cell, out);
      return;
  }
}

void JsonMachine::grow_value(NodeId id, CellId under, Stacks& out) {
  const Node& node = schema_.node(id);
  if (!has_depth_for(id, under)) return;
  switch (node.kind) {
    case NodeKind::kUnion:
      for (const NodeId branch : node.branches)
        grow(push({.goal = Goal::kValue, .a = branch, .next = under}), out);
      return;
    case NodeKind::kString:
      grow(text("\"", push({.goal = Goal::kString, .a = id, .next = under})), out);
      return;
    case NodeKind::kNumber:
      grow(push({.goal = Goal::kNumber, .a = 0, .next = under}), out);
      return;
    case NodeKind::kInteger:
      grow(push({.goal = Goal::kNumber, .a = 1, .next = under}), out);
      return;
    case NodeKind::kLiterals:
      grow(push({.goal = Goal::kLiteral, .a = literal_tree(id), .next = under}), out);
      return;
    case NodeKind::kObject:
      grow(text("{", push({.goal = Goal::kMembers, .a = id, .next = under})), out);
      return;
    case NodeKind::kMap:
      grow(text("{", push({.goal = Goal::kEntries, .a = id, .next = under})), out);
      return;
    case NodeKind::kArray:
      grow(text("[", push({.goal = Goal::kItems, .a = id, .next = under})), out);
      return;
  }
}

JsonMachine::CellId JsonMachine::after_comma(bool is_first, CellId under) {
  return is_first ? under : text(",", push({.goal = Goal::kSpace, .next = under}));
}

void JsonMachine::grow_members(const Cell& cell, CellId self, Stacks& out) {
  const Node& node = schema_.node(cell.a);
  for (std::size_t i = cell.b; i < node.properties.size(); ++i) {
    const Property& property = node.properties[i];
    if (has_depth_for(property.value, self)) {
      Cell rest = cell;
      rest.b = static_cast<std::uint32_t>(i + 1);
      rest.c = 1;
      const CellId value = push({.goal = Goal::kValue, .a = property.value, .next = push(rest)});
      const CellId key = text(property.key, push({.goal = Goal::kSpace, .next = value}));
      grow(after_comma(cell.c == 0, key), out);
    }
    if (property.is_required) return;
  }
  grow(text("}", cell.next), out);
}

void JsonMachine::grow_entries(const Cell& cell, Stacks& out) {
  Cell rest = cell;
  rest.c = 1;
  const CellId more = push(rest);
  const NodeId item = schema_.node(cell.a).item;
  if (has_depth_for(item, more)) {
    const CellId value = push({.goal = Goal::kValue, .a = item, .next = more});
    const CellId colon = text(":", push({.goal = Goal::kSpace, .next = value}));
    const CellId key = text("\"", push({.goal = Goal::kString, .a = -1, .next = colon}));
    grow(after_comma(cell.c == 0, key), out);
  }
  grow(text("}", cell.next), out);
}

void JsonMachine::grow_items(const Cell& cell, Stacks& out) {
  const Node& node = schema_.node(cell.a);
  Cell rest = cell;
  // Without a maximum, only how many are still needed matters, and whether there was one.
  rest.c = 1;
  rest.b = node.max == kNoMax ? std::min(cell.b + 1, node.min) : cell.b + 1;
  if (node.max == kNoMax || cell.b < node.max) {
    const CellId more = push(rest);
    if (has_depth_for(node.item, more)) {
      const CellId value = push({.goal = Goal::kValue, .a = node.item, .next = more});
      grow(after_comma(cell.c == 0, value), out);
    }
  }
  if (cell.b >= node.min) grow(text("]", cell.next), out);
}

void JsonMachine::consume(const Cell& cell, std::uint8_t byte, Stacks& out) {
  if (cell.goal == Goal::kString) return consume_string(cell, byte, out);
  if (cell.goal == Goal::kNumber) return consume_number(cell, byte, out);
  Cell rest = cell;
  if (cell.goal == Goal::kText) {
    const std::string& content = texts_[static_cast<std::size_t>(cell.a)];
    if (static_cast<std::uint8_t>(content[cell.b]) != byte) return;
    ++rest.b;
    return grow(rest.b == content.size() ? cell.next : push(rest), out);
  }
  const auto& children = literals_[static_cast<std::size_t>(cell.a)].children;
  const auto child = children.find(byte);
  if (child == children.end()) return;
  rest.a = child->second;
  grow(push(rest), out);
}

void JsonMachine::consume_string(const Cell& cell, std::uint8_t byte, Stacks& out) {
  const std::uint32_t min = cell.a < 0 ? 0 : schema_.node(cell.a).min;
  const std::uint32_t max = cell.a < 0 ? kNoMax : schema_.node(cell.a).max;
  Cell rest = cell;
  if (cell.c != kWhole) {
    const StringPlace place = next_place(cell.c, byte);
    if (place == kNowhere) return;
    rest.c = place;
    return grow(push(rest), out);
  }
  if (byte == '"') {
    if (cell.b >= min) grow(cell.next, out);
    return;
  }
  const StringPlace place = first_place(byte);
  if (place == kNowhere || (max != kNoMax && cell.b >= max)) return;
  rest.c = place;
  rest.b = max == kNoMax ? std::min(cell.b + 1, min) : cell.b + 1;
  grow(push(rest), out);
}

void JsonMachine::consume_number(const Cell& cell, std::uint8_t byte, Stacks& out) {
  const bool may_break = cell.a == 0 && (cell.c == kZero || cell.c == kInt || cell.c == kFraction);
  const auto go = [&](NumberPlace place, std::uint32_t digits) {
    Cell rest = cell;
    rest.b = digits;
    rest.c = place;
    grow(push(rest), out);
  };
  if (byte == '-' && cell.c == kSign) return go(kFirst, 0);
  if ((byte == '-' || byte == '+') && cell.c == kE) return go(kESign, 0);
  if (byte == '.' && may_break && cell.c != kFraction) return go(kPoint, 0);
  if ((byte == 'e' || byte == 'E') && may_break) return go(kE, 0);
  if (!is_digit(byte)) return;
  switch (cell.c) {
    case kSign:
    case kFirst:
      return byte == '0' ? go(kZero, 0) : go(kInt, 1);
    case kInt:
      if (cell.b < kDigitsMax) go(kInt, cell.b + 1);
      return;
    case kPoint:
      return go(kFraction, 1);
    case kFraction:
      if (cell.b < kDigitsMax) go(kFraction, cell.b + 1);
      return;
    case kE:
    case kESign:
      return go(kExponent, 1);
    case kExponent:
      if (cell.b < kExponentDigitsMax) go(kExponent, cell.b + 1);
      return;
    default:
      return;
  }
}

}  // namespace adit::model::constraint
