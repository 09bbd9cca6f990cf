// SPDX-License-Identifier: MIT
#include <map>

#include <gtest/gtest.h>

#include "tests/support/vectors.hpp"
#include "validator/tasks/families.hpp"
#include "validator/tasks/task.hpp"

namespace adit::validator {
namespace {

TEST(Tasks, equal_an_independent_generator) {
  const auto vectors = test::load_vectors("tasks/tasks.json");
  std::vector<TaskRule> rules;
  for (const auto& rule : vectors["rules"]) rules.push_back({rule[0], rule[1], rule[2], rule[3]});
  ASSERT_EQ(vectors["tasks"].size(), 120u);
  for (const auto& expected : vectors["tasks"]) {
    const Task task = make_task(rules, fixed_from_hex<32>(expected["seed"].get<std::string>()).value());
    EXPECT_EQ(task.family, expected["family"]);
    EXPECT_EQ(task.level, expected["level"]);
    EXPECT_EQ(task.prompt, expected["prompt"]);
    EXPECT_EQ(task.answer, expected["answer"]);
  }
}

// How often an answering strategy that understands nothing is right, over 4000 tasks of one family and level.
class Guessing : public ::testing::TestWithParam<std::string_view> {
 protected:
  static constexpr int kTasks = 4000;
  [[nodiscard]] static std::vector<Task> tasks_of(std::uint32_t level) {
    SeededRng rng(2026);
    const std::vector<TaskRule> rules = {{std::string(GetParam()), 1, level, level}};
    std::vector<Task> tasks;
    for (int i = 0; i < kTasks; ++i) {
      Hash256 seed;
      rng.fill(seed);
      tasks.push_back(make_task(rules, seed));
    }
    return tasks;
  }
  [[nodiscard]] static bool right(const Task& task, std::string_view text) {
    return answers::is_right(text, answers::Extraction::kLenient, task.type, task.answer);
  }
};

TEST_P(Guessing, constant_majority_random_and_echo_are_right_in_at_most_5_percent_of_every_level) {
  for (std::uint32_t level = 1; level <= find_family(GetParam())->level_max; ++level) {
    const std::vector<Task> tasks = tasks_of(level);
    std::map<std::string, int> count;
    int echo = 0;
    int random = 0;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      ++count[tasks[i].answer];
      echo += right(tasks[i], tasks[i].prompt) ? 1 : 0;
      random += right(tasks[i], tasks[(i + 1) % tasks.size()].answer) ? 1 : 0;
    }
    int majority = 0;
    for (const auto& [answer, times] : count) majority = std::max(majority, times);
    EXPECT_LE(majority, kTasks / 20) << "the commonest answer at level " << level;
    EXPECT_LE(echo, kTasks / 20) << "the prompt repeated at level " << level;
    EXPECT_LE(random, kTasks / 20) << "another task's answer at level " << level;
  }
}

TEST_P(Guessing, the_answer_itself_is_right_in_a_sentence) {
  for (std::uint32_t level = 1; level <= find_family(GetParam())->level_max; ++level) {
    for (const Task& task : tasks_of(level)) {
      ASSERT_TRUE(right(task, "I think it is " + task.answer + ".")) << task.prompt;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Guessing,
                         ::testing::Values("facts.capital", "text.copy", "arithmetic.chain", "numbers.max",
                                           "program.trace"),
                         [](const auto& param) {
                           std::string name(param.param);
                           for (char& c : name) c = c == '.' ? '_' : c;
                           return name;
                         });

TEST(Tasks, differ_for_different_seeds) {
  const std::vector<TaskRule> rules = {{"text.copy", 1, 2, 4}};
  std::map<std::string, int> seen;
  SeededRng rng(1);
  for (int i = 0; i < 500; ++i) {
    Hash256 seed;
    rng.fill(seed);
    ++seen[make_task(rules, seed).prompt];
  }
  EXPECT_GT(seen.size(), 495u);
}

}  // namespace
}  // namespace adit::validator
