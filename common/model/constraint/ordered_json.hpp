// SPDX-License-Identifier: MIT
// common/model/constraint/ordered_json.hpp
//
// JSON of strangers that keeps the order of its keys, read within bounds.
//
// In       text of at most the caller's bytes.
// Out      parse_ordered: the value. to_text: without blanks; bytes that are not UTF-8 become U+FFFD.
// Errors   kInvalidArgument: not JSON (with the byte), a key twice in one object; kResourceExhausted: deeper
//          than kJsonDepthMax, more than kJsonKeysMax keys in one object.
// Threads  pure.
// Tests    tests/unit/common/model/constraint/schema_test.cpp
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "common/base/result.hpp"

namespace adit::model::constraint {

using Json = nlohmann::ordered_json;

inline constexpr std::size_t kJsonDepthMax = 64;
// Keys are found one after the other in an ordered object, so their number is bounded.
inline constexpr std::size_t kJsonKeysMax = 2048;

[[nodiscard]] Result<Json> parse_ordered(std::string_view text);

[[nodiscard]] inline std::string to_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace adit::model::constraint
