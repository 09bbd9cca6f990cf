// SPDX-License-Identifier: MIT
#include "common/config/yaml_reader.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "common/base/files.hpp"
#include "common/base/limits.hpp"
#include "common/config/yaml_state.hpp"

namespace adit::config {

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replace});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string describe(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull: return "nothing";
    case YamlNode::Kind::kSequence: return "a list";
    case YamlNode::Kind::kMapping: return "a mapping";
    case YamlNode::Kind::kScalar: break;
  }
  constexpr std::size_t kShownMax = 80;
  if (node.text.size() <= kShownMax) return fmt::format("'{}'", node.text);
  return fmt::format("'{}…' ({} bytes)", node.text.substr(0, kShownMax), node.text.size());
}

std::optional<std::string> nearest_name(std::string_view name, std::span<const std::string> candidates) {
  constexpr std::size_t kNameCharsMax = 64;
  const std::string* best = nullptr;
  std::size_t best_distance = std::max<std::size_t>(2, name.size() / 3) + 1;
  if (name.size() > kNameCharsMax) return std::nullopt;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(name, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = &candidate;
    }
  }
  return best == nullptr ? std::nullopt : std::optional<std::string>(*best);
}

Result<YamlReader> YamlReader::from_text(std::string_view text, std::filesystem::path file) {
  auto state = std::make_shared<State>();
  ADIT_TRY(state->root, parse_yaml(text, file.string()));
  state->file = std::move(file);
  state->sections.push_back(Section{&state->root, "", {}});
  return YamlReader(std::move(state), 0);
}

Result<YamlReader> YamlReader::from_file(const std::filesystem::path& file) {
  ADIT_TRY(const Bytes content, read_file(file, limits::kConfigBytesMax));
  return from_text(as_text(content), file);
}

std::string YamlReader::path_of(std::string_view key) const {
  const std::string& prefix = state_->sections[index_].path;
  return prefix.empty() ? std::string(key) : fmt::format("{}.{}", prefix, key);
}

void YamlReader::error_at(int line, std::string_view key, std::string_view message) {
  if (state_->first) return;
  state_->first = Error{ErrorCode::kInvalidArgument, fmt::format("{}: line {}: {}: {}", state_->file.string(),
                                                                 line, path_of(key), message)};
}

bool YamlReader::has(std::string_view key) const {
  const Section& section = state_->sections[index_];
  return section.node != nullptr && section.node->find(key) != nullptr;
}

std::vector<std::string> YamlReader::keys() const {
  const YamlNode* node = state_->sections[index_].node;
  return node == nullptr ? std::vector<std::string>() : node->keys;
}

const YamlNode* YamlReader::ask(std::string_view key) {
  Section& section = state_->sections[index_];
  if (std::find(section.asked.begin(), section.asked.end(), key) == section.asked.end()) {
    section.asked.emplace_back(key);
  }
  return section.node == nullptr ? nullptr : section.node->find(key);
}

void YamlReader::note(FieldDoc doc) { state_->fields.push_back(std::move(doc)); }

YamlReader YamlReader::section(std::string_view key, std::string_view sentence) {
  const YamlNode* node = ask(key);
  if (node != nullptr && node->kind == YamlNode::Kind::kNull) node = nullptr;
  if (node != nullptr && node->kind != YamlNode::Kind::kMapping) {
    error_at(node->line, key, fmt::format("expected a mapping (key: value), got {}", describe(*node)));
    node = nullptr;
  }
  note({path_of(key), "a section", "", "", std::string(sentence)});
  state_->sections.push_back(Section{node, path_of(key), {}});
  return {state_, state_->sections.size() - 1};
}

std::vector<YamlReader> YamlReader::sections(std::string_view key, std::size_t items_max,
                                             std::string_view sentence) {
  std::vector<YamlReader> out;
  const YamlNode* node = ask(key);
  note(
      {path_of(key), fmt::format("a list of at most {} sections", items_max), "", "", std::string(sentence)});
  if (node == nullptr) return out;
  if (node->kind != YamlNode::Kind::kSequence || node->items.size() > items_max) {
    error_at(node->line, key,
             fmt::format("expected a list of at most {} mappings, got {}", items_max, describe(*node)));
    return out;
  }
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    const YamlNode& item = node->items[i];
    const std::string name = fmt::format("{}[{}]", key, i);
    if (item.kind != YamlNode::Kind::kMapping) {
      error_at(item.line, name, fmt::format("expected a mapping (key: value), got {}", describe(item)));
      continue;
    }
    state_->sections.push_back(Section{&item, path_of(name), {}});
    out.push_back(YamlReader(state_, state_->sections.size() - 1));
  }
  return out;
}

void YamlReader::require(std::initializer_list<std::string_view> keys) {
  const Section& section = state_->sections[index_];
  if (section.node == nullptr || state_->missing) return;
  for (const std::string_view key : keys) {
    if (has(key)) continue;
    state_->missing = Error{ErrorCode::kInvalidArgument,
                            fmt::format("{}: line {}: {}: required, but not there", state_->file.string(),
                                        section.node->line, path_of(key))};
    return;
  }
}

void YamlReader::fail(std::string_view key, std::string_view message) {
  const Section& section = state_->sections[index_];
  const YamlNode* node = section.node == nullptr ? nullptr : section.node->find(key);
  const int here = section.node == nullptr ? 1 : section.node->line;
  error_at(node == nullptr ? here : node->line, key, message);
}

Result<void> YamlReader::finish() const {
  if (state_->first) return tl::unexpected<Error>(*state_->first);
  for (const Section& section : state_->sections) {
    if (section.node == nullptr) continue;
    for (std::size_t i = 0; i < section.node->keys.size(); ++i) {
      const std::string& key = section.node->keys[i];
      if (std::find(section.asked.begin(), section.asked.end(), key) != section.asked.end()) continue;
      const auto near = nearest_name(key, section.asked);
      return invalid_argument("{}: line {}: {}{}{}: unknown key{}", state_->file.string(),
                              section.node->items[i].line, section.path, section.path.empty() ? "" : ".", key,
                              near ? fmt::format(", did you mean '{}'?", *near) : "");
    }
  }
  if (state_->missing) return tl::unexpected<Error>(*state_->missing);
  return {};
}

const std::vector<FieldDoc>& YamlReader::fields() const { return state_->fields; }

}  // namespace adit::config
