// SPDX-License-Identifier: MIT
// common/model/json_scanner.hpp
//
// Reads large JSON as it stands, without a tree: the big lists of tokenizer.json in one pass.
//
// In       any bytes. The caller walks: object() or array(), then more() before each entry, key() in objects.
// Out      values in order; raw() passes over a value of any kind and gives its text.
// Errors   every function gives false from the first mistake on; error() says where: "offset N: not JSON",
//          "offset N: nested deeper than 16 levels".
// Threads  one.
// Source   RFC 8259
// Tests    tests/unit/common/model/json_scanner_test.cpp
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace adit::model {

inline constexpr int kJsonDepthMax = 16;

class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : text_(text) {}

  [[nodiscard]] bool object() { return open('{'); }
  [[nodiscard]] bool array() { return open('['); }
  // Is there another entry in the innermost object or array? Takes the comma, or the closing bracket.
  [[nodiscard]] bool more();
  [[nodiscard]] bool key(std::string& out);
  [[nodiscard]] bool string(std::string& out);
  [[nodiscard]] bool integer(std::int64_t& out);
  [[nodiscard]] bool raw(std::string_view& out);
  // Is this the next byte that is not blank?
  [[nodiscard]] bool next_is(char c);
  // Nothing but blanks is left.
  [[nodiscard]] bool done();

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] std::string error() const;

 private:
  bool open(char bracket);
  bool fail();
  void blanks();
  bool escape(std::string& out);
  bool hex4(std::uint32_t& out);
  bool literal();

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool fresh_ = false;  // nothing of the innermost object or array was read yet
  bool failed_ = false;
  bool too_deep_ = false;
};

}  // namespace adit::model
