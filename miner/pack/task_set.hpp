// SPDX-License-Identifier: MIT
// miner/pack/task_set.hpp
//
// Questions with one exact answer each, to measure models by: a JSON object a line.
//
// In       `id` (unique), `prompt` (one user message) or `messages` (a list of `role`, `content`), `kind` ("integer",
//          "word" or "words"), `answer` (in canonical form: "-12", "paris", "apple river"), and perhaps `extraction`
//          ("lenient", the default, or "boxed"; common/answers/extraction.hpp). Blank lines are skipped.
// Out      the tasks in order of the lines.
// Errors   kInvalidArgument "<file>: line N: …" with the key, what was found and what was expected; those of the file.
// Threads  pure.
// Tests    tests/unit/miner/pack/task_set_test.cpp, tests/fuzz/task_set_fuzz.cpp
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/answers/extraction.hpp"
#include "common/base/result.hpp"
#include "common/model/chat_template.hpp"

namespace adit::miner {

struct TaskItem {
  std::string id;
  std::vector<model::ChatMessage> messages;
  answers::AnswerType type = answers::AnswerType::kInteger;
  answers::Extraction extraction = answers::Extraction::kLenient;
  std::string answer;
};

inline constexpr std::string_view kBuiltinTasks = "builtin";

[[nodiscard]] std::string_view builtin_task_text();
[[nodiscard]] std::string_view kind_name(answers::AnswerType type);
[[nodiscard]] Result<std::vector<TaskItem>> parse_tasks(std::string_view text, const std::string& label);
// A file, or kBuiltinTasks.
[[nodiscard]] Result<std::vector<TaskItem>> load_tasks(const std::string& name);

}  // namespace adit::miner
