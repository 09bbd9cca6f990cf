// SPDX-License-Identifier: MIT
#include "common/config/yaml_tree.hpp"

#include <sstream>
#include <stdexcept>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "common/base/limits.hpp"

namespace adit::config {
namespace {

using Kind = YamlNode::Kind;

// Thrown inside yaml-cpp's callbacks, caught in parse_yaml.
struct Refused : std::runtime_error {
  Refused(int line_number, const std::string& what) : std::runtime_error(what), line(line_number) {}
  int line;
};

int line_of(const YAML::Mark& mark) { return mark.line < 0 ? 1 : mark.line + 1; }

// Builds the tree bottom-up: open containers stand on a stack, a closed one is moved into its parent.
class TreeBuilder final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(make(mark, anchor, "?", Kind::kNull));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    throw Refused(line_of(mark), "aliases (*name) are not accepted");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node = make(mark, anchor, tag, Kind::kScalar);
    node.quoted = tag == "!";
    node.text = value;
    if (!node.quoted && (value == "~" || value == "null")) node.kind = Kind::kNull;
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(make(mark, anchor, tag, Kind::kSequence));
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(make(mark, anchor, tag, Kind::kMapping));
  }
  void OnMapEnd() override { close(); }

  YamlNode take() { return std::move(root_); }

 private:
  struct Open {
    YamlNode node;
    bool has_key = false;
    std::string key;
    int key_line = 1;
  };

  YamlNode make(const YAML::Mark& mark, YAML::anchor_t anchor, const std::string& tag, Kind kind) {
    if (anchor != 0) throw Refused(line_of(mark), "anchors (&name) are not accepted");
    if (tag != "?" && tag != "!" && !tag.empty()) {
      throw Refused(line_of(mark), fmt::format("the tag '{}' is not accepted", tag));
    }
    if (++nodes_ > kYamlNodesMax) {
      throw Refused(line_of(mark), fmt::format("more than {} values", kYamlNodesMax));
    }
    YamlNode node;
    node.kind = kind;
    node.line = line_of(mark);
    return node;
  }

  void open(YamlNode node) {
    if (stack_.size() >= kYamlDepthMax) {
      throw Refused(node.line, fmt::format("nested deeper than {} levels", kYamlDepthMax));
    }
    if (expects_key()) throw Refused(node.line, "expected a plain text key");
    stack_.push_back(Open{std::move(node), false, {}, 1});
  }

  void close() {
    YamlNode done = std::move(stack_.back().node);
    stack_.pop_back();
    add(std::move(done));
  }

  [[nodiscard]] bool expects_key() const {
    return !stack_.empty() && stack_.back().node.kind == Kind::kMapping && !stack_.back().has_key;
  }

  void add(YamlNode node) {
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& top = stack_.back();
    if (expects_key()) {
      if (node.kind != Kind::kScalar || node.text.empty()) {
        throw Refused(node.line, "expected a plain text key");
      }
      if (top.node.find(node.text) != nullptr) {
        throw Refused(node.line, fmt::format("the key '{}' stands twice in one mapping", node.text));
      }
      top.key = std::move(node.text);
      top.key_line = node.line;
      top.has_key = true;
      return;
    }
    if (top.node.kind == Kind::kMapping) {
      top.node.keys.push_back(std::move(top.key));
      node.line = top.key_line;
    }
    top.has_key = false;
    top.node.items.push_back(std::move(node));
  }

  std::vector<Open> stack_;
  YamlNode root_;
  std::size_t nodes_ = 0;
};

// yaml-cpp's scanner recurses on some unbalanced inputs: brackets are bounded before it sees them.
bool nested_too_deep(std::string_view text) {
  std::size_t depth = 0;
  for (const char c : text) {
    if (c == '[' || c == '{') ++depth;
    if ((c == ']' || c == '}') && depth > 0) --depth;
    if (depth > 16 * kYamlDepthMax) return true;
  }
  return false;
}

Result<void> check_bytes(std::string_view text, std::string_view file) {
  if (text.size() > limits::kConfigBytesMax) {
    return resource_exhausted("{}: {} bytes, at most {} are accepted", file, text.size(),
                              limits::kConfigBytesMax);
  }
  int line = 1;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') ++line;
    if ((byte < 0x20 && c != '\n' && c != '\r' && c != '\t') || byte == 0x7f) {
      return invalid_argument("{}: line {}: the control byte 0x{:02x} is not accepted", file, line, byte);
    }
  }
  if (nested_too_deep(text)) return invalid_argument("{}: line 1: too many open brackets", file);
  return {};
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i] == key) return &items[i];
  }
  return nullptr;
}

Result<YamlNode> parse_yaml(std::string_view text, std::string_view file) {
  ADIT_TRY_VOID(check_bytes(text, file));
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    TreeBuilder builder;
    const bool any = parser.HandleNextDocument(builder);
    YamlNode root = any ? builder.take() : YamlNode{};
    TreeBuilder second;
    if (any && parser.HandleNextDocument(second)) {
      return invalid_argument("{}: line {}: a second document is not accepted", file, second.take().line);
    }
    if (root.kind == Kind::kNull) root.kind = Kind::kMapping;
    if (root.kind != Kind::kMapping) {
      return invalid_argument("{}: line {}: expected a mapping (key: value) at the top", file, root.line);
    }
    return root;
  } catch (const Refused& refused) {
    return invalid_argument("{}: line {}: {}", file, refused.line, refused.what());
  } catch (const YAML::Exception& error) {
    return invalid_argument("{}: line {}: {}", file, line_of(error.mark), error.msg);
  } catch (const std::exception& error) {
    return invalid_argument("{}: line 1: not YAML ({})", file, error.what());
  }
}

}  // namespace adit::config
