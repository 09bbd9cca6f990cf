// SPDX-License-Identifier: MIT
// common/model/jinja/ast.hpp
//
// A parsed template: a list of statements over expressions.
//
// Out      trees no deeper than kDepthMax, so that walking and freeing them may recurse.
// Threads  const after parsing.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace adit::model::jinja {

inline constexpr int kDepthMax = 150;

enum class ExprKind : std::uint8_t {
  kLiteral,      // string, integer, floating point number, true, false, none
  kName,         // text
  kList,         // args
  kDict,         // args: key, value, key, value, …
  kAttribute,    // args[0] . text
  kIndex,        // args[0] [ args[1] ]
  kSlice,        // args[0] [ args[1] : args[2] : args[3] ], absent parts are null
  kCall,         // text ( args, named ): a function or a macro
  kMethod,       // args[0] . text ( args[1…], named )
  kFilter,       // args[0] | text ( args[1…], named )
  kTest,         // args[0] is text ( args[1…] )
  kUnary,        // text: not, -, +
  kBinary,       // text: + - * / // % ** ~ and or
  kCompare,      // args[0] op args[1] op …; ops in names
  kConditional,  // args[0] if args[1] else args[2] (null: undefined)
};

enum class LiteralKind : std::uint8_t { kString, kInteger, kFloat, kTrue, kFalse, kNone };

struct Expr {
  ExprKind kind;
  int line;
  int depth = 1;
  LiteralKind literal = LiteralKind::kNone;
  std::int64_t integer = 0;
  double number = 0;
  std::string text;
  std::vector<std::unique_ptr<Expr>> args;
  // Names of the last arguments (calls and filters), or the operators of a comparison.
  std::vector<std::string> names;
};
using ExprPtr = std::unique_ptr<Expr>;

enum class NodeKind : std::uint8_t {
  kText,
  kOutput,
  kIf,
  kFor,
  kSet,
  kSetBlock,    // targets[0] = what bodies[0] writes
  kMacro,       // targets: name, parameters; conditions: their defaults, absent ones null; bodies[0]
  kGeneration,  // bodies[0], with a scope of its own
  kBreak,
  kContinue,
};

struct Node;
using Body = std::vector<Node>;

struct Node {
  NodeKind kind;
  int line;
  std::string text;                  // kText
  ExprPtr expr;                      // kOutput: what; kFor: over what; kSet: value
  ExprPtr filter;                    // kFor: if …
  std::vector<std::string> targets;  // kFor, kSet; kSet of an attribute: {name, attribute}
  bool attribute = false;            // kSet, kSetBlock
  std::vector<ExprPtr> conditions;   // kIf: one for each branch but an else
  std::vector<Body> bodies;          // kIf: branches; kFor: body, else
};

}  // namespace adit::model::jinja
