// SPDX-License-Identifier: MIT
#include "common/model/chat_template.hpp"

#include <algorithm>

#include "common/base/limits.hpp"
#include "common/model/jinja/fault.hpp"
#include "common/model/jinja/json_text.hpp"
#include "common/model/jinja/parser.hpp"
#include "common/model/jinja/renderer.hpp"
#include "common/model/unicode_classes.hpp"

namespace adit::model {
namespace {

using jinja::Value;

// Sets `name` in an ordered map, in its old place if it is there.
void put(jinja::Map& map, const std::string& name, Value value) {
  const auto old =
      std::find_if(map.begin(), map.end(), [&](const auto& entry) { return entry.first == name; });
  if (old == map.end()) {
    map.emplace_back(name, std::move(value));
  } else {
    old->second = std::move(value);
  }
}

Result<Value> object_of(std::string_view json, std::string_view what) {
  auto value = jinja::parse_json(json);
  if (!value) return tl::unexpected<Error>(value.error().context(what));
  if (!value->is_map()) return invalid_argument("{}: expected a JSON object", what);
  return std::move(*value);
}

Result<Value> messages_value(std::span<const ChatMessage> messages) {
  jinja::List list;
  list.reserve(messages.size());
  for (const ChatMessage& message : messages) {
    jinja::Map map;
    map.emplace_back("role", Value(to_valid_utf8(message.role)));
    map.emplace_back("content", Value(to_valid_utf8(message.content)));
    if (!message.more.empty()) {
      ADIT_TRY(const Value more,
               object_of(message.more, fmt::format("chat template: message {}", list.size())));
      if (more.map().size() > 64)
        return invalid_argument("chat template: message {}: more than 64 fields", list.size());
      for (const auto& [name, value] : more.map()) put(map, name, value);
    }
    list.emplace_back(std::move(map), 1);
  }
  return Value(std::move(list), 1);
}

// tools and documents are none unless given, as transformers passes them.
Result<void> set_variables(jinja::Scopes& scopes, const ChatVariables& variables) {
  scopes.set("tools", Value(jinja::None{}));
  scopes.set("documents", Value(jinja::None{}));
  if (!variables.tools.empty()) {
    auto tools = jinja::parse_json(variables.tools);
    if (!tools) return tl::unexpected<Error>(tools.error().context("chat template: tools"));
    scopes.set("tools", std::move(*tools));
  }
  if (variables.others.empty()) return {};
  ADIT_TRY(const Value others, object_of(variables.others, "chat template: variables"));
  for (const auto& [name, value] : others.map()) scopes.set(name, value);
  return {};
}

}  // namespace

Result<std::string> render_chat(std::string_view template_text, std::span<const ChatMessage> messages,
                                bool add_generation_prompt, const ChatTokens& tokens,
                                const ChatVariables& variables) {
  if (template_text.size() > limits::kChatTemplateBytesMax || messages.size() > limits::kChatMessagesMax) {
    return resource_exhausted("chat template: {} bytes, {} messages: expected at most {} and {}",
                              template_text.size(), messages.size(), limits::kChatTemplateBytesMax,
                              limits::kChatMessagesMax);
  }
  try {
    const jinja::Body body = jinja::parse(to_valid_utf8(template_text));
    jinja::Scopes scopes;
    ADIT_TRY_VOID(set_variables(scopes, variables));
    ADIT_TRY(Value list, messages_value(messages));
    scopes.set("messages", std::move(list));
    scopes.set("add_generation_prompt", Value(add_generation_prompt));
    scopes.set("bos_token", Value(tokens.bos));
    scopes.set("eos_token", Value(tokens.eos));
    return jinja::render(body, scopes);
  } catch (const jinja::Fault& fault) {
    const bool left_out = fault.code() == ErrorCode::kUnimplemented;
    return make_error(fault.code(), "chat template: line {}: {}{}", fault.line(), fault.what(),
                      left_out ? ": not in the supported part of Jinja" : "");
  }
}

}  // namespace adit::model
