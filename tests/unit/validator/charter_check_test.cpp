// SPDX-License-Identifier: MIT
#include "validator/commands/charter_check.hpp"

#include <sstream>

#include <gtest/gtest.h>

#include "common/base/exit_code.hpp"
#include "common/base/files.hpp"
#include "tests/support/temp_dir.hpp"
#include "validator/charter/charter.hpp"
#include "validator/charter/lint.hpp"

namespace adit::validator {
namespace {

const std::filesystem::path kStarter = ADIT_SOURCE_DIR "/configs/charters/starter-smollm2-135m.yaml";

// The starter charter with one text replaced, in a file.
class CharterCheck : public ::testing::Test {
 protected:
  std::filesystem::path changed(const std::string& from, const std::string& to) {
    const Bytes content = read_file(kStarter, 1u << 20).value();
    std::string text(as_text(content));
    EXPECT_NE(text.find(from), std::string::npos) << from;
    text.replace(text.find(from), from.size(), to);
    const auto path = dir_.path() / "charter.yaml";
    EXPECT_TRUE(write_file_atomic(path, as_bytes(text)).has_value());
    return path;
  }
  int check(const std::filesystem::path& file) {
    out_.str("");
    err_.str("");
    return run_charter_check(file, out_, err_);
  }
  test::TempDir dir_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(CharterCheck, prints_every_key_with_its_sentence_and_the_hash) {
  ASSERT_EQ(check(kStarter), exit_code::kOk) << err_.str();
  EXPECT_EQ(err_.str(), "");
  const std::string table = out_.str();
  EXPECT_NE(table.find("queries.temperature"), std::string::npos);
  EXPECT_NE(table.find("Sampling temperature; 0 is greedy."), std::string::npos);
  EXPECT_NE(table.find("tasks[4].family"), std::string::npos);
  const auto hash = charter_hash(load_charter(kStarter).value());
  EXPECT_NE(table.find(": good; hash " + to_hex(hash) + "\n"), std::string::npos);
}

TEST_F(CharterCheck, refuses_with_one_line_and_the_code_of_configurations) {
  const auto path = changed("per_step: 32", "per_stepp: 32");
  ASSERT_EQ(check(path), exit_code::kConfig);
  EXPECT_EQ(out_.str(), "");
  EXPECT_EQ(err_.str(), "adit-validator: " + path.string() +
                            ": line 18: queries.per_stepp: unknown key, did you mean 'per_step'?\n");
  EXPECT_EQ(check(dir_.path() / "absent.yaml"), exit_code::kConfig);
}

TEST_F(CharterCheck, refuses_temperature_0_where_miners_share_prompts) {
  const auto path = changed("temperature: 0.6", "temperature: 0");
  ASSERT_EQ(check(path), exit_code::kConfig);
  EXPECT_NE(err_.str().find("queries.temperature is 0 and one question in "), std::string::npos)
      << err_.str();
}

TEST(CharterLint, temperature_0_passes_where_prompts_are_all_but_unique) {
  Charter charter = load_charter(kStarter).value();
  charter.sampling.temperature_milli = 0;
  charter.tasks = {{"numbers.max", 1, 2, 4}, {"program.trace", 1, 2, 5}};
  EXPECT_TRUE(lint(charter).has_value());
  EXPECT_EQ(equal_prompt_pairs(charter.tasks), 0u);
  charter.tasks.push_back({"facts.capital", 1, 1, 1});
  EXPECT_FALSE(lint(charter).has_value());
  charter.questions_per_step = 1;
  EXPECT_TRUE(lint(charter).has_value());
}

TEST(CharterLint, something_must_be_worth_something) {
  Charter charter = load_charter(kStarter).value();
  charter.rules.score.exact = 0;
  EXPECT_TRUE(lint(charter).has_value());
  charter.rules.score.correct = 0;
  EXPECT_FALSE(lint(charter).has_value());
}

}  // namespace
}  // namespace adit::validator
