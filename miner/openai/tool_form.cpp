// SPDX-License-Identifier: MIT
#include "miner/openai/tool_form.hpp"

#include "miner/openai/json.hpp"

namespace adit::miner::openai {
namespace {

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// References of a schema that stands at `place` of another one.
void move_references(Json& schema, const std::string& place) {
  if (schema.is_array()) {
    for (Json& each : schema) move_references(each, place);
  }
  if (!schema.is_object()) return;
  for (auto& [key, value] : schema.items()) {
    if (key == "$ref" && value.is_string() && value.get<std::string>().starts_with('#')) {
      value = "#" + place + value.get<std::string>().substr(1);
    } else {
      move_references(value, place);
    }
  }
}

Json arguments_schema(const Tool& tool, const std::string& place) {
  // Without parameters nothing can be given.
  if (tool.parameters.empty()) return Json{{"const", Json::object()}};
  Json schema = Json::parse(tool.parameters, nullptr, false);
  if (schema.is_object() && !schema.contains("type") && !schema.contains("$ref")) schema["type"] = "object";
  move_references(schema, place);
  return schema;
}

Json call_schema(const Tool& tool, const char* arguments, const std::string& place) {
  Json properties;
  properties["name"] = Json{{"const", tool.name}};
  properties[arguments] = arguments_schema(tool, place + "/properties/" + arguments);
  return {{"type", "object"},
          {"properties", std::move(properties)},
          {"required", Json::array({"name", arguments})},
          {"additionalProperties", false}};
}

// One of the functions, or the named one.
std::vector<const Tool*> choices_of(const ToolUse& use) {
  std::vector<const Tool*> out;
  for (const Tool& tool : use.tools) {
    if (use.choice == ToolChoice::kRequired || tool.name == use.named) out.push_back(&tool);
  }
  return out;
}

}  // namespace

ToolForm form_of(std::string_view chat_template) {
  if (!has(chat_template, "tools")) {
    // DeepSeek's first templates know calls and their results, but nobody tells them which functions there are.
    return ToolForm::kNone;
  }
  if (has(chat_template, kHermesOpen)) {
    // The same marks around XML of another kind (Qwen3-Coder, GLM).
    const bool is_json = !has(chat_template, "<function=") && !has(chat_template, "<arg_key>");
    return is_json ? ToolForm::kHermes : ToolForm::kUnknown;
  }
  if (has(chat_template, kDeepseekOpen) && has(chat_template, kDeepseekSep)) return ToolForm::kDeepseek;
  const bool is_llama = has(chat_template, "<|start_header_id|>") || has(chat_template, kPythonTag);
  if (is_llama && has(chat_template, "\"parameters\":")) return ToolForm::kLlama;
  return ToolForm::kUnknown;
}

ApiResult<ForcedCall> forced_call(ToolForm form, std::string_view chat_template, const ToolUse& use) {
  const std::vector<const Tool*> tools = choices_of(use);
  if (form == ToolForm::kDeepseek) {
    if (tools.size() != 1) {
      return tl::unexpected(
          wrong_field("tool_choice",
                      "this model writes the name of a function outside of its JSON: name the one to call"));
    }
    const Tool& tool = *tools.front();
    const bool is_plain = !has(chat_template, "```json");
    const std::string head = std::string(kDeepseekBegin) + std::string(kDeepseekOpen);
    return ForcedCall{
        .opening = is_plain ? head + tool.name + std::string(kDeepseekSep)
                            : head + "function" + std::string(kDeepseekSep) + tool.name + "\n```json\n",
        .schema = to_text(arguments_schema(tool, "")),
        .name = tool.name};
  }
  if (form != ToolForm::kHermes && form != ToolForm::kLlama) {
    return tl::unexpected(
        wrong_field("tool_choice", "how this model writes calls is not known here: only none and auto"));
  }
  const char* arguments = form == ToolForm::kHermes ? "arguments" : "parameters";
  Json branches = Json::array();
  for (std::size_t i = 0; i < tools.size(); ++i) {
    branches.push_back(call_schema(*tools[i], arguments, "/anyOf/" + std::to_string(i)));
  }
  return ForcedCall{.opening = form == ToolForm::kHermes ? std::string(kHermesOpen) + "\n" : std::string(),
                    .schema = to_text(Json{{"anyOf", std::move(branches)}}),
                    .name = {}};
}

}  // namespace adit::miner::openai
