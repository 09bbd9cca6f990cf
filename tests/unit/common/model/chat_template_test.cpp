// SPDX-License-Identifier: MIT
#include "common/model/chat_template.hpp"

#include <array>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/model/gguf.hpp"
#include "tests/support/gz_lines.hpp"
#include "tests/support/test_model.hpp"

namespace adit::model {
namespace {

using nlohmann::json;

json load_cases() {
  std::string text;
  for (const std::string& line : test::gz_lines("chat/templates.json.gz")) text += line;
  return json::parse(text);
}

std::vector<ChatMessage> messages_of(const json& list) {
  std::vector<ChatMessage> out;
  for (const json& m : list)
    out.push_back({m.at("role").get<std::string>(), m.at("content").get<std::string>()});
  return out;
}

// Six templates on 41 conversations: what PyPI jinja2 3.1.6 renders, and where it raises.
TEST(ChatTemplate, equals_jinja2) {
  const json all = load_cases();
  ASSERT_GE(all.at("cases").size(), 200u);
  for (const json& one : all.at("cases")) {
    const auto name = one.at("template").get<std::string>();
    const auto text = all.at("templates").at(name).get<std::string>();
    const auto got = render_chat(text, messages_of(one.at("messages")), one.at("add").get<bool>(),
                                 {one.at("bos").get<std::string>(), one.at("eos").get<std::string>()});
    if (one.contains("error")) {
      EXPECT_FALSE(got.has_value()) << name << " " << one.at("messages");
      continue;
    }
    ASSERT_TRUE(got.has_value()) << name << ": " << got.error().message << " " << one.at("messages");
    ASSERT_EQ(*got, one.at("out").get<std::string>()) << name << " " << one.at("messages");
  }
}

TEST(ChatTemplate, the_model_file_holds_the_template_of_the_vectors) {
  const auto path = test::test_model();
  if (!path) GTEST_SKIP() << test::kNoTestModel;
  const auto gguf = Gguf::open(*path);
  ASSERT_TRUE(gguf.has_value()) << gguf.error().message;
  EXPECT_EQ(gguf->string_at("tokenizer.chat_template").value(), load_cases().at("templates").at("smollm2"));
}

std::string rendered(std::string_view text) {
  const std::array<ChatMessage, 2> messages{{{"user", "hi"}, {"assistant", "yo"}}};
  const auto out = render_chat(text, messages, true);
  return out ? *out : "error " + out.error().message;
}

TEST(ChatTemplate, errors_name_line_and_reason) {
  EXPECT_EQ(rendered("a\n{{ messages[0].x.y }}"),
            "error chat template: line 2: 'y' of 'x', which is undefined");
  EXPECT_EQ(rendered("{{ raise_exception('no ' ~ 1) }}"),
            "error chat template: line 1: the template refuses these messages: no 1");
  EXPECT_EQ(rendered("{{ 'a' + 1 }}"), "error chat template: line 1: cannot add a text and an integer");
  EXPECT_EQ(rendered("{{ 1 // 0 }}"), "error chat template: line 1: division by zero");
  EXPECT_EQ(rendered("{{ 9223372036854775807 + 1 }}"),
            "error chat template: line 1: an integer beyond 64 bits");
  EXPECT_EQ(rendered("\n\n{% for x in messages %}"),
            "error chat template: line 3: the loop of line 3 has no 'endfor'");
  EXPECT_EQ(rendered("{% if x %}"), "error chat template: line 1: the 'if' of line 1 has no 'endif'");
  EXPECT_EQ(rendered("{% endif %}"), "error chat template: line 1: unexpected tag 'endif'");
  EXPECT_EQ(rendered("{{ 'a"), "error chat template: line 1: the string is not closed");
  EXPECT_EQ(rendered("{{ a"), "error chat template: line 1: the tag is not closed");
  EXPECT_EQ(rendered("{# a"), "error chat template: line 1: the comment is not closed");
  EXPECT_EQ(rendered("{{ ) }}"), "error chat template: line 1: unexpected ')'");
  EXPECT_EQ(rendered("{{ }}"), "error chat template: line 1: expected an expression, got ''");
  EXPECT_EQ(rendered("{% break %}"), "error chat template: line 1: 'break' outside of a loop");
  EXPECT_EQ(rendered("{% set messages.x = 1 %}"),
            "error chat template: line 1: cannot set an attribute of a list");
}

TEST(ChatTemplate, what_the_subset_leaves_out_is_refused_by_name) {
  const std::string tail = ": not in the supported part of Jinja";
  EXPECT_EQ(rendered("{% include 'x' %}"), "error chat template: line 1: the tag 'include'" + tail);
  EXPECT_EQ(rendered("{% for x in messages %}{% macro f() %}{% endmacro %}{% endfor %}"),
            "error chat template: line 1: a macro inside of a loop or a macro" + tail);
  EXPECT_EQ(rendered("{{ messages | urlize }}"), "error chat template: line 1: the filter 'urlize'" + tail);
  EXPECT_EQ(rendered("{{ 1 is weird }}"), "error chat template: line 1: the test 'weird'" + tail);
  EXPECT_EQ(rendered("{{ strftime_now('%Y') }}"),
            "error chat template: line 1: the function 'strftime_now'" + tail);
  EXPECT_EQ(rendered("{% if strftime_now is defined %}{{ strftime_now('%Y') }}{% else %}2024{% endif %}"),
            "2024");
  EXPECT_EQ(rendered("{{ cycler(1) }}"), "error chat template: line 1: the function 'cycler'" + tail);
  EXPECT_EQ(rendered("{{ ''.format(1) }}"), "error chat template: line 1: the method 'format'" + tail);
  EXPECT_EQ(rendered("{{ messages.__class__() }}"),
            "error chat template: line 1: the method '__class__'" + tail);
  EXPECT_EQ(rendered("{{ 1.5e3 }}"), "error chat template: line 1: the number '1.5e'" + tail);
  EXPECT_EQ(rendered("{{ {1: 1} }}"),
            "error chat template: line 1: dictionary keys that are an integer" + tail);
  EXPECT_EQ(rendered("{{ {'a': 1} }}"), "error chat template: line 1: printing a mapping" + tail);
  EXPECT_EQ(rendered("{{ messages }}"), "error chat template: line 1: printing a list" + tail);
  EXPECT_EQ(rendered("{{ 'é' | upper }}"),
            "error chat template: line 1: the case of text beyond ASCII" + tail);
  EXPECT_EQ(rendered("{% set x | trim %}a{% endset %}"),
            "error chat template: line 1: '|' in a 'set' block" + tail);
  EXPECT_EQ(rendered("{{ (1)(2) }}"), "error chat template: line 1: calling a value" + tail);
  EXPECT_EQ(rendered("{% macro f(*a) %}{% endmacro %}"),
            "error chat template: line 1: macros with any number of arguments" + tail);
}

TEST(ChatTemplate, messages_and_variables_from_json) {
  const auto render = [](std::string_view text, const std::string& more, const ChatVariables& variables) {
    const std::array<ChatMessage, 1> messages{{{"user", "hi", more}}};
    const auto out = render_chat(text, messages, true, {}, variables);
    return out ? *out : "error " + out.error().message;
  };
  EXPECT_EQ(render("{{ messages | tojson }}{{ tools is none }}{{ documents is none }}",
                   R"({"b":1.50,"a":[null,true,"\u00e9\n"]})", {}),
            "[{\"role\": \"user\", \"content\": \"hi\", \"b\": 1.5, \"a\": [null, true, \"é\\n\"]}]TrueTrue");
  EXPECT_EQ(render("{{ messages[0].content is none }}{{ tools[0].x }}{{ enable_thinking }}",
                   R"({"content":null})", {R"([{"x":7}])", R"({"enable_thinking":false})"}),
            "True7False");
  EXPECT_EQ(render("", "[1]", {}), "error chat template: message 0: expected a JSON object");
  EXPECT_EQ(render("", "{\"a\":", {}), "error chat template: message 0: JSON: offset 5: not JSON");
  EXPECT_EQ(render("", R"({"a":1,"a":2})", {}),
            "error chat template: message 0: JSON: the key 'a' occurs twice");
  EXPECT_EQ(render("", R"({"a":99999999999999999999})", {}),
            "error chat template: message 0: JSON: the number 99999999999999999999 is beyond 64 bits");
  EXPECT_EQ(render("", "", {"{", ""}), "error chat template: tools: JSON: offset 1: not JSON");
}

TEST(ChatTemplate, hostile_templates_hit_a_limit) {
  const auto code_of = [](std::string_view text) {
    const std::array<ChatMessage, 1> messages{{{"user", "hi"}}};
    const auto out = render_chat(text, messages, true);
    return out ? ErrorCode{} : out.error().code;
  };
  EXPECT_EQ(code_of("{% for i in range(99999999999) %}{% endfor %}"), ErrorCode::kResourceExhausted);
  EXPECT_EQ(code_of("{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}"),
            ErrorCode::kResourceExhausted);
  EXPECT_EQ(
      code_of("{% set n = namespace(x='a') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}"),
      ErrorCode::kResourceExhausted);
  EXPECT_EQ(
      code_of("{% set n = namespace(x=[1]) %}{% for i in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}"),
      ErrorCode::kResourceExhausted);
  // A list that holds itself twice, a hundred times over: cheap to build, dear to compare.
  EXPECT_EQ(
      code_of("{% set n = namespace(x=[1]) %}{% for i in range(25) %}{% set n.x = [n.x, n.x] %}{% endfor %}"
              "{{ n.x == [n.x] }}"),
      ErrorCode::kResourceExhausted);
  EXPECT_EQ(
      code_of("{% set n = namespace(x=[1]) %}{% for i in range(99) %}{% set n.x = [n.x] %}{% endfor %}"),
      ErrorCode::kUnimplemented);
  EXPECT_EQ(code_of("{% set n = namespace() %}{% set n.x = [n] %}"), ErrorCode::kUnimplemented);
  std::string swell = "{{ 'b'";
  for (int i = 0; i < 8; ++i) swell += ".replace('b', 'bbbbbbbbbbbbbbbb')";
  EXPECT_EQ(code_of(swell + " }}"), ErrorCode::kResourceExhausted);
  EXPECT_EQ(code_of("{{ " + std::string(5000, '(') + "1" + std::string(5000, ')') + " }}"),
            ErrorCode::kUnimplemented);
  std::string sum = "{{ 1";
  for (int i = 0; i < 5000; ++i) sum += "+1";
  EXPECT_EQ(code_of(sum + " }}"), ErrorCode::kUnimplemented);
  std::string choice = "{{ 1";
  for (int i = 0; i < 5000; ++i) choice += " if 0 else 1";
  EXPECT_EQ(code_of(choice + " }}"), ErrorCode::kUnimplemented);
  std::string blocks;
  for (int i = 0; i < 5000; ++i) blocks += "{% if 1 %}";
  EXPECT_EQ(code_of(blocks), ErrorCode::kUnimplemented);
  EXPECT_EQ(code_of(std::string(300'000, 'x')), ErrorCode::kResourceExhausted);
  EXPECT_EQ(code_of("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"), ErrorCode::kResourceExhausted);
  std::string deep = "{% macro f() %}{{ ";
  for (int i = 0; i < 60; ++i) deep += "1 ~ (";
  deep += "f()" + std::string(60, ')') + " }}{% endmacro %}{{ f() }}";
  EXPECT_EQ(code_of(deep), ErrorCode::kResourceExhausted);
  for (const char* last :
       {"n.x | tojson", "[n.x, n.x, n.x] | sort", "[n.x, n.x] | min", "[n.x, n.x] | unique"}) {
    EXPECT_EQ(
        code_of("{% set n = namespace(x=[1]) %}{% for i in range(25) %}{% set n.x = [n.x, n.x] %}{% endfor %}"
                "{{ (" +
                std::string(last) + ") is none }}"),
        ErrorCode::kResourceExhausted)
        << last;
  }
}

}  // namespace
}  // namespace adit::model
