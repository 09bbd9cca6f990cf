// SPDX-License-Identifier: MIT
#include "miner/openai/tool_request.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include <fmt/core.h>

namespace adit::miner::openai {
namespace {

bool is_name(const std::string& text) {
  const auto is_part = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= kToolNameMax && std::all_of(text.begin(), text.end(), is_part);
}

void read_name(FieldReader& from, std::string& name) {
  name = from.text("name").value_or("");
  if (!is_name(name))
    from.fail("name", fmt::format("expected 1 to {} letters, digits, _ and -", kToolNameMax));
}

struct Declared {
  Tool tool;
  bool is_strict = false;
};

Declared read_tool(const Json& json, const std::string& path, Json& for_template,
                   std::optional<ApiError>& error) {
  Declared out;
  FieldReader outer(json, path, error);
  if (outer.text("type").value_or("") != "function")
    outer.fail("type", "expected function: no other kind is known here");
  const Json* function = outer.find("function");
  if (function == nullptr || !function->is_object()) {
    outer.fail("function", "expected an object");
    return out;
  }
  FieldReader from(*function, path + ".function", error);
  read_name(from, out.tool.name);
  Json shown{{"name", out.tool.name}};
  if (const auto text = from.text("description")) shown["description"] = *text;
  if (const Json* parameters = from.find("parameters"); parameters != nullptr) {
    if (!parameters->is_object()) from.fail("parameters", "expected a JSON schema");
    shown["parameters"] = *parameters;
    out.tool.parameters = to_text(*parameters);
  }
  out.is_strict = from.boolean("strict").value_or(false);
  from.finish();
  outer.finish();
  for_template.push_back({{"type", "function"}, {"function", std::move(shown)}});
  return out;
}

// "none", "auto", "required", or {"type": "function", "function": {"name": …}}.
void read_choice(FieldReader& from, ToolUse& out, std::optional<ApiError>& error) {
  const Json* choice = from.find("tool_choice");
  if (choice == nullptr || *choice == "auto") return;
  if (*choice == "none") {
    out.choice = ToolChoice::kNone;
  } else if (out.tools.empty()) {
    from.fail("tool_choice", "there are no tools");
  } else if (*choice == "required") {
    out.choice = ToolChoice::kRequired;
  } else if (choice->is_object()) {
    FieldReader outer(*choice, "tool_choice", error);
    const Json* function = outer.find("function");
    if (outer.text("type").value_or("") != "function" || function == nullptr || !function->is_object()) {
      return outer.fail("type", "expected function, with the name of one");
    }
    FieldReader inner(*function, "tool_choice.function", error);
    read_name(inner, out.named);
    const bool is_known = std::any_of(out.tools.begin(), out.tools.end(),
                                      [&](const Tool& tool) { return tool.name == out.named; });
    if (!is_known) inner.fail("name", fmt::format("'{}' is none of the tools", out.named));
    inner.finish();
    outer.finish();
    out.choice = ToolChoice::kNamed;
  } else {
    from.fail("tool_choice", "expected none, auto, required or a function");
  }
}

Json read_call(const Json& json, const std::string& path, std::optional<ApiError>& error) {
  FieldReader outer(json, path, error);
  const std::string id = outer.text("id").value_or("");
  if (outer.text("type").value_or("function") != "function") outer.fail("type", "expected function");
  const Json* function = outer.find("function");
  outer.ignore({"index"});
  outer.finish();
  if (function == nullptr || !function->is_object()) {
    outer.fail("function", "expected an object");
    return {};
  }
  FieldReader from(*function, path + ".function", error);
  std::string name;
  read_name(from, name);
  const std::string arguments = from.text("arguments").value_or("");
  const auto parsed = model::constraint::parse_ordered(arguments.empty() ? "{}" : arguments);
  if (!parsed || !parsed->is_object()) from.fail("arguments", "expected the text of a JSON object");
  from.finish();
  return {{"id", id},
          {"type", "function"},
          {"function", {{"name", name}, {"arguments", parsed ? *parsed : Json::object()}}}};
}

}  // namespace

ToolUse read_tools(FieldReader& from, std::optional<ApiError>& error) {
  ToolUse out;
  Json shown = Json::array();
  bool is_strict = false;
  const Json* tools = from.find("tools");
  if (tools != nullptr && (!tools->is_array() || tools->size() > kToolsMax)) {
    from.fail("tools", fmt::format("expected a list of at most {} tools", kToolsMax));
    tools = nullptr;
  }
  for (std::size_t i = 0; tools != nullptr && i < tools->size(); ++i) {
    Declared declared = read_tool((*tools)[i], fmt::format("tools[{}]", i), shown, error);
    is_strict = is_strict || declared.is_strict;
    const bool is_double = std::any_of(out.tools.begin(), out.tools.end(),
                                       [&](const Tool& tool) { return tool.name == declared.tool.name; });
    if (is_double) from.fail("tools", fmt::format("two functions are called '{}'", declared.tool.name));
    out.tools.push_back(std::move(declared.tool));
  }
  if (!out.tools.empty()) {
    out.choice = ToolChoice::kAuto;
    out.json = to_text(shown);
  }
  read_choice(from, out, error);
  out.is_parallel = from.boolean("parallel_tool_calls").value_or(true);
  if (is_strict && out.choice == ToolChoice::kAuto) {
    from.fail("tools",
              "strict: a call is held to its schema only with tool_choice required or a named function");
  }
  return out;
}

Json read_tool_fields(FieldReader& from, const std::string& role, const std::string& path,
                      std::optional<ApiError>& error) {
  Json out;
  const Json* calls = from.find("tool_calls");
  if (calls != nullptr && !(calls->is_array() && calls->empty())) {
    if (role != "assistant" || !calls->is_array() || calls->size() > kToolsMax) {
      from.fail("tool_calls", fmt::format("expected a list of at most {} calls, of an assistant", kToolsMax));
    } else {
      out["tool_calls"] = Json::array();
      for (std::size_t i = 0; i < calls->size(); ++i) {
        out["tool_calls"].push_back(read_call((*calls)[i], fmt::format("{}.tool_calls[{}]", path, i), error));
      }
    }
  }
  const std::optional<std::string> id = from.text("tool_call_id");
  if (id.has_value() != (role == "tool")) {
    from.fail("tool_call_id", "messages of role tool have one, and no others");
  }
  if (id) out["tool_call_id"] = *id;
  from.refuse("function_call", "the older form of calls: send tool_calls");
  return out;
}

}  // namespace adit::miner::openai
