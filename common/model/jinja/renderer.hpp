// SPDX-License-Identifier: MIT
// common/model/jinja/renderer.hpp
//
// Runs a parsed template.
//
// In       scopes: the variables of the template, in the outermost scope; what the template sets stays there.
// Errors   throws Fault.
// Threads  one.
// Tests    tests/unit/common/model/chat_template_test.cpp
#pragma once

#include <string>

#include "common/model/jinja/ast.hpp"
#include "common/model/jinja/evaluator.hpp"

namespace adit::model::jinja {

[[nodiscard]] std::string render(const Body& body, Scopes& scopes);

}  // namespace adit::model::jinja
