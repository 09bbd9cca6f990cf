// SPDX-License-Identifier: MIT
#include "validator/charter/charter.hpp"

#include <gtest/gtest.h>

namespace adit::validator {
namespace {

const std::string kMinimal =
    "charter: {name: t, netuid: 3}\n"
    "model: {pack: 00000000000000000000000000000000000000000000000000000000000000ff}\n"
    "tasks:\n  - {family: text.copy, levels: [1, 2]}\n";

std::string error_of(const std::string& text) {
  const auto charter = parse_charter(text, "c.yaml");
  return charter ? "accepted" : charter.error().message;
}

TEST(Charter, reads_the_shipped_starter) {
  const auto charter = load_charter(ADIT_SOURCE_DIR "/configs/charters/starter-smollm2-135m.yaml");
  ASSERT_TRUE(charter) << charter.error().message;
  EXPECT_EQ(charter->tasks.size(), 5u);
  EXPECT_EQ(charter->extraction, answers::Extraction::kLenient);
  EXPECT_EQ(charter->rules.score.exact, 32768u);
  EXPECT_EQ(charter->sampling.top_p_65536, 62259u);  // 0.95 * 65536 = 62259.2
  EXPECT_NE(charter->pack, Hash256{});
}

TEST(Charter, what_is_absent_has_its_default) {
  const Charter charter = parse_charter(kMinimal, "c.yaml").value();
  EXPECT_EQ(charter.max_tokens, 1024u);
  EXPECT_EQ(charter.rules.score.deadline_ms, 30'000u);
  EXPECT_EQ(charter.rules.weights.rule, WeightRule::kProportional);
  EXPECT_EQ(charter.replay_65536, 65536u);
}

TEST(Charter, fractions_are_rounded_half_up) {
  const Charter charter =
      parse_charter(kMinimal + "score: {exact: 0.333333, speed_bonus_max: 1.5}\n", "c").value();
  EXPECT_EQ(charter.rules.score.exact, 21845u);  // 21845.31
  EXPECT_EQ(charter.rules.score.speed_bonus_max, 98304u);
}

TEST(Charter, errors_name_file_line_key_and_what_was_expected) {
  EXPECT_NE(error_of(kMinimal + "score: {exactt: 1}\n").find("did you mean 'exact'"), std::string::npos);
  EXPECT_NE(error_of(kMinimal + "score: {exact: many}\n").find("c.yaml: line 5: score.exact"),
            std::string::npos);
  EXPECT_NE(error_of("charter: {name: t, netuid: 3}\ntasks: []\n").find("model"), std::string::npos);
  std::string typo = kMinimal;
  typo.replace(typo.find("text.copy"), 9, "text.cpoy");
  EXPECT_NE(error_of(typo).find("did you mean 'text.copy'"), std::string::npos);
  std::string level = kMinimal;
  level.replace(level.find("[1, 2]"), 6, "[1, 9]");
  EXPECT_NE(error_of(level).find("within 1..4"), std::string::npos);
  EXPECT_NE(error_of(kMinimal + "verify: {replay: 0.3}\n").find("expected 1"), std::string::npos);
}

TEST(Charter, the_hash_follows_meaning_not_spelling) {
  const Hash256 base = charter_hash(parse_charter(kMinimal, "a").value());
  EXPECT_EQ(charter_hash(parse_charter("# a comment\n" + kMinimal + "score: {exact: 0.500}\n", "b").value()),
            base);
  EXPECT_NE(charter_hash(parse_charter(kMinimal + "score: {exact: 0.6}\n", "c").value()), base);
}

TEST(Charter, numerics_are_1_or_2) {
  EXPECT_EQ(parse_charter(kMinimal, "a").value().numerics, 1u);
  const auto with = [](const std::string& number) {
    std::string text = kMinimal;
    const std::size_t at = text.find("pack:");
    return text.insert(at, "numerics: " + number + ", ");
  };
  const auto second = parse_charter(with("2"), "b");
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->numerics, 2u);
  EXPECT_NE(charter_hash(*second), charter_hash(parse_charter(kMinimal, "a").value()));
  EXPECT_NE(error_of(with("3")).find("1..2"), std::string::npos) << error_of(with("3"));
}

TEST(Charter, describes_every_key) {
  const auto fields = describe_charter(ADIT_SOURCE_DIR "/configs/charters/starter-smollm2-135m.yaml").value();
  EXPECT_GE(fields.size(), 30u);
  for (const auto& field : fields) EXPECT_FALSE(field.sentence.empty()) << field.path;
}

}  // namespace
}  // namespace adit::validator
