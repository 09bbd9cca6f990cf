// SPDX-License-Identifier: MIT
#include "miner/openai/tool_parser.hpp"

#include <algorithm>
#include <utility>

#include "miner/openai/json.hpp"

namespace adit::miner::openai {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

// The longest end of `text` that is a beginning of `mark`, but not all of it.
std::size_t begun(std::string_view text, std::string_view mark) {
  for (std::size_t n = std::min(text.size(), mark.size() - 1); n > 0; --n) {
    if (text.ends_with(mark.substr(0, n))) return n;
  }
  return 0;
}

// Where the JSON object at the beginning of `text` ends; 0: it does not.
std::size_t object_end(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return i + 1;
    }
  }
  return 0;
}

}  // namespace

ToolParser::ToolParser(ToolForm form, bool is_forced, std::string forced_name, std::vector<std::string> names)
    : form_(form), is_forced_(is_forced), forced_name_(std::move(forced_name)), names_(std::move(names)) {
  if (form == ToolForm::kHermes) {
    open_ = kHermesOpen;
    close_ = kHermesClose;
  } else if (form == ToolForm::kDeepseek) {
    open_ = kDeepseekOpen;
    close_ = kDeepseekClose;
    silent_ = {std::string(kDeepseekBegin), std::string(kDeepseekEnd)};
  }
}

void ToolParser::content(ToolPiece& out, std::string_view text) {
  const std::size_t last = text.find_last_not_of(kBlanks);
  if (last == std::string_view::npos) {
    blanks_ += text;
    return;
  }
  out.content += blanks_;
  out.content += text.substr(0, last + 1);
  blanks_ = text.substr(last + 1);
}

bool ToolParser::add(ToolPiece& out, std::string name, std::string_view arguments) {
  const auto parsed = model::constraint::parse_ordered(arguments);
  if (name.empty() || !parsed || !parsed->is_object()) return false;
  blanks_.clear();
  out.calls.push_back({.index = calls_++, .id = {}, .name = std::move(name), .arguments = to_text(*parsed)});
  return true;
}

bool ToolParser::call_of_json(ToolPiece& out, std::string_view body, bool known_only) {
  const auto parsed = model::constraint::parse_ordered(trimmed(body));
  if (!parsed || !parsed->is_object()) return false;
  const auto name = parsed->find("name");
  auto arguments = parsed->find("arguments");
  if (arguments == parsed->end()) arguments = parsed->find("parameters");
  if (name == parsed->end() || !name->is_string() || arguments == parsed->end()) return false;
  const bool is_known = std::find(names_.begin(), names_.end(), name->get<std::string>()) != names_.end();
  if (known_only && !is_known) return false;
  // Some models write the object as a text.
  return add(out, name->get<std::string>(),
             arguments->is_string() ? arguments->get<std::string>() : to_text(*arguments));
}

bool ToolParser::call(ToolPiece& out, std::string_view body) {
  if (form_ == ToolForm::kHermes) return call_of_json(out, body, false);
  const std::size_t sep = body.find(kDeepseekSep);
  if (sep == std::string_view::npos) return false;
  const std::string_view before = trimmed(body.substr(0, sep));
  const std::string_view after = trimmed(body.substr(sep + kDeepseekSep.size()));
  constexpr std::string_view kFence = "```json", kFenceEnd = "```";
  const std::size_t fence = after.find(kFence);
  if (before != "function" || fence == std::string_view::npos) return add(out, std::string(before), after);
  const std::string_view rest = after.substr(fence + kFence.size());
  const std::size_t end = rest.rfind(kFenceEnd);
  return end != std::string_view::npos &&
         add(out, std::string(trimmed(after.substr(0, fence))), rest.substr(0, end));
}

void ToolParser::push_marked(ToolPiece& out) {
  while (true) {
    if (is_inside_) {
      const std::size_t end = buffer_.find(close_, searched_);
      if (end == std::string::npos) {
        searched_ = buffer_.size() - std::min(buffer_.size(), close_.size() - 1);
        return;
      }
      if (!call(out, std::string_view(buffer_).substr(0, end))) {
        content(out, open_ + buffer_.substr(0, end) + close_);
      }
      buffer_.erase(0, end + close_.size());
      is_inside_ = false;
      continue;
    }
    std::size_t first = buffer_.find(open_);
    std::string_view mark = open_;
    std::size_t kept = begun(buffer_, open_);
    for (const std::string& silent : silent_) {
      const std::size_t at = buffer_.find(silent);
      if (at < first) first = at, mark = silent;
      kept = std::max(kept, begun(buffer_, silent));
    }
    if (first == std::string::npos) {
      content(out, std::string_view(buffer_).substr(0, buffer_.size() - kept));
      buffer_.erase(0, buffer_.size() - kept);
      return;
    }
    content(out, std::string_view(buffer_).substr(0, first));
    is_inside_ = mark == open_;
    buffer_.erase(0, first + mark.size());
    searched_ = 0;
  }
}

// The answer is calls from its first letter on, or none.
void ToolParser::push_llama(ToolPiece& out) {
  if (!is_plain_ && !is_inside_) {
    const std::size_t begin = buffer_.find_first_not_of(kBlanks);
    if (begin == std::string::npos) return;
    const std::string_view text = std::string_view(buffer_).substr(begin);
    if (text.size() < kPythonTag.size() && kPythonTag.starts_with(text)) return;
    is_inside_ = text.starts_with('{') || text.starts_with(kPythonTag);
    is_plain_ = !is_inside_;
  }
  if (is_plain_) content(out, std::exchange(buffer_, {}));
}

// Objects, with semicolons or blanks between them; all of them are calls, or there is none.
bool ToolParser::llama_calls(ToolPiece& out) {
  std::string_view rest = trimmed(buffer_);
  if (rest.starts_with(kPythonTag)) rest = trimmed(rest.substr(kPythonTag.size()));
  const std::size_t calls = calls_;
  while (!rest.empty()) {
    const std::size_t end = rest.starts_with('{') ? object_end(rest) : 0;
    if (end == 0 || !call_of_json(out, rest.substr(0, end), true)) break;
    rest = trimmed(rest.substr(end));
    if (rest.starts_with(';')) rest = trimmed(rest.substr(1));
  }
  if (rest.empty() && calls_ > calls) return true;
  calls_ = calls;
  out.calls.clear();
  return false;
}

ToolPiece ToolParser::push(std::string_view text) {
  ToolPiece out;
  buffer_ += text;
  if (is_forced_) return out;
  if (form_ == ToolForm::kLlama) {
    push_llama(out);
  } else if (!open_.empty()) {
    push_marked(out);
  } else {
    content(out, std::exchange(buffer_, {}));
  }
  return out;
}

ToolPiece ToolParser::finish() {
  ToolPiece out;
  const std::string text = std::exchange(buffer_, {});
  bool is_call = false;
  if (is_forced_) {
    is_call = forced_name_.empty() ? call_of_json(out, text, true) : add(out, forced_name_, trimmed(text));
  } else if (is_inside_ && form_ == ToolForm::kLlama) {
    buffer_ = text;
    is_call = llama_calls(out);
    buffer_.clear();
  } else if (is_inside_) {
    is_call = call(out, text);
  }
  if (!is_call) content(out, is_inside_ && form_ != ToolForm::kLlama && !is_forced_ ? open_ + text : text);
  is_inside_ = false;
  if (calls_ == 0) out.content += blanks_;
  blanks_.clear();
  return out;
}

}  // namespace adit::miner::openai
