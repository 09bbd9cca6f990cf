// SPDX-License-Identifier: MIT
#include "miner/pack/task_set.hpp"

#include <gtest/gtest.h>

#include "common/base/files.hpp"
#include "tests/support/temp_dir.hpp"

namespace adit::miner {
namespace {

using answers::AnswerType;
using answers::Extraction;

constexpr const char* kOne = R"({"id":"a","prompt":"2+2?","kind":"integer","answer":"4"})";

TEST(TaskSet, reads_prompts_and_messages_a_line_each) {
  const std::string text = std::string(kOne) + "\n \r\n" +
                           R"({"id":"b","messages":[{"role":"system","content":"Short."},)" +
                           R"({"role":"user","content":"?"}],"kind":"words","answer":"apple river",)" +
                           R"("extraction":"boxed"})";
  const auto tasks = parse_tasks(text, "t.jsonl");
  ASSERT_TRUE(tasks) << tasks.error().message;
  ASSERT_EQ(tasks->size(), 2u);
  EXPECT_EQ((*tasks)[0].id, "a");
  ASSERT_EQ((*tasks)[0].messages.size(), 1u);
  EXPECT_EQ((*tasks)[0].messages[0].role, "user");
  EXPECT_EQ((*tasks)[0].messages[0].content, "2+2?");
  EXPECT_EQ((*tasks)[0].type, AnswerType::kInteger);
  EXPECT_EQ((*tasks)[0].extraction, Extraction::kLenient);
  EXPECT_EQ((*tasks)[1].messages.size(), 2u);
  EXPECT_EQ((*tasks)[1].messages[0].role, "system");
  EXPECT_EQ((*tasks)[1].type, AnswerType::kWords);
  EXPECT_EQ((*tasks)[1].extraction, Extraction::kBoxed);
  EXPECT_EQ((*tasks)[1].answer, "apple river");
}

TEST(TaskSet, what_is_no_task_is_refused_by_line_and_key) {
  const auto expect = [](const std::string& line, const std::string& part) {
    const auto tasks = parse_tasks(std::string(kOne) + "\n" + line + "\n", "t.jsonl");
    ASSERT_FALSE(tasks) << line;
    EXPECT_EQ(tasks.error().message.find("t.jsonl: line 2: "), 0u) << tasks.error().message;
    EXPECT_NE(tasks.error().message.find(part), std::string::npos) << tasks.error().message;
  };
  const auto with = [](const std::string& from, const std::string& to) {
    std::string line = R"({"id":"b","prompt":"x","kind":"word","answer":"paris"})";
    return line.replace(line.find(from), from.size(), to);
  };
  EXPECT_TRUE(parse_tasks(with("b", "b"), "t"));
  expect("x", "not JSON");
  expect("[]", "not a JSON object");
  expect(kOne, "key id: 'a' a second time");
  expect(with("\"id\"", "\"ide\""), "key id: 0 bytes");
  expect(with("\"b\"", "7"), "key id: 7");
  expect(with("\"prompt\":\"x\",", ""), "either prompt or messages");
  expect(with("\"x\"", "\"x\",\"messages\":[]"), "either prompt or messages");
  expect(with("\"prompt\":\"x\"", "\"messages\":[]"), "key messages: expected a list of 1..");
  expect(with("\"prompt\":\"x\"", "\"messages\":[{\"role\":\"user\"}]"), "key messages: message 0");
  expect(with("\"x\"", "\"\""), "key prompt: 0 bytes");
  expect(with("\"word\"", "\"essay\""), "key kind: 'essay', expected integer, word or words");
  expect(with("paris", "Paris"), "key answer: 'Paris' is not word in canonical form");
  expect(with("paris", "two words"), "key answer: 'two words' is not word");
  expect(with("\"word\"", "\"integer\""), "key answer: 'paris' is not integer");
  expect(with("paris", ""), "key answer: 0 bytes");
  expect(with("\"paris\"", "\"paris\",\"extraction\":\"fuzzy\""), "key extraction: 'fuzzy'");
  expect(with("\"paris\"", "\"paris\",\"weight\":2"), "weight");
  expect(with("\"paris\"", "[[[[]]]]"), "more than 3 brackets inside each other");
  expect(with("paris", "\xff"), "not JSON");
}

TEST(TaskSet, files_have_limits) {
  EXPECT_EQ(parse_tasks("\n\n", "t.jsonl").error().message, "t.jsonl: no tasks");
  std::string many;
  for (int i = 0; i <= 10'000; ++i) {
    many += R"({"id":")" + std::to_string(i) + R"(","prompt":"x","kind":"integer","answer":"1"})" + "\n";
  }
  EXPECT_NE(parse_tasks(many, "t").error().message.find("line 10001: more than 10000 tasks"), std::string::npos);
  const test::TempDir dir;
  const std::string path = dir.path() / "t.jsonl";
  EXPECT_EQ(load_tasks(path).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(write_file_atomic(path, as_bytes(kOne)));
  EXPECT_EQ(load_tasks(path)->size(), 1u);
}

TEST(TaskSet, the_built_in_tasks_are_of_every_kind) {
  const auto tasks = load_tasks(std::string(kBuiltinTasks));
  ASSERT_TRUE(tasks) << tasks.error().message;
  EXPECT_EQ(tasks->size(), 56u);
  for (const AnswerType type : {AnswerType::kInteger, AnswerType::kWord, AnswerType::kWords}) {
    EXPECT_GE(std::count_if(tasks->begin(), tasks->end(), [&](const TaskItem& task) { return task.type == type; }), 10);
  }
}

}  // namespace
}  // namespace adit::miner
