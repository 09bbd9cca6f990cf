// SPDX-License-Identifier: MIT
// common/config/yaml_state.hpp
//
// What the handles of one YamlReader share; only the reader's own sources include this.
//
// Threads  one.
// Tests    tests/unit/common/config/yaml_reader_test.cpp
#pragma once

#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/config/yaml_reader.hpp"
#include "common/config/yaml_tree.hpp"

namespace adit::config {

// One mapping that was asked about; `node` is null for an absent one.
struct Section {
  const YamlNode* node = nullptr;
  std::string path;
  std::vector<std::string> asked;
};

struct YamlReader::State {
  std::filesystem::path file;
  YamlNode root;
  std::deque<Section> sections;
  std::optional<Error> first;
  std::optional<Error> missing;
  std::vector<FieldDoc> fields;
};

// "'text'" (shortened), "nothing", "a list", "a mapping".
[[nodiscard]] std::string describe(const YamlNode& node);

}  // namespace adit::config
