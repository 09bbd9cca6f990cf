// SPDX-License-Identifier: MIT
#include "common/model/chat_template.hpp"

#include <exception>

#include "common/base/limits.hpp"
#include "common/model/jinja/evaluator.hpp"
#include "common/model/jinja/fault.hpp"
#include "common/model/jinja/parser.hpp"
#include "common/model/unicode_classes.hpp"

namespace adit::model {
namespace {

using jinja::Body;
using jinja::Node;
using jinja::NodeKind;
using jinja::Value;

// What a statement asks of the loop around it.
enum class Flow : std::uint8_t { kNext, kBreak, kContinue };

// Runs statements and gathers the output.
class Renderer {
 public:
  Renderer() : evaluator_(scopes_, budget_) {}

  jinja::Scopes& scopes() { return scopes_; }
  std::string take() { return std::move(out_); }

  Flow run(const Body& body) {
    for (const Node& node : body) {
      budget_.step(node.line);
      const Flow flow = run(node);
      if (flow != Flow::kNext) return flow;
    }
    return Flow::kNext;
  }

 private:
  Flow run(const Node& node) {
    switch (node.kind) {
      case NodeKind::kText: write(node.text, node.line); break;
      case NodeKind::kOutput: write(jinja::print(evaluator_.eval(*node.expr), node.line), node.line); break;
      case NodeKind::kIf: return branch(node);
      case NodeKind::kFor: return loop(node);
      case NodeKind::kSet: assign(node); break;
      case NodeKind::kBreak: return Flow::kBreak;
      case NodeKind::kContinue: return Flow::kContinue;
    }
    return Flow::kNext;
  }

  void write(const std::string& text, int line) {
    budget_.bytes(line, text.size());
    out_ += text;
  }

  Flow branch(const Node& node) {
    for (std::size_t i = 0; i < node.conditions.size(); ++i) {
      if (jinja::truth(evaluator_.eval(*node.conditions[i]))) return run(node.bodies[i]);
    }
    return node.bodies.size() > node.conditions.size() ? run(node.bodies.back()) : Flow::kNext;
  }

  void bind(const std::vector<std::string>& targets, const Value& value, int line) {
    if (targets.size() == 1) {
      scopes_.set(targets[0], value);
      return;
    }
    const jinja::List parts = evaluator_.items(value, line);
    if (parts.size() != targets.size()) {
      jinja::fail(line, "expected {} values to unpack, got {}", targets.size(), parts.size());
    }
    for (std::size_t i = 0; i < targets.size(); ++i) scopes_.set(targets[i], parts[i]);
  }

  // The items of the loop that its filter lets through.
  jinja::List loop_items(const Node& node) {
    jinja::List items = evaluator_.items(evaluator_.eval(*node.expr), node.line);
    if (!node.filter) return items;
    jinja::List out;
    for (const Value& item : items) {
      scopes_.push();
      bind(node.targets, item, node.line);
      const bool keep = jinja::truth(evaluator_.eval(*node.filter));
      scopes_.pop();
      if (keep) out.push_back(item);
    }
    return out;
  }

  static Value loop_value(const jinja::List& items, std::size_t i, int line) {
    const auto index = static_cast<std::int64_t>(i);
    const auto size = static_cast<std::int64_t>(items.size());
    jinja::Map loop;
    loop.emplace_back("index", Value(index + 1));
    loop.emplace_back("index0", Value(index));
    loop.emplace_back("revindex", Value(size - index));
    loop.emplace_back("revindex0", Value(size - index - 1));
    loop.emplace_back("first", Value(i == 0));
    loop.emplace_back("last", Value(i + 1 == items.size()));
    loop.emplace_back("length", Value(size));
    if (i > 0) loop.emplace_back("previtem", items[i - 1]);
    if (i + 1 < items.size()) loop.emplace_back("nextitem", items[i + 1]);
    return Value(std::move(loop), line);
  }

  Flow loop(const Node& node) {
    const jinja::List items = loop_items(node);
    budget_.step(node.line, items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
      scopes_.push();
      scopes_.set("loop", loop_value(items, i, node.line));
      bind(node.targets, items[i], node.line);
      const Flow flow = run(node.bodies[0]);
      scopes_.pop();
      if (flow == Flow::kBreak) break;
    }
    return items.empty() && node.bodies.size() > 1 ? run(node.bodies[1]) : Flow::kNext;
  }

  void assign(const Node& node) {
    const Value value = evaluator_.eval(*node.expr);
    if (!node.attribute) {
      bind(node.targets, value, node.line);
      return;
    }
    const Value target = scopes_.get(node.targets[0]);
    if (!target.is<std::shared_ptr<jinja::Namespace>>()) {
      jinja::fail(node.line, "cannot set an attribute of {}", jinja::kind_of(target));
    }
    jinja::check_element(value, node.line);
    auto& values = std::get<std::shared_ptr<jinja::Namespace>>(target.data)->values;
    for (auto& [name, old] : values) {
      if (name == node.targets[1]) {
        old = value;
        return;
      }
    }
    budget_.step(node.line, values.size());
    values.emplace_back(node.targets[1], value);
  }

  jinja::Scopes scopes_;
  jinja::Budget budget_;
  jinja::Evaluator evaluator_;
  std::string out_;
};

Value messages_value(std::span<const ChatMessage> messages) {
  jinja::List list;
  list.reserve(messages.size());
  for (const ChatMessage& message : messages) {
    jinja::Map map;
    map.emplace_back("role", Value(to_valid_utf8(message.role)));
    map.emplace_back("content", Value(to_valid_utf8(message.content)));
    list.emplace_back(std::move(map), 1);
  }
  return Value(std::move(list), 1);
}

}  // namespace

Result<std::string> render_chat(std::string_view template_text, std::span<const ChatMessage> messages,
                                bool add_generation_prompt, const ChatTokens& tokens) {
  if (template_text.size() > limits::kChatTemplateBytesMax || messages.size() > limits::kChatMessagesMax) {
    return resource_exhausted("chat template: {} bytes, {} messages: expected at most {} and {}",
                              template_text.size(), messages.size(), limits::kChatTemplateBytesMax,
                              limits::kChatMessagesMax);
  }
  try {
    const Body body = jinja::parse(to_valid_utf8(template_text));
    Renderer renderer;
    renderer.scopes().set("messages", messages_value(messages));
    renderer.scopes().set("add_generation_prompt", Value(add_generation_prompt));
    renderer.scopes().set("bos_token", Value(tokens.bos));
    renderer.scopes().set("eos_token", Value(tokens.eos));
    renderer.run(body);
    return renderer.take();
  } catch (const jinja::Fault& fault) {
    const bool left_out = fault.code() == ErrorCode::kUnimplemented;
    return make_error(fault.code(), "chat template: line {}: {}{}", fault.line(), fault.what(),
                      left_out ? ": not in the supported part of Jinja" : "");
  }
}

}  // namespace adit::model
