// SPDX-License-Identifier: MIT
#include "miner/openai/api_error.hpp"

#include <utility>

#include "miner/openai/json.hpp"

namespace adit::miner::openai {

std::string ApiError::body() const {
  const auto or_null = [](const std::optional<std::string>& text) {
    return text ? Json(*text) : Json(nullptr);
  };
  return to_text(
      {{"error",
        {{"message", message}, {"type", type}, {"param", or_null(param)}, {"code", or_null(code)}}}});
}

ApiError wrong_field(std::string param, std::string message) {
  ApiError out{.message = param + ": " + std::move(message)};
  out.param = std::move(param);
  return out;
}

ApiError api_error(const Error& error, std::optional<std::string> param) {
  ApiError out{.message = error.message, .param = std::move(param)};
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kUnimplemented:
    case ErrorCode::kFailedPrecondition:
      return out;
    case ErrorCode::kResourceExhausted:
      out.status = 429;
      out.type = "rate_limit_error";
      out.code = "engine_busy";
      return out;
    case ErrorCode::kUnavailable:
      out.status = 503;
      out.type = "server_error";
      out.code = "unavailable";
      return out;
    default:
      out.status = 500;
      out.type = "server_error";
      return out;
  }
}

}  // namespace adit::miner::openai
