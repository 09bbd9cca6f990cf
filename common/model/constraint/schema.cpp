// SPDX-License-Identifier: MIT
#include "common/model/constraint/schema.hpp"

#include <algorithm>

#include "common/model/constraint/schema_compiler.hpp"

namespace adit::model::constraint {
namespace {

constexpr int kDisjointDepth = 8;
constexpr unsigned kString = 1, kNumber = 2, kBoolean = 4, kNull = 8, kObject = 16, kArray = 32;

unsigned type_of_literal(const std::string& text) {
  switch (text.front()) {
    case '"':
      return kString;
    case '{':
      return kObject;
    case '[':
      return kArray;
    case 't':
    case 'f':
      return kBoolean;
    case 'n':
      return kNull;
    default:
      return kNumber;
  }
}

// Equal as JSON values: numbers by value, objects whatever their order.
bool is_same_value(const std::string& a, const std::string& b) {
  return nlohmann::json::parse(a, nullptr, false) == nlohmann::json::parse(b, nullptr, false);
}

}  // namespace

Result<Schema> Schema::compile(std::string_view json) {
  if (json.size() > kSchemaBytesMax) {
    return resource_exhausted("schema: {} bytes, at most {} are accepted", json.size(), kSchemaBytesMax);
  }
  const auto document = parse_ordered(json);
  if (!document) return tl::unexpected<Error>(document.error().context("schema"));
  return SchemaCompiler(*document).run();
}

Result<Schema> SchemaCompiler::run() {
  ADIT_TRY(schema_.root_, compile(document_, "#"));
  find_depths();
  find_types();
  for (const OneOf& one : one_ofs_) {
    for (std::size_t i = 0; i < one.branches.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (disjoint(one.branches[j], one.branches[i], kDisjointDepth)) continue;
        return unimplemented(
            "schema: {}: branches {} and {} may both hold; use anyOf, or a required property whose "
            "constant tells them apart",
            one.at, j, i);
      }
    }
  }
  if (node(schema_.root_).depth_min > kAnswerDepthMax) {
    return invalid_argument("schema: #: no value nests at most {} deep", kAnswerDepthMax);
  }
  return std::move(schema_);
}

void SchemaCompiler::find_depths() {
  for (Node& each : schema_.nodes_) each.depth_min = kNeverEnds;
  const auto depth_of = [&](const Node& each) {
    const auto under = [&](NodeId id) { return std::min(kNeverEnds, 1 + node(id).depth_min); };
    int depth = 0;
    switch (each.kind) {
      case NodeKind::kString:
      case NodeKind::kNumber:
      case NodeKind::kInteger:
      case NodeKind::kLiterals:
        return 0;
      case NodeKind::kMap:
        return 1;
      case NodeKind::kArray:
        return each.min == 0 ? 1 : under(each.item);
      case NodeKind::kObject:
        depth = 1;
        for (const Property& p : each.properties) depth = std::max(depth, p.is_required ? under(p.value) : 1);
        return depth;
      case NodeKind::kUnion:
        depth = kNeverEnds;
        for (const NodeId branch : each.branches) depth = std::min(depth, node(branch).depth_min);
        return depth;
    }
    return kNeverEnds;
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (Node& each : schema_.nodes_) {
      const int depth = depth_of(each);
      changed = changed || depth != each.depth_min;
      each.depth_min = depth;
    }
  }
}

void SchemaCompiler::find_types() {
  types_.assign(schema_.nodes_.size(), 0);
  const auto types_of = [&](const Node& each) {
    unsigned types = 0;
    switch (each.kind) {
      case NodeKind::kString:
        return kString;
      case NodeKind::kNumber:
      case NodeKind::kInteger:
        return kNumber;
      case NodeKind::kObject:
      case NodeKind::kMap:
        return kObject;
      case NodeKind::kArray:
        return kArray;
      case NodeKind::kLiterals:
        for (const std::string& text : each.literals) types |= type_of_literal(text);
        return types;
      case NodeKind::kUnion:
        for (const NodeId branch : each.branches) types |= types_[static_cast<std::size_t>(branch)];
        return types;
    }
    return types;
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < types_.size(); ++i) {
      const unsigned types = types_of(schema_.nodes_[i]);
      changed = changed || types != types_[i];
      types_[i] = types;
    }
  }
}

// Whether no value can satisfy both, as far as that is easily seen.
bool SchemaCompiler::disjoint(NodeId a, NodeId b, int depth) {
  if (depth == 0 || --comparisons_left_ < 0) return false;
  if ((types_[static_cast<std::size_t>(a)] & types_[static_cast<std::size_t>(b)]) == 0) return true;
  const Node& left = node(a);
  const Node& right = node(b);
  if (left.kind == NodeKind::kUnion) {
    return std::all_of(left.branches.begin(), left.branches.end(),
                       [&](NodeId each) { return disjoint(each, b, depth - 1); });
  }
  if (right.kind == NodeKind::kUnion) return disjoint(b, a, depth);
  if (left.kind == NodeKind::kLiterals && right.kind == NodeKind::kLiterals) {
    return std::none_of(left.literals.begin(), left.literals.end(), [&](const std::string& text) {
      return std::any_of(right.literals.begin(), right.literals.end(), [&](const std::string& other) {
        return --comparisons_left_ < 0 || is_same_value(text, other);
      });
    });
  }
  if (left.kind != NodeKind::kObject || right.kind != NodeKind::kObject) return false;
  for (const Property& mine : left.properties) {
    for (const Property& other : right.properties) {
      if (mine.key == other.key && mine.is_required && other.is_required &&
          disjoint(mine.value, other.value, depth - 1)) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace adit::model::constraint
