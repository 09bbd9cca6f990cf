// SPDX-License-Identifier: MIT
// Calls of functions: what a request says of them, how they stand in the prompt, and the answers that come.
#include <gtest/gtest.h>
#include <httplib.h>

#include "common/model/constraint/json_machine.hpp"
#include "common/model/constraint/schema.hpp"
#include "miner/openai/http_server.hpp"
#include "miner/openai/json.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_llama.hpp"

namespace adit::miner::openai {
namespace {

// As Qwen2.5 and Hermes have it, in short.
constexpr const char* kHermesTemplate = R"({%- if tools %}<|im_start|>system
You may call:
{%- for tool in tools %}
{{ tool | tojson }}
{%- endfor %}
As <tool_call>{"name": <name>, "arguments": <object>}</tool_call><|im_end|>
{% endif %}
{%- for m in messages %}<|im_start|>{{ m.role }}
{%- if '</think>' in m.content %}{{ raise_exception('no thoughts here') }}{%- endif %}
{%- if m.content %}
{{ m.content }}
{%- endif %}
{%- for call in m.tool_calls or [] %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>
{%- endfor %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %})";
// As Llama 3.1 and DeepSeek V3 have it, in shorter.
constexpr const char* kLlamaTemplate =
    R"({{ tools | tojson if tools is not none }}{% for m in messages %}<|start_header_id|>{{ m.role }}{{ m.content }})"
    R"({% endfor %})"
    R"({# {"name": f, "parameters": {}} #}{{ '{"name": "' + 'f' + '", "parameters": ' if false }})";
constexpr const char* kDeepseekTemplate =
    R"({{ tools | tojson if tools is not none }}{% for m in messages %}{{ m.role }}:)"
    R"({{ m.content if m.content is not none }}{% for c in (m.tool_calls if m.content is none else []) %})"
    R"(<｜tool▁call▁begin｜>function<｜tool▁sep｜>{{ c.function.name + '
```json
' + c.function.arguments + '
```' }}<｜tool▁call▁end｜>{% endfor %}{% endfor %})";

Json tool(const std::string& name, const Json& parameters) {
  return {{"type", "function"},
          {"function", {{"name", name}, {"description", "d"}, {"parameters", parameters}}}};
}
Json weather() {
  return tool("weather", Json::parse(R"({"type":"object","properties":{"city":{"enum":["Turin","Oslo"]},
    "days":{"type":"array","items":{"$ref":"#/$defs/day"},"minItems":1,"maxItems":2}},
    "required":["city","days"],"additionalProperties":false,"$defs":{"day":{"enum":[1,2,3]}}})"));
}
Json clock() {
  return {{"type", "function"}, {"function", {{"name", "now"}}}};
}

TEST(ToolForm, is_known_by_the_template) {
  EXPECT_EQ(form_of(kHermesTemplate), ToolForm::kHermes);
  EXPECT_EQ(form_of(kLlamaTemplate), ToolForm::kLlama);
  EXPECT_EQ(form_of(kDeepseekTemplate), ToolForm::kDeepseek);
  EXPECT_EQ(form_of("{% for m in messages %}{{ m.content }}{% endfor %}"), ToolForm::kNone);
  EXPECT_EQ(form_of("{{ tools }}[TOOL_CALLS]"), ToolForm::kUnknown);
  EXPECT_EQ(form_of("{{ tools }}<tool_call><function=f><parameter=a>"), ToolForm::kUnknown);
}

ApiResult<ApiRequest> chat(const Json& more) {
  Json body{{"model", "tiny"}, {"messages", Json::array({{{"role", "user"}, {"content", "hello"}}})}};
  for (const auto& [key, value] : more.items()) body[key] = value;
  return parse_request(Endpoint::kChat, to_text(body));
}

TEST(ToolRequest, says_who_may_be_called) {
  const Json tools = Json::array({weather(), clock()});
  const auto automatic = chat({{"tools", tools}});
  ASSERT_TRUE(automatic) << automatic.error().message;
  EXPECT_EQ(automatic->tools.choice, ToolChoice::kAuto);
  EXPECT_EQ(automatic->tools.tools.size(), 2u);
  EXPECT_TRUE(automatic->tools.is_parallel);
  EXPECT_EQ(chat({{"tools", tools}, {"tool_choice", "none"}})->tools.choice, ToolChoice::kNone);
  EXPECT_EQ(chat({{"tools", tools}, {"tool_choice", "required"}})->tools.choice, ToolChoice::kRequired);
  EXPECT_FALSE(chat({{"tools", tools}, {"parallel_tool_calls", false}})->tools.is_parallel);
  const Json named{{"type", "function"}, {"function", {{"name", "now"}}}};
  EXPECT_EQ(chat({{"tools", tools}, {"tool_choice", named}})->tools.named, "now");
  EXPECT_EQ(chat({{"tool_choice", "auto"}})->tools.choice, ToolChoice::kNone);
}

TEST(ToolRequest, names_the_field_that_is_wrong) {
  const Json strict = Json::parse(R"([{"type":"function","function":{"name":"f","strict":true}}])");
  const Json tools = Json::array({weather()});
  const auto function = [](Json value) {
    return Json::array({{{"type", "function"}, {"function", std::move(value)}}});
  };
  const std::pair<Json, const char*> cases[] = {
      {{{"tools", 5}}, "tools"},
      {{{"tools", Json::array({{{"type", "web_search"}}})}}, "tools[0].type"},
      {{{"tools", function("f")}}, "tools[0].function"},
      {{{"tools", function({{"name", "a b"}})}}, "tools[0].function.name"},
      {{{"tools", function({{"name", "f"}, {"parameters", 1}})}}, "tools[0].function.parameters"},
      {{{"tools", function({{"name", "f"}, {"colour", 1}})}}, "tools[0].function.colour"},
      {{{"tools", Json::array({weather(), weather()})}}, "tools"},
      {{{"tools", strict}}, "tools"},
      {{{"tools", tools}, {"tool_choice", "maybe"}}, "tool_choice"},
      {{{"tools", tools}, {"tool_choice", {{"type", "function"}, {"function", {{"name", "now"}}}}}},
       "tool_choice.function.name"},
      {{{"tools", tools}, {"logprobs", true}}, "logprobs"},
      {{{"tools", tools}, {"response_format", {{"type", "json_object"}}}}, "response_format"},
      {{{"functions", function({{"name", "f"}})}}, "functions"},
  };
  for (const auto& [more, param] : cases) {
    const auto request = chat(more);
    ASSERT_FALSE(request) << more;
    EXPECT_EQ(request.error().param, param) << request.error().message;
  }
  EXPECT_TRUE(chat({{"tools", strict}, {"tool_choice", "required"}}));
}

Json history() {
  return Json::parse(R"([{"role":"user","content":"hello"},
    {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"weather",
     "arguments":"{\"city\":\"Oslo\"}"}}]},
    {"role":"tool","tool_call_id":"c1","content":"rain"}])");
}

TEST(ToolRequest, reads_calls_and_results_of_earlier_answers) {
  const auto request = chat({{"messages", history()}});
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_TRUE(request->tools.in_history);
  EXPECT_NE(request->messages[1].more.find(R"("arguments":{"city":"Oslo"})"), std::string::npos);
  EXPECT_NE(request->messages[2].more.find(R"("tool_call_id":"c1")"), std::string::npos);
  const auto refused = [](std::size_t at, const char* key, const Json& value, const char* param) {
    Json messages = history();
    messages[at][key] = value;
    const auto bad = chat({{"messages", messages}});
    ASSERT_FALSE(bad) << param;
    EXPECT_EQ(bad.error().param, param) << bad.error().message;
  };
  refused(2, "tool_call_id", nullptr, "messages[2].tool_call_id");
  refused(0, "tool_call_id", "c", "messages[0].tool_call_id");
  refused(1, "tool_calls", 1, "messages[1].tool_calls");
  refused(1, "tool_calls", Json::array({{{"type", "x"}}}), "messages[1].tool_calls[0].type");
  refused(1, "tool_calls", nullptr, "messages[1].content");
  refused(0, "content", nullptr, "messages[0].content");
}

TEST(ForcedCall, is_a_schema_for_each_form) {
  const auto use_of = [](const Json& more) {
    Json body{{"tools", Json::array({weather(), clock()})}};
    for (const auto& [key, value] : more.items()) body[key] = value;
    return chat(body)->tools;
  };
  const ToolUse required = use_of({{"tool_choice", "required"}});
  const Json name{{"type", "function"}, {"function", {{"name", "weather"}}}};
  const ToolUse named = use_of({{"tool_choice", name}});
  for (const ToolForm form : {ToolForm::kHermes, ToolForm::kLlama, ToolForm::kDeepseek}) {
    const auto forced = forced_call(form, kDeepseekTemplate, named);
    ASSERT_TRUE(forced) << forced.error().message;
    const auto schema = model::constraint::Schema::compile(forced->schema);
    EXPECT_TRUE(schema) << schema.error().message;
  }
  // Any of the functions, with arguments of its own schema.
  const auto any = model::constraint::Schema::compile(forced_call(ToolForm::kHermes, "", required)->schema);
  ASSERT_TRUE(any) << any.error().message;
  model::constraint::JsonMachine machine(*any);
  const auto accepts = [&](std::string_view text) {
    auto state = machine.start();
    for (const char byte : text) {
      if (state != machine.kDead) state = machine.step(state, static_cast<std::uint8_t>(byte));
    }
    return state != machine.kDead && machine.is_accepting(state);
  };
  EXPECT_TRUE(accepts(R"({"name": "now", "arguments": {}})"));
  EXPECT_TRUE(accepts(R"({"name": "weather", "arguments": {"city": "Oslo", "days": [1, 3]}})"));
  EXPECT_FALSE(accepts(R"({"name": "weather", "arguments": {}})"));
  EXPECT_FALSE(accepts(R"({"name": "weather", "arguments": {"city": "Oslo", "days": [4]}})"));
  EXPECT_FALSE(accepts(R"({"name": "now", "arguments": {"city": "Oslo", "days": [1]}})"));
  EXPECT_FALSE(accepts(R"({"name": "other", "arguments": {}})"));
  EXPECT_EQ(forced_call(ToolForm::kHermes, "", required)->opening, "<tool_call>\n");
  EXPECT_EQ(forced_call(ToolForm::kDeepseek, kDeepseekTemplate, named)->name, "weather");
  EXPECT_EQ(forced_call(ToolForm::kDeepseek, "", required).error().param, "tool_choice");
  EXPECT_EQ(forced_call(ToolForm::kUnknown, "", named).error().param, "tool_choice");
}

struct Scene {
  explicit Scene(const std::string& chat_template)
      : pack(std::make_shared<const model::Pack>(
            test::tiny_llama_pack(dir.path(), {.context = 8192}, {.bits = 8}))),
        engine(pack, model::EngineOptions{.threads = 1, .prefill_chunk = 128, .batch_max = 4}, 16),
        service(Service::make(pack, engine, "tiny", chat_template).value()),
        server(
            HttpServer::start(
                {.listen = net::parse_endpoint("127.0.0.1:0").value(), .api_key = "", .threads = 8}, *service)
                .value()) {}
  [[nodiscard]] std::string prompt(const Json& more) const {
    const auto ids = service->prompts_of(chat(more).value());
    EXPECT_TRUE(ids) << ids.error().message;
    return ids ? service->tokenizer().decode(ids->front()) : "";
  }
  [[nodiscard]] httplib::Result post(Json body) const {
    body["model"] = "tiny";
    if (!body.contains("messages"))
      body["messages"] = Json::array({{{"role", "user"}, {"content", "hello"}}});
    httplib::Client client("127.0.0.1", server->bound().port);
    client.set_read_timeout(60);
    return client.Post("/v1/chat/completions", to_text(body), "application/json");
  }
  test::TempDir dir;
  std::shared_ptr<const model::Pack> pack;
  EngineThread engine;
  std::unique_ptr<Service> service;
  std::unique_ptr<HttpServer> server;
};

TEST(Tools, stand_in_the_prompt_as_the_template_wants_them) {
  const Scene hermes(kHermesTemplate);
  const Json tools = Json::array({clock()});
  const std::string with = hermes.prompt({{"tools", tools}, {"messages", history()}});
  EXPECT_NE(with.find(R"({"type": "function", "function": {"name": "now"}})"), std::string::npos) << with;
  EXPECT_NE(with.find(R"({"name": "weather", "arguments": {"city": "Oslo"}})"), std::string::npos) << with;
  EXPECT_NE(with.find("<|im_start|>toolrain"), std::string::npos) << with;
  EXPECT_EQ(hermes.prompt({{"tools", tools}, {"tool_choice", "none"}}), hermes.prompt(Json::object()));
  // Texts where the template adds them to texts.
  const Scene deepseek(kDeepseekTemplate);
  EXPECT_NE(deepseek.prompt({{"messages", history()}}).find("weather\n```json\n{\"city\":\"Oslo\"}"),
            std::string::npos);
  EXPECT_NE(hermes.service->models().front().fingerprint, deepseek.service->models().front().fingerprint);
}

// Each answer is a call that satisfies the schema; whole and streamed alike.
TEST(Tools, a_required_call_is_one) {
  for (const char* chat_template : {kHermesTemplate, kLlamaTemplate}) {
    const Scene scene(chat_template);
    for (int seed = 0; seed < 4; ++seed) {
      Json body{{"tools", Json::array({weather(), clock()})},
                {"tool_choice", "required"},
                {"seed", seed},
                {"max_tokens", 200}};
      body["messages"] =
          Json::array({{{"role", "user"}, {"content", "question " + std::to_string(seed * 7919)}}});
      const auto reply = scene.post(body);
      ASSERT_TRUE(reply);
      ASSERT_EQ(reply->status, 200) << reply->body;
      const Json choice = Json::parse(reply->body)["choices"][0];
      EXPECT_EQ(choice["finish_reason"], "tool_calls") << reply->body;
      EXPECT_TRUE(choice["message"]["content"].is_null());
      ASSERT_EQ(choice["message"]["tool_calls"].size(), 1u);
      const Json call = choice["message"]["tool_calls"][0];
      EXPECT_TRUE(call["id"].get<std::string>().starts_with("call_"));
      const Json arguments = Json::parse(call["function"]["arguments"].get<std::string>());
      const bool is_weather = call["function"]["name"] == "weather";
      EXPECT_TRUE(is_weather || call["function"]["name"] == "now");
      EXPECT_EQ(arguments.size(), is_weather ? 2u : 0u);
      EXPECT_TRUE(!is_weather || arguments["city"] == "Oslo" || arguments["city"] == "Turin");

      body["stream"] = true;
      const auto stream = scene.post(body);
      ASSERT_TRUE(stream);
      EXPECT_NE(stream->body.find(R"("function":{"arguments":)"), std::string::npos);
      EXPECT_NE(stream->body.find(to_text(Json(call["function"]["arguments"]))), std::string::npos)
          << stream->body;
      EXPECT_NE(stream->body.find(R"("finish_reason":"tool_calls")"), std::string::npos);
      EXPECT_EQ(stream->body.find("\"content\":\"{"), std::string::npos);
    }
  }
}

TEST(Tools, a_named_call_is_of_that_function) {
  for (const char* chat_template : {kHermesTemplate, kLlamaTemplate, kDeepseekTemplate}) {
    const Scene scene(chat_template);
    const auto reply =
        scene.post({{"tools", Json::array({weather(), clock()})},
                    {"tool_choice", {{"type", "function"}, {"function", {{"name", "weather"}}}}},
                    {"n", 2},
                    {"seed", 3},
                    {"max_tokens", 200}});
    ASSERT_TRUE(reply);
    ASSERT_EQ(reply->status, 200) << reply->body;
    for (const Json& choice : Json::parse(reply->body)["choices"]) {
      ASSERT_EQ(choice["message"]["tool_calls"].size(), 1u) << choice;
      EXPECT_EQ(choice["message"]["tool_calls"][0]["function"]["name"], "weather");
      EXPECT_EQ(choice["finish_reason"], "tool_calls");
    }
  }
}

TEST(Tools, are_refused_where_a_template_has_no_place_for_them) {
  const Scene plain("");
  const auto tools = plain.post({{"tools", Json::array({clock()})}, {"max_tokens", 1}});
  EXPECT_EQ(tools->status, 400);
  EXPECT_EQ(Json::parse(tools->body)["error"]["param"], "tools");
  const auto results = plain.post({{"messages", history()}, {"max_tokens", 1}});
  EXPECT_EQ(Json::parse(results->body)["error"]["param"], "messages");
  // A schema that no answer can be held to.
  const Scene hermes(kHermesTemplate);
  const Json odd =
      tool("f", Json::parse(R"({"type":"object","properties":{"a":{"type":"string","pattern":"x"}}})"));
  const auto forced =
      hermes.post({{"tools", Json::array({odd})}, {"tool_choice", "required"}, {"max_tokens", 1}});
  EXPECT_EQ(forced->status, 400);
  EXPECT_EQ(Json::parse(forced->body)["error"]["param"], "tools");
  EXPECT_EQ(hermes.post({{"tools", Json::array({odd})}, {"max_tokens", 3}})->status, 200);
}

}  // namespace
}  // namespace adit::miner::openai
