// SPDX-License-Identifier: MIT
#include "miner/openai/tool_parser.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "common/base/rng.hpp"

namespace adit::miner::openai {
namespace {

struct Found {
  std::string content;
  std::vector<std::pair<std::string, std::string>> calls;
  friend bool operator==(const Found&, const Found&) = default;
};

// The answer in pieces of at most `piece` bytes, as the generator cuts them.
Found found(ToolForm form, std::string_view text, std::size_t piece_max, SeededRng& rng,
            bool is_forced = false) {
  ToolParser parser(form, is_forced, "", {"weather", "now"});
  Found out;
  const auto add = [&](ToolPiece&& piece) {
    out.content += piece.content;
    for (const ToolCall& call : piece.calls) {
      EXPECT_EQ(call.index, out.calls.size());
      out.calls.emplace_back(call.name, call.arguments);
    }
  };
  while (!text.empty()) {
    const std::size_t n = std::min(text.size(), 1 + static_cast<std::size_t>(rng.below(piece_max)));
    add(parser.push(text.substr(0, n)));
    text.remove_prefix(n);
  }
  add(parser.finish());
  return out;
}

void expect_found(ToolForm form, std::string_view text, const Found& wanted, bool is_forced = false) {
  SeededRng rng(11);
  for (const std::size_t piece :
       {std::size_t{100'000}, std::size_t{1}, std::size_t{2}, std::size_t{5}, std::size_t{17}}) {
    const Found got = found(form, text, piece, rng, is_forced);
    EXPECT_EQ(got.content, wanted.content) << text;
    EXPECT_EQ(got.calls, wanted.calls) << text;
  }
}

TEST(ToolParser, hermes) {
  const auto form = ToolForm::kHermes;
  expect_found(form, "Just text, 1 < 2.\n", {"Just text, 1 < 2.\n", {}});
  expect_found(form,
               "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Oslo\"}}\n</tool_call>",
               {"", {{"weather", R"({"city":"Oslo"})"}}});
  expect_found(form,
               "Let me see.\n\n<tool_call>{\"name\":\"now\",\"arguments\":{}}</tool_call>\n"
               "<tool_call>\n{\"name\":\"other\",\"arguments\":\"{\\\"a\\\": [1]}\"}</tool_call>\n Done.",
               {"Let me see.\n Done.", {{"now", "{}"}, {"other", R"({"a":[1]})"}}});
  // The end came before the mark did.
  expect_found(form, "<tool_call>{\"name\":\"now\",\"arguments\":{}}", {"", {{"now", "{}"}}});
  for (const char* text : {"<tool_call>", "<tool_call>{\"name\":\"now\",\"argum", "a <tool_c",
                           "<tool_call>{\"name\":5,\"arguments\":{}}</tool_call> b",
                           "<tool_call>{\"name\":\"now\",\"arguments\":[]}</tool_call>",
                           "<tool_call>now</tool_call>", "\n <tool_call>{}</tool_call>\n",
                           "<tool_call>{\"name\":\"now\",\"name\":\"now\",\"arguments\":{}}</tool_call>"}) {
    expect_found(form, text, {text, {}});
  }
}

TEST(ToolParser, llama) {
  const auto form = ToolForm::kLlama;
  expect_found(form, R"({"name": "weather", "parameters": {"city": "}{\" Oslo"}})",
               {"", {{"weather", R"({"city":"}{\" Oslo"})"}}});
  expect_found(
      form,
      "<|python_tag|>{\"name\":\"now\",\"parameters\":{}}; {\"name\":\"weather\",\"parameters\":{\"a\":1}}\n",
      {"", {{"now", "{}"}, {"weather", R"({"a":1})"}}});
  // Marks there are none: only declared functions are meant.
  for (const char* text :
       {R"({"name": "other", "parameters": {}})", R"({"name": "now", "parameters": {}} and more)",
        R"({"name": "now"})", "{", "It is 5.", "  {1}", "<|python_tag|>print(1)", "<|pyth"}) {
    expect_found(form, text, {text, {}});
  }
}

TEST(ToolParser, deepseek) {
  const auto form = ToolForm::kDeepseek;
  expect_found(
      form,
      "I look.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>weather\n```json\n{\"city\": "
      "\"Oslo\"}\n"
      "```<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>now\n```json\n{}\n```<"
      "｜tool▁call▁end｜>"
      "<｜tool▁calls▁end｜>",
      {"I look.", {{"weather", R"({"city":"Oslo"})"}, {"now", "{}"}}});
  expect_found(form,
               "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>now<｜tool▁sep｜>{\"a\": "
               "1}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
               {"", {{"now", R"({"a":1})"}}});
  const char* broken = "<｜tool▁call▁begin｜>function<｜tool▁sep｜>now\n```json\n[1]\n```<｜tool▁call▁end｜>";
  expect_found(form, broken, {broken, {}});
}

TEST(ToolParser, a_forced_answer_is_one_call) {
  expect_found(ToolForm::kHermes, R"({"name": "now", "arguments": {}})", {"", {{"now", "{}"}}}, true);
  // It was cut off.
  expect_found(ToolForm::kHermes, R"({"name": "now", "argu)", {R"({"name": "now", "argu)", {}}, true);
  expect_found(ToolForm::kUnknown, "[TOOL_CALLS]now{}", {"[TOOL_CALLS]now{}", {}});
}

}  // namespace
}  // namespace adit::miner::openai
