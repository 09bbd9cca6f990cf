// SPDX-License-Identifier: MIT
#include "miner/pack/task_set.hpp"

#include <algorithm>
#include <set>

#include "common/base/files.hpp"
#include "common/base/limits.hpp"
#include "common/model/json_fields.hpp"

namespace adit::miner {
namespace {

using answers::AnswerType;
using answers::Extraction;
using model::JsonFields;

constexpr std::size_t kTasksMax = 10'000;
// A task is an object with a list of objects.
constexpr int kDepthMax = 3;

// Brackets open at once, outside of texts.
int depth_of(std::string_view line) {
  int depth = 0, deepest = 0;
  bool is_text = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"') is_text = !is_text;
    if (is_text && c == '\\') ++i;
    if (is_text) continue;
    if (c == '{' || c == '[') deepest = std::max(deepest, ++depth);
    if (c == '}' || c == ']') --depth;
  }
  return deepest;
}

Result<std::string> text_of(JsonFields& fields, const std::string& key, std::size_t bytes_max) {
  ADIT_TRY(std::string text, fields.text_or(key, ""));
  if (!text.empty() && text.size() <= bytes_max) return text;
  return invalid_argument("key {}: {} bytes, expected a text of 1..{}", key, text.size(), bytes_max);
}

Result<AnswerType> kind_of(JsonFields& fields) {
  ADIT_TRY(const std::string kind, fields.text_or("kind", ""));
  for (const AnswerType type : {AnswerType::kInteger, AnswerType::kWord, AnswerType::kWords}) {
    if (kind == kind_name(type)) return type;
  }
  return invalid_argument("key kind: '{}', expected integer, word or words", kind.substr(0, 40));
}

Result<Extraction> extraction_of(JsonFields& fields) {
  ADIT_TRY(const std::string rule, fields.text_or("extraction", "lenient"));
  if (rule == "lenient") return Extraction::kLenient;
  if (rule == "boxed") return Extraction::kBoxed;
  return invalid_argument("key extraction: '{}', expected lenient or boxed", rule.substr(0, 40));
}

Result<std::vector<model::ChatMessage>> messages_of(JsonFields& fields) {
  if (fields.has("prompt") == fields.has("messages")) {
    return invalid_argument("expected either prompt or messages");
  }
  if (fields.has("prompt")) {
    ADIT_TRY(std::string prompt, text_of(fields, "prompt", limits::kStringBytesMax));
    return std::vector<model::ChatMessage>{{"user", std::move(prompt)}};
  }
  const nlohmann::json& list = *fields.find("messages");
  if (!list.is_array() || list.empty() || list.size() > limits::kChatMessagesMax) {
    return invalid_argument("key messages: expected a list of 1..{}", limits::kChatMessagesMax);
  }
  std::vector<model::ChatMessage> out;
  for (const nlohmann::json& one : list) {
    const bool is_message = one.is_object() && one.size() == 2 && one.contains("role") && one["role"].is_string() &&
                            one.contains("content") && one["content"].is_string();
    if (!is_message) {
      return invalid_argument("key messages: message {}: expected an object of the texts role and content",
                              out.size());
    }
    out.push_back({one["role"].get<std::string>(), one["content"].get<std::string>()});
  }
  return out;
}

Result<TaskItem> parse_task(std::string_view line) {
  if (depth_of(line) > kDepthMax) return invalid_argument("more than {} brackets inside each other", kDepthMax);
  // The caller, who knows the line, puts it in front.
  ADIT_TRY(JsonFields fields, JsonFields::parse(line, "task"));
  TaskItem out;
  ADIT_TRY(out.id, text_of(fields, "id", limits::kNameBytesMax));
  ADIT_TRY(out.messages, messages_of(fields));
  ADIT_TRY(out.type, kind_of(fields));
  ADIT_TRY(out.extraction, extraction_of(fields));
  ADIT_TRY(out.answer, text_of(fields, "answer", limits::kNameBytesMax));
  ADIT_TRY_VOID(fields.finish());
  if (answers::is_right(out.answer, Extraction::kLenient, out.type, out.answer)) return out;
  return invalid_argument("key answer: '{}' is not {} in canonical form (\"-12\", \"paris\", \"apple river\")",
                          out.answer, kind_name(out.type));
}

}  // namespace

std::string_view kind_name(AnswerType type) {
  switch (type) {
    case AnswerType::kInteger: return "integer";
    case AnswerType::kWord: return "word";
    case AnswerType::kWords: return "words";
  }
  return "";
}

Result<std::vector<TaskItem>> parse_tasks(std::string_view text, const std::string& label) {
  std::vector<TaskItem> out;
  std::set<std::string, std::less<>> ids;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const std::string where = fmt::format("{}: line {}", label, number);
    if (out.size() == kTasksMax) return invalid_argument("{}: more than {} tasks", where, kTasksMax);
    auto task = parse_task(line);
    if (!task) return tl::unexpected<Error>(task.error().context(where));
    if (!ids.insert(task->id).second) return invalid_argument("{}: key id: '{}' a second time", where, task->id);
    out.push_back(*std::move(task));
  }
  if (out.empty()) return invalid_argument("{}: no tasks", label);
  return out;
}

Result<std::vector<TaskItem>> load_tasks(const std::string& name) {
  if (name == kBuiltinTasks) return parse_tasks(builtin_task_text(), "built-in tasks");
  ADIT_TRY(const Bytes bytes, read_file(name, limits::kStringBytesMax));
  return parse_tasks(as_text(bytes), name);
}

}  // namespace adit::miner
