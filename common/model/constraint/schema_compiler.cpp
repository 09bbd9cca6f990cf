// SPDX-License-Identifier: MIT
#include "common/model/constraint/schema_compiler.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/core.h>

namespace adit::model::constraint {
namespace {

// Schemas inside each other, $ref counted.
constexpr int kNestingMax = 256;

constexpr std::array<std::string_view, 11> kSilent{"title",     "description", "default",    "examples",
                                                   "$schema",   "$comment",    "deprecated", "readOnly",
                                                   "writeOnly", "$defs",       "definitions"};
constexpr std::array<std::string_view, 9> kOfTypes{
    "type",     "properties", "required", "additionalProperties", "items", "minItems",
    "maxItems", "minLength",  "maxLength"};
constexpr std::array<std::string_view, 7> kTypes{"object",  "array",   "string", "number",
                                                 "integer", "boolean", "null"};

template <std::size_t N>
bool is_one_of(std::string_view key, const std::array<std::string_view, N>& list) {
  return std::find(list.begin(), list.end(), key) != list.end();
}

// One step of a JSON pointer (RFC 6901).
std::string step(const std::string& at, std::string_view key) {
  std::string out = at + "/";
  for (const char c : key) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

bool has_type(const Json& value, std::string_view type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "number") return value.is_number();
  if (type == "integer") return value.is_number_integer();
  if (type == "boolean") return value.is_boolean();
  return value.is_null();
}

// Every key is silent or in `known`.
template <std::size_t N>
Result<void> check_keys(const Json& json, const std::string& at,
                        const std::array<std::string_view, N>& known) {
  for (const auto& [key, value] : json.items()) {
    if (is_one_of(key, kSilent) || is_one_of(key, known)) continue;
    return unimplemented("schema: {}: not supported here", step(at, key));
  }
  return {};
}

// The types that a schema without "type" means; empty: any.
std::vector<std::string> implied_types(const Json& json) {
  const auto has = [&](const char* key) { return json.contains(key); };
  std::vector<std::string> out;
  if (has("properties") || has("required") || has("additionalProperties")) out.emplace_back("object");
  if (has("items") || has("minItems") || has("maxItems")) out.emplace_back("array");
  if (has("minLength") || has("maxLength")) out.emplace_back("string");
  return out;
}

}  // namespace

Result<NodeId> SchemaCompiler::add(Node node, const std::string& at) {
  if (schema_.nodes_.size() >= kSchemaNodesMax) {
    return resource_exhausted("schema: {}: more than {} parts", at, kSchemaNodesMax);
  }
  schema_.nodes_.push_back(std::move(node));
  return static_cast<NodeId>(schema_.nodes_.size() - 1);
}

NodeId SchemaCompiler::any() {
  if (any_ >= 0) return any_;
  any_ = static_cast<NodeId>(schema_.nodes_.size());
  schema_.nodes_.resize(schema_.nodes_.size() + 6);
  const auto at = [&](NodeId offset) -> Node& {
    return schema_.nodes_[static_cast<std::size_t>(any_ + offset)];
  };
  at(0).branches = {any_ + 1, any_ + 2, any_ + 3, any_ + 4, any_ + 5};
  at(1).kind = NodeKind::kString;
  at(2).kind = NodeKind::kNumber;
  at(3).kind = NodeKind::kLiterals;
  at(3).literals = {"true", "false", "null"};
  at(4).kind = NodeKind::kMap;
  at(4).item = any_;
  at(5).kind = NodeKind::kArray;
  at(5).item = any_;
  return any_;
}

Result<NodeId> SchemaCompiler::compile(const Json& json, const std::string& at) {
  if (json.is_boolean() && json.get<bool>()) return any();
  if (!json.is_object()) return invalid_argument("schema: {}: expected an object or true", at);
  if (nesting_ >= kNestingMax)
    return resource_exhausted("schema: {}: more than {} schemas inside each other", at, kNestingMax);
  ++nesting_;
  Result<NodeId> out = json.contains("$ref") ? reference(json, at) : part(json, at);
  --nesting_;
  return out;
}

Result<NodeId> SchemaCompiler::part(const Json& json, const std::string& at) {
  ADIT_TRY(Node node, node_of(json, at));
  return add(std::move(node), at);
}

Result<Node> SchemaCompiler::node_of(const Json& json, const std::string& at) {
  if (json.contains("anyOf")) return branches(json, "anyOf", at);
  if (json.contains("oneOf")) return branches(json, "oneOf", at);
  if (json.contains("enum") || json.contains("const")) return literals(json, at);
  return typed(json, at);
}

Result<NodeId> SchemaCompiler::reference(const Json& json, const std::string& at) {
  ADIT_TRY_VOID(check_keys(json, at, std::array<std::string_view, 1>{"$ref"}));
  const Json& target = json["$ref"];
  if (!target.is_string() || !target.get_ref<const std::string&>().starts_with("#")) {
    return unimplemented("schema: {}/$ref: expected a place in the same schema (#/…)", at);
  }
  const std::string name = target.get<std::string>();
  if (const auto known = references_.find(name); known != references_.end()) return known->second;
  const Json* place = nullptr;
  try {
    const Json::json_pointer pointer(name.substr(1));
    if (document_.contains(pointer)) place = &document_.at(pointer);
  } catch (const nlohmann::json::exception&) {
    place = nullptr;
  }
  if (place == nullptr) return invalid_argument("schema: {}/$ref: there is no {}", at, name);
  // A union of one, so that a place may name itself.
  ADIT_TRY(const NodeId id, add({}, at));
  references_[name] = id;
  ADIT_TRY(const NodeId found, compile(*place, name));
  schema_.nodes_[static_cast<std::size_t>(id)].branches = {found};
  return id;
}

Result<Node> SchemaCompiler::branches(const Json& json, const std::string& key, const std::string& at) {
  ADIT_TRY_VOID(check_keys(json, at, std::array<std::string_view, 1>{key}));
  const Json& list = json[key];
  if (!list.is_array() || list.empty() || list.size() > kSchemaBranchesMax) {
    return invalid_argument("schema: {}: expected a list of 1 to {} schemas", step(at, key),
                            kSchemaBranchesMax);
  }
  Node out;
  for (std::size_t i = 0; i < list.size(); ++i) {
    ADIT_TRY(const NodeId branch, compile(list[i], fmt::format("{}/{}", step(at, key), i)));
    out.branches.push_back(branch);
  }
  if (key == "oneOf") one_ofs_.push_back({step(at, key), out.branches});
  return out;
}

Result<Node> SchemaCompiler::literals(const Json& json, const std::string& at) {
  ADIT_TRY_VOID(check_keys(json, at, std::array<std::string_view, 3>{"type", "enum", "const"}));
  std::vector<std::string> types;
  if (json.contains("type")) {
    const Json& type = json["type"];
    for (const Json& each : type.is_array() ? type : Json::array({type})) {
      if (!each.is_string() || !is_one_of(each.get<std::string>(), kTypes)) {
        return invalid_argument("schema: {}/type: expected a type of JSON or a list of them", at);
      }
      types.push_back(each);
    }
  }
  if (json.contains("enum") && json.contains("const")) {
    return unimplemented("schema: {}/const: not supported beside enum", at);
  }
  const Json values = json.contains("const") ? Json::array({json["const"]}) : json["enum"];
  if (!values.is_array()) return invalid_argument("schema: {}/enum: expected a list", at);
  Node out;
  out.kind = NodeKind::kLiterals;
  for (const Json& value : values) {
    const bool fits =
        std::any_of(types.begin(), types.end(), [&](const auto& type) { return has_type(value, type); });
    if (types.empty() || fits) out.literals.push_back(to_text(value));
  }
  literal_count_ += out.literals.size();
  if (literal_count_ > kSchemaLiteralsMax) {
    return resource_exhausted("schema: {}: more than {} constants", at, kSchemaLiteralsMax);
  }
  if (out.literals.empty()) return invalid_argument("schema: {}: no value satisfies it", at);
  return out;
}

Result<Node> SchemaCompiler::typed(const Json& json, const std::string& at) {
  ADIT_TRY_VOID(check_keys(json, at, kOfTypes));
  std::vector<std::string> types = implied_types(json);
  if (json.contains("type")) {
    types.clear();
    const Json& type = json["type"];
    for (const Json& each : type.is_array() ? type : Json::array({type})) {
      if (!each.is_string())
        return invalid_argument("schema: {}/type: expected a type of JSON or a list of them", at);
      types.push_back(each);
    }
    if (types.empty() || types.size() > kTypes.size()) {
      return invalid_argument("schema: {}/type: expected 1 to {} types", at, kTypes.size());
    }
  }
  if (types.size() == 1) return of_type(json, types.front(), at);
  Node out;
  if (types.empty()) out.branches.push_back(any());
  for (const std::string& type : types) {
    ADIT_TRY(Node branch, of_type(json, type, at));
    ADIT_TRY(const NodeId id, add(std::move(branch), at));
    out.branches.push_back(id);
  }
  return out;
}

Result<Node> SchemaCompiler::of_type(const Json& json, const std::string& type, const std::string& at) {
  Node out;
  if (type == "object") return object(json, at);
  if (type == "array") return array(json, at);
  if (type == "string") {
    out.kind = NodeKind::kString;
    ADIT_TRY_VOID(bounds(json, "minLength", "maxLength", at, out));
  } else if (type == "number") {
    out.kind = NodeKind::kNumber;
  } else if (type == "integer") {
    out.kind = NodeKind::kInteger;
  } else if (type == "boolean" || type == "null") {
    out.kind = NodeKind::kLiterals;
    out.literals =
        type == "null" ? std::vector<std::string>{"null"} : std::vector<std::string>{"true", "false"};
  } else {
    return invalid_argument("schema: {}/type: '{}' is no type of JSON", at, type);
  }
  return out;
}

Result<void> SchemaCompiler::bounds(const Json& json, const char* min_key, const char* max_key,
                                    const std::string& at, Node& node) const {
  for (const auto& [key, value] : {std::pair{min_key, &node.min}, std::pair{max_key, &node.max}}) {
    const auto found = json.find(key);
    if (found == json.end()) continue;
    if (!found->is_number_integer() || *found < 0 || *found > kSchemaCountMax) {
      return invalid_argument("schema: {}/{}: expected an integer in 0..{}", at, key, kSchemaCountMax);
    }
    *value = found->get<std::uint32_t>();
  }
  if (node.min <= node.max) return {};
  return invalid_argument("schema: {}/{}: {} is more than {} {}", at, min_key, node.min, max_key, node.max);
}

Result<Node> SchemaCompiler::array(const Json& json, const std::string& at) {
  Node out;
  out.kind = NodeKind::kArray;
  ADIT_TRY_VOID(bounds(json, "minItems", "maxItems", at, out));
  if (json.contains("items")) {
    ADIT_TRY(out.item, compile(json["items"], at + "/items"));
  } else {
    out.item = any();
  }
  return out;
}

Result<Node> SchemaCompiler::object(const Json& json, const std::string& at) {
  Node out;
  out.kind = NodeKind::kObject;
  const Json none = Json::object();
  const auto properties = json.find("properties");
  const Json& declared = properties == json.end() ? none : *properties;
  if (!declared.is_object()) return invalid_argument("schema: {}/properties: expected an object", at);
  const auto more = json.find("additionalProperties");
  const bool is_closed = more != json.end() && more->is_boolean() && !more->get<bool>();
  for (const auto& [key, value] : declared.items()) {
    ADIT_TRY(const NodeId id, compile(value, step(at + "/properties", key)));
    out.properties.push_back({.key = to_text(Json(key)) + ":", .value = id});
  }
  const auto required = json.find("required");
  const Json& names = required == json.end() ? none : *required;
  if (required != json.end() && !names.is_array())
    return invalid_argument("schema: {}/required: expected a list", at);
  for (const Json& name : names) {
    const std::string key = to_text(name) + ":";
    const auto found = std::find_if(out.properties.begin(), out.properties.end(),
                                    [&](const Property& each) { return each.key == key; });
    if (!name.is_string() || found == out.properties.end()) {
      return unimplemented("schema: {}/required: {} is not among the properties", at, to_text(name));
    }
    found->is_required = true;
  }
  if (more != json.end() && !more->is_boolean() && !out.properties.empty()) {
    return unimplemented("schema: {}/additionalProperties: a schema is not supported beside properties", at);
  }
  if (!out.properties.empty() || is_closed) return out;
  out.kind = NodeKind::kMap;
  if (more == json.end()) {
    out.item = any();
    return out;
  }
  ADIT_TRY(out.item, compile(*more, at + "/additionalProperties"));
  return out;
}

}  // namespace adit::model::constraint
