// SPDX-License-Identifier: MIT
// Random schemas and a random model: every answer that ends by itself is JSON that satisfies its schema, by a
// validator that shares nothing with the machine; and it is the same beside anything.
#include "common/model/constraint/json_filter.hpp"

#include <map>

#include <gtest/gtest.h>

#include "common/base/rng.hpp"
#include "common/model/constraint/ordered_json.hpp"
#include "common/model/generator.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_llama.hpp"

namespace adit::model::constraint {
namespace {

struct Model {
  test::TempDir dir;
  Pack pack = test::tiny_llama_pack(dir.path(), {.context = 4096}, {.bits = 8});
  Tokenizer tokenizer = Tokenizer::from_blob(pack.tokenizer_json()).value();
  std::shared_ptr<const TokenTrie> trie = std::make_shared<const TokenTrie>(tokenizer, pack.config().vocab);
};
const Model& model() {
  static const Model one;
  return one;
}

// The keywords that random_schema uses, by the letter of JSON Schema 2020-12.
bool is_valid(const Json& value, const Json& schema) {
  if (schema.contains("anyOf")) {
    for (const Json& branch : schema["anyOf"]) {
      if (is_valid(value, branch)) return true;
    }
    return false;
  }
  if (schema.contains("enum")) {
    for (const Json& each : schema["enum"]) {
      if (each == value) return true;
    }
    return false;
  }
  const std::string type = schema["type"];
  if (type == "null") return value.is_null();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "string") {
    if (!value.is_string()) return false;
    const auto& text = value.get_ref<const std::string&>();
    const auto characters = static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<std::uint8_t>(c) & 0xc0) != 0x80; }));
    return characters >= schema.value("minLength", 0U) && characters <= schema.value("maxLength", SIZE_MAX);
  }
  if (type == "array") {
    if (!value.is_array() || value.size() < schema.value("minItems", 0U)) return false;
    if (value.size() > schema.value("maxItems", SIZE_MAX)) return false;
    return std::all_of(value.begin(), value.end(),
                       [&](const Json& each) { return is_valid(each, schema["items"]); });
  }
  if (!value.is_object()) return false;
  const Json& properties = schema["properties"];
  for (const Json& name : schema["required"]) {
    if (!value.contains(name.get<std::string>())) return false;
  }
  for (const auto& [key, each] : value.items()) {
    if (!properties.contains(key) || !is_valid(each, properties[key])) return false;
  }
  return true;
}

Json random_schema(SeededRng& rng, int depth) {
  switch (rng.below(depth > 0 ? 9 : 6)) {
    case 0:
      return {{"type", "null"}};
    case 1:
      return {{"type", "boolean"}};
    case 2:
      return {{"type", "integer"}};
    case 3:
      return {{"type", "number"}};
    case 4: {
      const std::uint64_t min = rng.below(3);
      return {{"type", "string"}, {"minLength", min}, {"maxLength", min + rng.below(6)}};
    }
    case 5:
      return {{"enum", {"a", "ab", "\u00e9\n", 5, -2.5, nullptr, {{"k", {1, "x"}}}}}};
    case 6: {
      Json out{{"anyOf", Json::array()}};
      for (std::uint64_t i = rng.below(3) + 1; i > 0; --i)
        out["anyOf"].push_back(random_schema(rng, depth - 1));
      return out;
    }
    case 7: {
      const std::uint64_t min = rng.below(3);
      return {{"type", "array"},
              {"items", random_schema(rng, depth - 1)},
              {"minItems", min},
              {"maxItems", min + rng.below(3)}};
    }
    default: {
      Json out{{"type", "object"},
               {"properties", Json::object()},
               {"required", Json::array()},
               {"additionalProperties", false}};
      for (std::uint64_t i = rng.below(4); i > 0; --i) {
        const std::string key =
            std::string(1, static_cast<char>('a' + i)) + (rng.below(4) == 0 ? "\"/~" : "");
        out["properties"][key] = random_schema(rng, depth - 1);
        if (rng.below(2) == 0) out["required"].push_back(key);
      }
      return out;
    }
  }
}

struct Ask {
  Json schema;
  std::uint32_t temperature_milli;
};

std::vector<Generated> run(const std::vector<Ask>& asks, const EngineOptions& options) {
  BatchEngine engine(model().pack, options);
  std::vector<Generated> out(asks.size());
  std::map<SequenceId, std::size_t> index;
  std::size_t next = 0;
  while (next < asks.size() || engine.running() > 0) {
    for (; next < asks.size() && engine.has_room(); ++next) {
      auto schema = Schema::compile(to_text(asks[next].schema));
      if (!schema) throw std::runtime_error(schema.error().message);
      GenerateExtras extras;
      extras.filter =
          std::make_shared<JsonFilter>(std::make_shared<const Schema>(*std::move(schema)), model().trie,
                                       model().tokenizer, model().pack.config().stop_ids);
      const GenerateParams params{.max_tokens = 300,
                                  .sampling = {.temperature_milli = asks[next].temperature_milli}};
      const std::vector<TokenId> prompt{5, static_cast<TokenId>(3 + next % 200)};
      const auto id = engine.add(prompt, params, {.seed = {static_cast<std::uint8_t>(next)}}, extras);
      if (!id) throw std::runtime_error(id.error().message);
      index[*id] = next;
    }
    auto step = engine.step();
    if (!step) throw std::runtime_error(step.error().message);
    for (Generated& done : step->finished) out[index.at(done.sequence)] = std::move(done);
  }
  return out;
}

TEST(JsonFilter, every_answer_that_ends_satisfies_its_schema) {
  SeededRng rng(20);
  std::vector<Ask> asks;
  for (int i = 0; i < 300; ++i) {
    asks.push_back({random_schema(rng, 3), static_cast<std::uint32_t>(rng.below(3) * 1500)});
  }
  const std::vector<Generated> answers = run(asks, {.threads = 2, .batch_max = 16});
  int ended = 0;
  for (std::size_t i = 0; i < asks.size(); ++i) {
    ASSERT_NE(answers[i].finish, FinishReason::kDeadEnd) << to_text(asks[i].schema);
    if (answers[i].finish != FinishReason::kStop) continue;
    ++ended;
    const std::string text = model().tokenizer.decode(answers[i].ids, true);
    const Json value = Json::parse(text, nullptr, false);
    ASSERT_FALSE(value.is_discarded()) << text;
    ASSERT_TRUE(is_valid(value, asks[i].schema)) << text << "\n" << to_text(asks[i].schema);
  }
  EXPECT_GT(ended, 200);
}

TEST(JsonFilter, answers_do_not_depend_on_what_runs_beside_them) {
  SeededRng rng(21);
  std::vector<Ask> asks;
  for (int i = 0; i < 24; ++i) asks.push_back({random_schema(rng, 3), 1000});
  const std::vector<Generated> alone =
      run(asks, {.isa = kernels::Isa::kScalar, .threads = 1, .batch_max = 1});
  const std::vector<Generated> together = run(asks, {.threads = 3, .batch_max = 24});
  for (std::size_t i = 0; i < asks.size(); ++i) {
    EXPECT_EQ(alone[i].ids, together[i].ids);
    EXPECT_EQ(alone[i].trace_root, together[i].trace_root);
  }
}

TEST(TokenTrie, allows_what_the_machine_takes_token_by_token) {
  const auto schema = Schema::compile(R"({"type":"object","additionalProperties":{"type":"number"}})");
  JsonMachine machine(*schema), other(*schema);
  JsonMachine::State state = machine.start(), mirror = other.start();
  for (const char byte : std::string(R"({"k": 1.5, "\u00)")) {
    std::vector<std::uint64_t> mask(model().trie->mask_words(), 0);
    model().trie->mark_allowed(machine, state, mask);
    for (TokenId id = 0; id < model().pack.config().vocab; ++id) {
      const std::string_view piece = model().tokenizer.piece(id);
      JsonMachine::State at = mirror;
      for (const char each : piece) {
        if (at != JsonMachine::kDead) at = other.step(at, static_cast<std::uint8_t>(each));
      }
      const bool want = !model().tokenizer.is_special(id) && !piece.empty() && at != JsonMachine::kDead;
      ASSERT_EQ((mask[static_cast<std::size_t>(id) / 64] >> (id % 64)) & 1, want ? 1U : 0U) << id;
    }
    state = machine.step(state, static_cast<std::uint8_t>(byte));
    mirror = other.step(mirror, static_cast<std::uint8_t>(byte));
  }
}

}  // namespace
}  // namespace adit::model::constraint
