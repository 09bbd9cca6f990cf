// SPDX-License-Identifier: MIT
// miner/openai/field_reader.hpp
//
// Reads the fields of one JSON object, says which one is wrong, and finds those that nobody asked for.
//
// Use      construct, read every field, finish(). The first error is kept in the shared `error` and later ones
//          are dropped, so callers read on without looking.
// In       null counts as absent, as OpenAI's clients send it.
// Errors   ApiError 400 with the field's path as param.
// Threads  one thread.
// Tests    tests/unit/miner/openai/request_test.cpp
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "miner/openai/api_error.hpp"
#include "miner/openai/json.hpp"

namespace adit::miner::openai {

class FieldReader {
 public:
  // `path` is the object's own, empty at the top. `object` must outlive the reader.
  FieldReader(const Json& object, std::string path, std::optional<ApiError>& error);

  // Null when absent.
  const Json* find(std::string_view key);
  std::optional<double> number(std::string_view key, double min, double max);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t min, std::int64_t max);
  std::optional<bool> boolean(std::string_view key);
  std::optional<std::string> text(std::string_view key);
  // Known, and of no consequence here.
  void ignore(std::initializer_list<std::string_view> keys);
  // Known, and refused unless it says nothing: null, false, 0, "", [] or {}.
  void refuse(std::string_view key, std::string_view reason);
  void fail(std::string_view key, std::string message);
  // Fields that were not asked for are errors.
  void finish();

  [[nodiscard]] std::string path_of(std::string_view key) const;

 private:
  const Json& object_;
  std::string path_;
  std::optional<ApiError>& error_;
  std::vector<std::string_view> known_;
};

}  // namespace adit::miner::openai
