// SPDX-License-Identifier: MIT
// common/model/constraint/schema.hpp
//
// The subset of JSON schema that answers can be held to, compiled into a grammar: `json-schema/1`.
//
// In       a schema: true; {} and type (one or a list) with properties, required, additionalProperties, items,
//          minItems, maxItems, minLength, maxLength; enum, const; anyOf; oneOf whose branches are evidently
//          disjoint; $ref to a place in the same text; title, description, default, examples, $schema, $comment,
//          deprecated, readOnly, writeOnly and $defs, definitions beside them.
// Out      the grammar of accepted texts, each of which is JSON that satisfies the schema:
//          - no white space outside of strings, but one space may stand after each ':' and ','
//            (not inside of enum and const values, which are written without);
//          - objects: the declared properties in declared order, those not required may be left out; keys are
//            written with the fewest escapes. Without properties: any keys, values by additionalProperties;
//          - strings: well-formed UTF-8 from U+0020 on, every escape of JSON, \u without surrogates;
//          - integers: -?(0|[1-9][0-9]{0,17}); numbers: integer, (.[0-9]{1,18})?, ([eE][+-]?[0-9]{1,2})?;
//          - containers nest at most kAnswerDepthMax deep; what could not end within that is not begun;
//          - without type: what the keywords belong to (properties: an object, items: an array, maxLength: a
//            string), else any JSON.
// Errors   kInvalidArgument, kUnimplemented "schema: #/pointer: what is wrong": everything that is not
//          understood is refused, never passed over.
// Threads  const after compile; any thread.
// Source   JSON Schema 2020-12, RFC 8259
// Tests    tests/unit/common/model/constraint/schema_test.cpp, tests/fuzz/json_schema_fuzz.cpp
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace adit::model::constraint {

inline constexpr int kAnswerDepthMax = 24;
inline constexpr std::size_t kSchemaBytesMax = 1u << 18;
inline constexpr std::size_t kSchemaNodesMax = 4096;
inline constexpr std::size_t kSchemaBranchesMax = 128;
inline constexpr std::size_t kSchemaLiteralsMax = 4096;
inline constexpr std::uint32_t kSchemaCountMax = 1u << 20;
inline constexpr std::uint32_t kNoMax = UINT32_MAX;

using NodeId = std::int32_t;

enum class NodeKind : std::uint8_t { kString, kNumber, kInteger, kLiterals, kObject, kMap, kArray, kUnion };

struct Property {
  // JSON text with quotes and colon.
  std::string key;
  NodeId value = 0;
  bool is_required = false;
};

struct Node {
  NodeKind kind = NodeKind::kUnion;
  // Characters of a string, items of an array.
  std::uint32_t min = 0;
  std::uint32_t max = kNoMax;
  // Of an array, or the values of a map.
  NodeId item = -1;
  std::vector<Property> properties{};
  std::vector<NodeId> branches{};
  // JSON texts.
  std::vector<std::string> literals{};
  // Containers that the shallowest value nests; kNeverEnds: there is no finite one.
  int depth_min = 0;
};

inline constexpr int kNeverEnds = 1 << 20;

class Schema {
 public:
  [[nodiscard]] static Result<Schema> compile(std::string_view json);
  [[nodiscard]] const Node& node(NodeId id) const { return nodes_[static_cast<std::size_t>(id)]; }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] NodeId root() const { return root_; }

 private:
  friend class SchemaCompiler;
  std::vector<Node> nodes_;
  NodeId root_ = 0;
};

}  // namespace adit::model::constraint
