// SPDX-License-Identifier: MIT
// common/model/jinja/fault.hpp
//
// How the template interpreter stops: thrown inside common/model/jinja, caught by render_chat.
//
// Errors   code and a message without the "chat template: line N: " in front.
// Threads  plain value.
#pragma once

#include <stdexcept>
#include <string>

#include "common/base/result.hpp"

namespace adit::model::jinja {

class Fault : public std::runtime_error {
 public:
  Fault(ErrorCode code, int line, const std::string& message)
      : std::runtime_error(message), code_(code), line_(line) {}
  [[nodiscard]] ErrorCode code() const { return code_; }
  [[nodiscard]] int line() const { return line_; }

 private:
  ErrorCode code_;
  int line_;
};

// Bad template, bad types, raise_exception.
template <class... Args>
[[noreturn]] void fail(int line, fmt::format_string<Args...> format, Args&&... args) {
  throw Fault(ErrorCode::kInvalidArgument, line, fmt::format(format, std::forward<Args>(args)...));
}
// A part of Jinja that the subset leaves out.
template <class... Args>
[[noreturn]] void refuse(int line, fmt::format_string<Args...> format, Args&&... args) {
  throw Fault(ErrorCode::kUnimplemented, line, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace adit::model::jinja
