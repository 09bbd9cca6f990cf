// SPDX-License-Identifier: MIT
#include "common/model/constraint/schema.hpp"

#include <gtest/gtest.h>

#include "common/model/constraint/ordered_json.hpp"

namespace adit::model::constraint {
namespace {

TEST(Schema, refuses_what_it_does_not_understand_by_its_place) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"type":"string","pattern":"a+"})", "schema: #/pattern: not supported here"},
      {R"({"type":"string","format":"date"})", "schema: #/format: not supported here"},
      {R"({"type":"integer","minimum":3})", "schema: #/minimum: not supported here"},
      {R"({"type":"object","properties":{"a/b":{"type":"array","uniqueItems":true}}})",
       "schema: #/properties/a~1b/uniqueItems: not supported here"},
      {R"({"type":"object","patternProperties":{}})", "schema: #/patternProperties: not supported here"},
      {R"({"allOf":[{}]})", "schema: #/allOf: not supported here"},
      {R"({"anyOf":[{}],"type":"object"})", "schema: #/type: not supported here"},
      {R"({"$ref":"#/$defs/a"})", "schema: #/$ref: there is no #/$defs/a"},
      {R"({"$ref":"http://x"})", "schema: #/$ref: expected a place in the same schema (#/…)"},
      {R"({"type":"text"})", "schema: #/type: 'text' is no type of JSON"},
      {R"({"type":[]})", "schema: #/type: expected 1 to 7 types"},
      {R"({"type":"array","minItems":3,"maxItems":2})", "schema: #/minItems: 3 is more than maxItems 2"},
      {R"({"type":"array","maxItems":-1})", "schema: #/maxItems: expected an integer in 0..1048576"},
      {R"({"type":"object","properties":{"a":{}},"required":["b"]})",
       "schema: #/required: \"b\" is not among the properties"},
      {R"({"enum":[]})", "schema: #: no value satisfies it"},
      {R"({"type":"integer","enum":["a"]})", "schema: #: no value satisfies it"},
      {R"({"properties":{"a":{}},"additionalProperties":{"type":"null"}})",
       "schema: #/additionalProperties: a schema is not supported beside properties"},
      {R"({"properties":{"a":false}})", "schema: #/properties/a: expected an object or true"},
      {R"({"properties":{"a":{"$ref":"#"}},"required":["a"]})", "schema: #: no value nests at most 24 deep"},
      {R"({"oneOf":[{"type":"integer"},{"type":"number"}]})",
       "schema: #/oneOf: branches 0 and 1 may both hold; use anyOf, or a required property whose constant "
       "tells them "
       "apart"},
      {"7", "schema: #: expected an object or true"},
      {"{", "schema: byte 2: not valid JSON"},
      {R"({"type":"null","type":"null"})", "schema: the key 'type' stands twice in one object"},
  };
  for (const auto& [text, message] : cases) {
    const auto schema = Schema::compile(text);
    ASSERT_FALSE(schema) << text;
    EXPECT_EQ(schema.error().message, message) << text;
  }
}

TEST(Schema, understands_the_declared_subset) {
  for (const char* text : {
           "true",
           "{}",
           R"({"type":"object","properties":{"a":{"type":"string","title":"A"}},"required":["a"],
               "additionalProperties":false,"$defs":{"x":{"pattern":"unused"}}})",
           R"({"oneOf":[{"type":"string"},{"type":"null"},{"type":["array","object"]}]})",
           R"({"oneOf":[{"properties":{"k":{"const":"a"}},"required":["k"]},
                        {"properties":{"k":{"enum":["b","c"]}},"required":["k"]}]})",
           R"({"$ref":"#/$defs/tree","$defs":{"tree":{"type":"object","properties":
               {"v":{"type":"integer"},"kids":{"type":"array","items":{"$ref":"#/$defs/tree"}}},
               "required":["v","kids"]}}})",
           R"({"type":"object","additionalProperties":{"type":"integer"}})",
           R"({"anyOf":[{"$ref":"#"},{"type":"null"}]})",
           R"({"const":{"a":[1,2.5]}})",
       }) {
    const auto schema = Schema::compile(text);
    EXPECT_TRUE(schema) << text << ": " << schema.error().message;
  }
}

TEST(Schema, keeps_within_its_bounds) {
  std::string deep = R"({"$defs":{)";
  for (int i = 0; i < 2000; ++i) {
    deep += R"("a)" + std::to_string(i) + R"(":{"$ref":"#/$defs/a)" + std::to_string(i + 1) + "\"},";
  }
  EXPECT_FALSE(Schema::compile(deep + R"("a2000":{}},"$ref":"#/$defs/a0"})"));
  EXPECT_FALSE(Schema::compile(std::string(kSchemaBytesMax + 1, ' ')));
  EXPECT_FALSE(Schema::compile(std::string(100'000, '[')));
  std::string many = R"({"enum":[0)";
  for (std::size_t i = 1; i <= kSchemaLiteralsMax; ++i) many += "," + std::to_string(i);
  EXPECT_FALSE(Schema::compile(many + "]}"));
  // Branches that share branches would be compared without end.
  std::string shared = R"({"oneOf":[{"$ref":"#/$defs/a0"},{"$ref":"#/$defs/a0"}],"$defs":{)";
  for (int i = 0; i < 7; ++i) {
    shared += "\"a" + std::to_string(i) + R"(":{"anyOf":[)";
    for (int k = 0; k < 100; ++k) shared += R"({"$ref":"#/$defs/a)" + std::to_string(i + 1) + "\"},";
    shared += R"({"type":"object"}]},)";
  }
  EXPECT_FALSE(Schema::compile(shared + R"("a7":{"type":"object"}}})"));
}

}  // namespace
}  // namespace adit::model::constraint
