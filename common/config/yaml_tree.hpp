// SPDX-License-Identifier: MIT
// common/config/yaml_tree.hpp
//
// YAML text to a small bounded tree that remembers lines.
//
// In       one document of at most limits::kConfigBytesMax bytes: mappings with scalar keys, sequences,
//          scalars.
// Out      keys in file order. Refused beyond YAML's own rules: duplicate keys, anchors and aliases, custom
//          tags, a second document, more than kNodesMax nodes, nesting deeper than kDepthMax.
// Errors   kInvalidArgument "<file>: line N: <what>"; yaml-cpp's exceptions stop here.
// Threads  pure.
// Tests    tests/unit/common/config/yaml_reader_test.cpp, tests/fuzz/yaml_fuzz.cpp
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace adit::config {

struct YamlNode {
  enum class Kind : std::uint8_t { kNull, kScalar, kSequence, kMapping };
  Kind kind = Kind::kNull;
  bool quoted = false;
  int line = 1;                   // of a mapping's value: where its key stands
  std::string text;               // of a scalar
  std::vector<std::string> keys;  // of a mapping, beside items
  std::vector<YamlNode> items;    // of a sequence or mapping

  // The value of a mapping's key, or nullptr.
  [[nodiscard]] const YamlNode* find(std::string_view key) const;
};

inline constexpr std::size_t kYamlNodesMax = 20'000;
inline constexpr std::size_t kYamlDepthMax = 24;

[[nodiscard]] Result<YamlNode> parse_yaml(std::string_view text, std::string_view file);

}  // namespace adit::config
