// SPDX-License-Identifier: MIT
// common/model/constraint/schema_compiler.hpp
//
// From a schema's JSON to its nodes; only schema.cpp and schema_compiler.cpp include this.
//
// Errors   as Schema::compile.
// Threads  one thread.
// Tests    tests/unit/common/model/constraint/schema_test.cpp
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/constraint/ordered_json.hpp"
#include "common/model/constraint/schema.hpp"

namespace adit::model::constraint {

class SchemaCompiler {
 public:
  explicit SchemaCompiler(const Json& document) : document_(document) {}
  [[nodiscard]] Result<Schema> run();

 private:
  // `at`: JSON pointer of `json`.
  [[nodiscard]] Result<NodeId> compile(const Json& json, const std::string& at);
  [[nodiscard]] Result<NodeId> part(const Json& json, const std::string& at);
  [[nodiscard]] Result<Node> node_of(const Json& json, const std::string& at);
  [[nodiscard]] Result<NodeId> reference(const Json& json, const std::string& at);
  [[nodiscard]] Result<Node> branches(const Json& json, const std::string& key, const std::string& at);
  [[nodiscard]] Result<Node> literals(const Json& json, const std::string& at);
  [[nodiscard]] Result<Node> typed(const Json& json, const std::string& at);
  [[nodiscard]] Result<Node> of_type(const Json& json, const std::string& type, const std::string& at);
  [[nodiscard]] Result<Node> object(const Json& json, const std::string& at);
  [[nodiscard]] Result<Node> array(const Json& json, const std::string& at);
  [[nodiscard]] Result<void> bounds(const Json& json, const char* min_key, const char* max_key,
                                    const std::string& at, Node& node) const;
  [[nodiscard]] Result<NodeId> add(Node node, const std::string& at);
  [[nodiscard]] NodeId any();
  void find_depths();
  void find_types();
  [[nodiscard]] bool disjoint(NodeId a, NodeId b, int depth);
  [[nodiscard]] const Node& node(NodeId id) const { return schema_.nodes_[static_cast<std::size_t>(id)]; }

  const Json& document_;
  Schema schema_;
  NodeId any_ = -1;
  std::size_t literal_count_ = 0;
  int nesting_ = 0;
  // By node, one bit a type of JSON.
  std::vector<unsigned> types_;
  // Comparisons that are left to find out whether branches are disjoint.
  int comparisons_left_ = 100'000;
  // Places that a $ref named, so that recursion ends.
  std::map<std::string, NodeId> references_;
  struct OneOf {
    std::string at;
    std::vector<NodeId> branches;
  };
  std::vector<OneOf> one_ofs_;
};

}  // namespace adit::model::constraint
