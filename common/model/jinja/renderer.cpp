// SPDX-License-Identifier: MIT
#include "common/model/jinja/renderer.hpp"

#include <algorithm>
#include <utility>

#include "common/model/jinja/fault.hpp"

namespace adit::model::jinja {
namespace {

// What a statement asks of the loop around it.
enum class Flow : std::uint8_t { kNext, kBreak, kContinue };

// Runs statements and gathers the output.
class Renderer {
 public:
  explicit Renderer(Scopes& scopes)
      : scopes_(scopes),
        evaluator_(scopes_, budget_, [this](const Node& node, const Evaluator::Arguments& arguments) {
          return call_macro(node, arguments);
        }) {}

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
      case NodeKind::kOutput: write(print(evaluator_.eval(*node.expr), node.line), node.line); break;
      case NodeKind::kIf: return branch(node);
      case NodeKind::kFor: return loop(node);
      case NodeKind::kSet: assign(node, evaluator_.eval(*node.expr)); break;
      case NodeKind::kSetBlock: assign(node, Value(capture(node.bodies[0], false))); break;
      case NodeKind::kMacro: scopes_.set(node.targets[0], Value(&node)); break;
      case NodeKind::kGeneration:
        scopes_.push();
        run(node.bodies[0]);
        scopes_.pop();
        break;
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
      if (truth(evaluator_.eval(*node.conditions[i]))) return run(node.bodies[i]);
    }
    return node.bodies.size() > node.conditions.size() ? run(node.bodies.back()) : Flow::kNext;
  }

  void bind(const std::vector<std::string>& targets, const Value& value, int line) {
    if (targets.size() == 1) {
      scopes_.set(targets[0], value);
      return;
    }
    const List parts = evaluator_.items(value, line);
    if (parts.size() != targets.size()) {
      fail(line, "expected {} values to unpack, got {}", targets.size(), parts.size());
    }
    for (std::size_t i = 0; i < targets.size(); ++i) scopes_.set(targets[i], parts[i]);
  }

  // The items of the loop that its filter lets through.
  List loop_items(const Node& node) {
    List items = evaluator_.items(evaluator_.eval(*node.expr), node.line);
    if (!node.filter) return items;
    List out;
    for (const Value& item : items) {
      scopes_.push();
      bind(node.targets, item, node.line);
      const bool keep = truth(evaluator_.eval(*node.filter));
      scopes_.pop();
      if (keep) out.push_back(item);
    }
    return out;
  }

  static Value loop_value(const List& items, std::size_t i, int line) {
    const auto index = static_cast<std::int64_t>(i);
    const auto size = static_cast<std::int64_t>(items.size());
    Map loop;
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
    const List items = loop_items(node);
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

  // What the statements write.
  std::string capture(const Body& body, bool with_scope) {
    std::string outside = std::exchange(out_, {});
    if (!with_scope) scopes_.push();
    run(body);
    if (!with_scope) scopes_.pop();
    return std::exchange(out_, std::move(outside));
  }

  // A macro sees its arguments and what the template set outside of loops and macros.
  std::string call_macro(const Node& node, const Evaluator::Arguments& arguments) {
    const std::size_t parameters = node.conditions.size();
    if (arguments.values.size() > parameters) {
      fail(arguments.line, "{}: expected at most {} arguments, got {}", node.targets[0], parameters,
           arguments.values.size());
    }
    if (++calls_ > kCallsMax)
      throw Fault(ErrorCode::kResourceExhausted, arguments.line,
                  fmt::format("macros deeper than {} calls", kCallsMax));
    for (const auto& [name, value] : arguments.named) {
      const auto known = std::find(node.targets.begin() + 1, node.targets.end(), name);
      if (known == node.targets.end()) fail(arguments.line, "{}: no parameter '{}'", node.targets[0], name);
    }
    std::vector<Scopes::Names> outside = scopes_.leave();
    scopes_.push();
    for (std::size_t i = 0; i < parameters; ++i) {
      const std::string& name = node.targets[i + 1];
      const Value* given = arguments.find(i, name);
      if (given != nullptr) {
        scopes_.set(name, *given);
      } else {
        scopes_.set(name, node.conditions[i] ? evaluator_.eval(*node.conditions[i]) : Value(Undefined{name}));
      }
    }
    std::string out = capture(node.bodies[0], true);
    scopes_.restore(std::move(outside));
    --calls_;
    return out;
  }

  void assign(const Node& node, const Value& value) {
    if (!node.attribute) {
      bind(node.targets, value, node.line);
      return;
    }
    const Value target = scopes_.get(node.targets[0]);
    if (!target.is<std::shared_ptr<Namespace>>()) {
      fail(node.line, "cannot set an attribute of {}", kind_of(target));
    }
    check_element(value, node.line);
    auto& values = std::get<std::shared_ptr<Namespace>>(target.data)->values;
    for (auto& [name, old] : values) {
      if (name == node.targets[1]) {
        old = value;
        return;
      }
    }
    budget_.step(node.line, values.size());
    values.emplace_back(node.targets[1], value);
  }

  static constexpr int kCallsMax = 40;
  Scopes& scopes_;
  Budget budget_;
  Evaluator evaluator_;
  std::string out_;
  int calls_ = 0;
};

}  // namespace

std::string render(const Body& body, Scopes& scopes) {
  Renderer renderer(scopes);
  renderer.run(body);
  return renderer.take();
}

}  // namespace adit::model::jinja
