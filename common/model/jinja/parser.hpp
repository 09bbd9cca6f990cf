// SPDX-License-Identifier: MIT
// common/model/jinja/parser.hpp
//
// Tokens to statements. What the subset leaves out (macros, include, raw, …) is refused by name.
//
// Errors   throws Fault with the line.
// Threads  pure.
// Source   the grammar of Jinja2 3.1
// Tests    tests/unit/common/model/chat_template_test.cpp
#pragma once

#include <string_view>

#include "common/model/jinja/ast.hpp"

namespace adit::model::jinja {

[[nodiscard]] Body parse(std::string_view source);

}  // namespace adit::model::jinja
