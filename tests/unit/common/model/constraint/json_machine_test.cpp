// SPDX-License-Identifier: MIT
#include "common/model/constraint/json_machine.hpp"

#include <gtest/gtest.h>

namespace adit::model::constraint {
namespace {

bool accepts(JsonMachine& machine, std::string_view text) {
  JsonMachine::State state = machine.start();
  for (const char byte : text) {
    state = machine.step(state, static_cast<std::uint8_t>(byte));
    if (state == JsonMachine::kDead) return false;
  }
  return machine.is_accepting(state);
}

struct Case {
  const char* schema;
  std::vector<std::string> good;
  std::vector<std::string> bad;
};

std::vector<Case> cases() {
  return {
      {R"({"type":"integer"})",
       {"0", "-0", "7", "-12", "123456789012345678"},
       {"", "-", "01", "1.0", "1e2", "+1", "1234567890123456789", " 1", "1 "}},
      {R"({"type":"number"})",
       {"0", "0.5", "-1.25e-3", "1E+10", "12e9", "0e0"},
       {".5", "1.", "1e", "1e+", "1e100", "0.", "00", "1.5.5", "NaN"}},
      {R"({"type":"string","minLength":1,"maxLength":3})",
       {"\"a\"", "\"\xc3\xa9\xf0\x9f\x98\x80z\"", R"("\n\"\u00e9")", "\"\x7f\""},
       {"\"\"", "\"abcd\"", "\"a", "a", "\"\x01\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"", R"("\x")", R"("\ud800")", "\"\xc3\""}},
      {R"({"type":"string"})", {R"("\uD7ff\uE000")"}, {R"("\uDfff")", R"("\u12")"}},
      {R"({"enum":["a","ab",1,12,null,{"k":[1]}]})",
       {"\"a\"", "\"ab\"", "1", "12", "null", "{\"k\":[1]}"},
       {"\"b\"", "2", "{\"k\": [1]}", "nul", "\"a"}},
      {R"({"type":"array","items":{"type":"boolean"},"minItems":1,"maxItems":3})",
       {"[true]", "[true,false]", "[true, false, true]"},
       {"[]", "[true,]", "[true,  false]", "[true,true,true,true]", "[ true]", "[true"}},
      {R"({"type":"array","items":{"type":"null"}})",
       {"[]", "[null]", "[null,null,null,null]"},
       {"[,null]", "[[]]"}},
      {R"({"type":"object","properties":{"a":{"type":"null"},"b":{"type":"null"},"c":{"type":"null"}},"required":["b"],
           "additionalProperties":false})",
       {R"({"b":null})", R"({"a":null,"b":null})", R"({"a": null, "b": null, "c": null})",
        R"({"b":null, "c":null})"},
       {"{}", R"({"a":null})", R"({"b":null,"a":null})", R"({"b":null,})", R"({,"b":null})",
        R"({"d":null})"}},
      {R"({"type":"object","additionalProperties":{"type":"integer"}})",
       {"{}", R"({"x":1})", R"({"x": 1, "y":2})"},
       {R"({"x":"y"})", R"({"x":1,})", "{1:1}"}},
      {R"({"type":"object","additionalProperties":false})", {"{}"}, {R"({"a":1})"}},
      {R"({"anyOf":[{"type":"object","properties":{"k":{"const":"a"},"n":{"type":"integer"}},"required":["k","n"]},
                    {"type":"object","properties":{"k":{"const":"b"},"s":{"type":"string"}},"required":["k","s"]},
                    {"type":"null"}]})",
       {R"({"k":"a","n":1})", R"({"k":"b","s":""})", "null"},
       {R"({"k":"a","s":""})", R"({"k":"b","n":1})", "{}"}},
      {R"({"$ref":"#/$defs/t","$defs":{"t":{"type":"object","properties":{"v":{"type":"integer"},
           "next":{"anyOf":[{"$ref":"#/$defs/t"},{"type":"null"}]}},"required":["v","next"]}}})",
       {R"({"v":1,"next":null})", R"({"v":1,"next":{"v":2,"next":{"v":3,"next":null}}})"},
       {R"({"v":1})", R"({"v":1,"next":{}})"}},
      {R"({"anyOf":[{"$ref":"#"},{"type":"null"}]})", {"null"}, {"nul", "1"}},
      {"{}",
       {"null", "true", "[1,\"a\",{\"b\":[]}]", R"({"a":{"b":[1.5e3]}})", "\"\"", "-1"},
       {"", "[", "{\"a\"}", "tru", "[1 ,2]"}},
      {R"({"type":["string","null"],"maxLength":1})", {"\"a\"", "null"}, {"\"ab\"", "1"}},
  };
}

TEST(JsonMachine, accepts_exactly_the_grammar) {
  for (const Case& each : cases()) {
    const auto schema = Schema::compile(each.schema);
    ASSERT_TRUE(schema) << each.schema << ": " << schema.error().message;
    JsonMachine machine(*schema);
    for (const std::string& text : each.good)
      EXPECT_TRUE(accepts(machine, text)) << each.schema << "\n" << text;
    for (const std::string& text : each.bad)
      EXPECT_FALSE(accepts(machine, text)) << each.schema << "\n" << text;
  }
}

TEST(JsonMachine, nests_as_deep_as_it_says) {
  const auto schema = Schema::compile("{}");
  JsonMachine machine(*schema);
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(accepts(machine, nested(kAnswerDepthMax)));
  EXPECT_FALSE(accepts(machine, nested(kAnswerDepthMax + 1)));
  // A list that must go on is begun only where it can end.
  const auto chain =
      Schema::compile(R"({"type":"array","minItems":1,"items":{"anyOf":[{"$ref":"#"},{"type":"null"}]}})");
  JsonMachine other(*chain);
  const auto with_null = [](std::size_t depth) {
    return std::string(depth, '[') + "null" + std::string(depth, ']');
  };
  EXPECT_TRUE(accepts(other, with_null(kAnswerDepthMax)));
  EXPECT_FALSE(accepts(other, with_null(kAnswerDepthMax + 1)));
}

TEST(JsonMachine, goes_on_the_same_after_forgetting) {
  for (const Case& each : cases()) {
    const auto schema = Schema::compile(each.schema);
    for (const std::string& text : each.good) {
      JsonMachine machine(*schema);
      JsonMachine::State state = machine.start();
      for (const char byte : text) {
        state = machine.forget(machine.step(state, static_cast<std::uint8_t>(byte)));
      }
      EXPECT_TRUE(machine.is_accepting(state)) << text;
    }
  }
}

}  // namespace
}  // namespace adit::model::constraint
