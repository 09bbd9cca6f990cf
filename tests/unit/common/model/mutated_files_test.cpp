// SPDX-License-Identifier: MIT
// Mutated tokenizer and template files: each is accepted or refused with a message, within bounds of time and memory.
#include <array>
#include <ctime>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include "common/base/bytes.hpp"
#include "common/base/files.hpp"
#include "common/base/rng.hpp"
#include "common/model/chat_template.hpp"
#include "common/model/hf_tokenizer.hpp"
#include "common/model/unicode_classes.hpp"
#include "tests/support/gz_lines.hpp"
#include "tests/support/temp_dir.hpp"

namespace adit::model {
namespace {

constexpr int kMutants = 1200;
constexpr double kSecondsMax = 5;                 // of one file
// Of the whole run. A sanitizer keeps what was freed for a while.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr long kGrowthKibibytesMax = 1024L << 10;
#else
constexpr long kGrowthKibibytesMax = 256L << 10;
#endif

long peak_kibibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

// One or two changes: bytes flipped, cut, doubled, or words of the format put in.
std::string mutate(std::string text, SeededRng& rng) {
  constexpr std::array<std::string_view, 20> kWords{
      "null", "true", "\"", "{",  "}",  "[",    "]",     ",",   ":",        "-1",
      "1e9",  "{%",   "%}", "{{", "}}", " if ", "endif", "\\u", "99999999", "\xf0\x9f"};
  for (std::uint64_t left = 1 + rng.below(2); left > 0; --left) {
    const auto at = static_cast<std::size_t>(rng.below(text.size() + 1));
    const auto length = std::min<std::size_t>(text.size() - at, static_cast<std::size_t>(rng.below(200)));
    switch (rng.below(6)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(rng.below(256));
        break;
      case 1: text.erase(at, length); break;
      case 5:
        if (at < text.size()) text[at] = static_cast<char>('a' + rng.below(26));
        break;
      case 2: text.insert(at, text.substr(at, length)); break;
      case 3: text.insert(at, kWords[static_cast<std::size_t>(rng.below(kWords.size()))]); break;
      default: text.insert(static_cast<std::size_t>(rng.below(text.size() + 1)), text.substr(at, length));
    }
  }
  return text;
}

struct Counts {
  int accepted = 0;
  int refused = 0;
};

template <class Try>
Counts run(const std::vector<std::string>& seeds, std::uint64_t seed, Try attempt) {
  SeededRng rng(seed);
  Counts counts;
  const long before = peak_kibibytes();
  for (int i = 0; i < kMutants; ++i) {
    const std::string file = mutate(seeds[static_cast<std::size_t>(i) % seeds.size()], rng);
    const std::clock_t begin = std::clock();
    attempt(file, i) ? ++counts.accepted : ++counts.refused;
    EXPECT_LT(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC, kSecondsMax) << "mutant " << i;
  }
  EXPECT_LT(peak_kibibytes() - before, kGrowthKibibytesMax);
  return counts;
}

TEST(MutatedFiles, tokenizers_of_folders) {
  std::vector<std::string> seeds;
  for (const char* name :
       {"tiny-smollm", "tiny-llama2", "tiny-flags", "tiny-deepseek-llm", "tiny-metaspace-first"}) {
    const auto file = read_file(std::string(ADIT_TEST_VECTORS) + "/tokenizer/" + name + ".json", 1u << 20);
    ASSERT_TRUE(file.has_value());
    seeds.emplace_back(as_text(*file));
  }
  const test::TempDir folder;
  const Counts counts = run(seeds, 5, [&](const std::string& text, int i) {
    std::ofstream(folder.path() / "tokenizer.json", std::ios::binary) << text;
    const auto parts = tokenizer_from_hf(folder.path());
    if (!parts) {
      EXPECT_NE(parts.error().message.find("tokenizer.json: tokenizer: "), std::string::npos)
          << "mutant " << i;
      return false;
    }
    const auto blob = make_tokenizer_blob(*parts);
    const auto tokenizer =
        blob ? Tokenizer::from_blob(*blob) : Result<Tokenizer>(tl::unexpected<Error>(blob.error()));
    if (!tokenizer) {
      EXPECT_EQ(tokenizer.error().message.find("tokenizer: "), 0u) << "mutant " << i;
      return false;
    }
    const auto ids = tokenizer->encode("The caf\u00e9's 123 \U0001f600 <|im_start|>\xff", true);
    EXPECT_TRUE(ids.has_value() && is_valid_utf8(tokenizer->decode(*ids))) << "mutant " << i;
    return true;
  });
  EXPECT_GT(counts.accepted, 20);
  EXPECT_GT(counts.refused, 500);
}

TEST(MutatedFiles, chat_templates) {
  std::string text;
  for (const std::string& line : test::gz_lines("chat/hub.json.gz")) text += line;
  const auto all = nlohmann::json::parse(text);
  std::vector<std::string> seeds;
  for (const auto& one : all.at("templates")) seeds.push_back(one.get<std::string>());
  ASSERT_GE(seeds.size(), 6u);
  const std::array<ChatMessage, 4> messages{
      {{"system", "be brief"},
       {"user", "hi"},
       {"assistant", "",
        R"({"content":null,"tool_calls":[{"type":"function","function":{"name":"f","arguments":{"a":[1,2.5]}}}]})"},
       {"tool", "x"}}};
  const ChatVariables variables{
      R"([{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}])", ""};
  const Counts counts = run(seeds, 6, [&](const std::string& file, int i) {
    const auto out = render_chat(file, messages, i % 2 == 0, {"<s>", "</s>"}, variables);
    if (out) {
      EXPECT_TRUE(is_valid_utf8(*out)) << "mutant " << i;
    } else {
      EXPECT_EQ(out.error().message.find("chat template: line "), 0u)
          << "mutant " << i << ": " << out.error().message;
    }
    return out.has_value();
  });
  EXPECT_GT(counts.accepted, 50);
  EXPECT_GT(counts.refused, 300);
}

TEST(MutatedFiles, configurations_and_messages) {
  const std::vector<std::string> seeds{
      R"({"bos_token":"<s>","eos_token":{"content":"</s>"},"add_bos_token":true,"chat_template":"{{ 1 }}"})",
      R"({"chat_template":[{"name":"default","template":"x"},{"name":"rag","template":"y"}],"pad_token":null})"};
  const test::TempDir folder;
  const auto file = read_file(std::string(ADIT_TEST_VECTORS) + "/tokenizer/tiny-llama2.json", 1u << 20);
  ASSERT_TRUE(file.has_value());
  std::ofstream(folder.path() / "tokenizer.json", std::ios::binary) << as_text(*file);
  const Counts counts = run(seeds, 7, [&](const std::string& text, int i) {
    std::ofstream(folder.path() / "tokenizer_config.json", std::ios::binary) << text;
    const auto parts = tokenizer_from_hf(folder.path());
    const auto chat = chat_template_from_hf(folder.path());
    if (!parts) {
      EXPECT_FALSE(parts.error().message.empty()) << "mutant " << i;
    }
    if (!chat) {
      EXPECT_FALSE(chat.error().message.empty()) << "mutant " << i;
    }
    const std::array<ChatMessage, 1> messages{{{"user", "hi", text}}};
    const auto out = render_chat("{{ messages | tojson }}", messages, false);
    if (!out) {
      EXPECT_EQ(out.error().message.find("chat template: "), 0u) << out.error().message;
    }
    return parts.has_value() && chat.has_value();
  });
  EXPECT_GT(counts.accepted, 20);
  EXPECT_GT(counts.refused, 300);
}

}  // namespace
}  // namespace adit::model
