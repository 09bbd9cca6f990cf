// SPDX-License-Identifier: MIT
// miner/openai/api_error.hpp
//
// What went wrong, in the form that OpenAI's clients understand.
//
// Out      body: {"error":{"message","type","param","code"}}; param and code are null when they do not apply.
// Threads  plain values.
// Source   the error object of OpenAI's API reference
// Tests    tests/unit/miner/openai/request_test.cpp
#pragma once

#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "common/base/result.hpp"

namespace adit::miner::openai {

struct ApiError {
  int status = 400;
  std::string message;
  std::string type = "invalid_request_error";
  std::optional<std::string> param{};
  std::optional<std::string> code{};

  [[nodiscard]] std::string body() const;
};

template <class T>
using ApiResult = tl::expected<T, ApiError>;

// The field `param` is what is wrong.
[[nodiscard]] ApiError wrong_field(std::string param, std::string message);
// An error of the engine or of another module, by its code.
[[nodiscard]] ApiError api_error(const Error& error, std::optional<std::string> param = std::nullopt);

}  // namespace adit::miner::openai
