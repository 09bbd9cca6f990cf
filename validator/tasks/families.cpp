// SPDX-License-Identifier: MIT
#include "validator/tasks/families.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "validator/tasks/word_table.hpp"

namespace adit::validator {
namespace {

constexpr std::string_view kOneNumber = "Reply with 1 number.";

// Uniform in [low, high].
std::int64_t between(SeededRng& rng, std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(high - low + 1)));
}

void make_capital(SeededRng& rng, std::uint32_t, Task& task) {
  const Capital& pick = kCapitals[rng.below(kCapitals.size())];
  task.prompt = fmt::format("What is the capital of {}? Answer with one word.", pick.country);
  task.answer = pick.capital;
}

void make_copy(SeededRng& rng, std::uint32_t level, Task& task) {
  for (std::uint32_t i = 0; i < level + 1; ++i) {
    if (i > 0) task.answer += ' ';
    task.answer += kWords[rng.below(kWords.size())];
  }
  task.prompt =
      fmt::format("The words are: {}. Repeat the words in this order and write nothing else.", task.answer);
}

void make_chain(SeededRng& rng, std::uint32_t level, Task& task) {
  std::int64_t value = between(rng, 2, level == 2 ? 12 : 9);
  std::string text = std::to_string(value);
  if (level == 2) {
    const std::int64_t factor = between(rng, 2, 13);
    text += fmt::format(" * {}", factor);
    value *= factor;
  } else {
    const std::uint32_t terms = std::max<std::uint32_t>(level, 2);
    for (std::uint32_t i = 1; i < terms; ++i) {
      const std::int64_t term = between(rng, 10, 40);
      const bool minus = i > 1 && rng.below(2) == 1;
      text += fmt::format(" {} {}", minus ? '-' : '+', term);
      value += minus ? -term : term;
    }
  }
  task.prompt = fmt::format("What is {}? {}", text, kOneNumber);
  task.answer = std::to_string(value);
}

void make_max(SeededRng& rng, std::uint32_t level, Task& task) {
  std::int64_t largest = 0;
  std::string text;
  const std::uint32_t count = level + 2;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::int64_t number = between(rng, 10, level <= 2 ? 99 : 199);
    largest = std::max(largest, number);
    if (i > 0) text += i + 1 == count ? " and " : ", ";
    text += std::to_string(number);
  }
  task.prompt = fmt::format("Which of the numbers {} is the largest? {}", text, kOneNumber);
  task.answer = std::to_string(largest);
}

void make_trace(SeededRng& rng, std::uint32_t level, Task& task) {
  std::array<std::int64_t, 2> value = {between(rng, 2, 20), between(rng, 2, 20)};
  constexpr std::array<char, 2> kNames = {'x', 'y'};
  std::string text = fmt::format("x = {}\ny = {}\n", value[0], value[1]);
  std::size_t target = 0;
  for (std::uint32_t i = 0; i < level; ++i) {
    target = rng.below(2);
    const std::size_t source = rng.below(2);
    const std::int64_t constant = between(rng, 2, 20);
    const bool minus = rng.below(2) == 1;
    value[target] = value[source] + (minus ? -constant : constant);
    text += fmt::format("{} = {} {} {}\n", kNames[target], kNames[source], minus ? '-' : '+', constant);
  }
  task.prompt = fmt::format("A program runs these lines:\n{}What is the value of {} at the end? {}", text,
                            kNames[target], kOneNumber);
  task.answer = std::to_string(value[target]);
}

constexpr std::array<TaskFamily, 5> kFamilies = {{
    {"facts.capital", 1, AnswerType::kWord, make_capital},
    {"text.copy", 4, AnswerType::kWords, make_copy},
    {"arithmetic.chain", 5, AnswerType::kInteger, make_chain},
    {"numbers.max", 4, AnswerType::kInteger, make_max},
    {"program.trace", 5, AnswerType::kInteger, make_trace},
}};

}  // namespace

std::span<const TaskFamily> task_families() { return kFamilies; }

const TaskFamily* find_family(std::string_view name) {
  const auto* it = std::find_if(kFamilies.begin(), kFamilies.end(),
                                [&](const TaskFamily& family) { return family.name == name; });
  return it == kFamilies.end() ? nullptr : it;
}

AnswerType answer_type(std::string_view family) {
  const TaskFamily* found = find_family(family);
  return found == nullptr ? AnswerType::kInteger : found->type;
}

}  // namespace adit::validator
