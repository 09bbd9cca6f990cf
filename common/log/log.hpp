// SPDX-License-Identifier: MIT
// common/log/log.hpp
//
// Structured logging: a static event name and key=value fields, one line an event.
//
//   ADIT_LOG(kInfo, "answer_rejected", {"uid", uid}, {"verdict", name(verdict)}, {"latency_ms", ms});
//
// Out      stderr unless Options says otherwise. A terminal gets text (`time level event key=value …`),
//          anything else JSON lines ({"time":…,"level":…,"event":…,<fields>}). Times are UTC.
// Rules    Event names are snake_case and unique in the program. A stranger's packet may cause a debug line
//          at most; info is for step boundaries; error means that the operator must act. Field values are
//          escaped, so that nobody outside can forge a line. Types without a Value conversion (secrets) do
//          not compile.
// Errors   init: kInvalidArgument for an unknown level in ADIT_LOG (the variable); logging itself never
//          fails.
// Threads  any, after init; init itself once, from main or a test.
// Tests    tests/unit/common/log/log_test.cpp
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <string>
#include <string_view>
#include <variant>

#include "common/base/result.hpp"

namespace adit::log {

enum class Level : std::uint8_t { kTrace = 0, kDebug = 1, kInfo = 2, kWarn = 3, kError = 4, kOff = 5 };
enum class Format : std::uint8_t { kAuto, kText, kJson };

// "trace" … "off"; static storage.
[[nodiscard]] std::string_view name(Level level);
[[nodiscard]] Result<Level> parse_level(std::string_view text);

struct Options {
  Level level = Level::kInfo;      // used when the variable ADIT_LOG is unset
  Format format = Format::kAuto;   // kAuto: text if stderr is a terminal, else JSON
  std::ostream* stream = nullptr;  // instead of stderr; must outlive all logging (tests)
};

// Replaces the process's logger. Without it the defaults of Options hold.
[[nodiscard]] Result<void> init(const Options& options);

// One field's value. Integers keep their signedness; texts are borrowed for the call.
class Value {
 public:
  template <class T>
    requires std::same_as<T, bool>
  Value(T v) : value_(v) {}  // NOLINT(google-explicit-constructor): a field is written in braces
  template <class T>
    requires(std::signed_integral<T> && !std::same_as<T, char>)
  Value(T v) : value_(static_cast<std::int64_t>(v)) {}  // NOLINT(google-explicit-constructor)
  template <class T>
    requires(std::unsigned_integral<T> && !std::same_as<T, bool>)
  Value(T v) : value_(static_cast<std::uint64_t>(v)) {}  // NOLINT(google-explicit-constructor)
  template <std::floating_point T>
  Value(T v) : value_(static_cast<double>(v)) {}  // NOLINT(google-explicit-constructor)
  template <class T>
    requires(std::convertible_to<const T&, std::string_view> && !std::same_as<T, std::nullptr_t>)
  Value(const T& v) : value_(std::string_view(v)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] const std::variant<bool, std::int64_t, std::uint64_t, double, std::string_view>& get() const {
    return value_;
  }

 private:
  std::variant<bool, std::int64_t, std::uint64_t, double, std::string_view> value_;
};

struct Field {
  std::string_view key;
  Value value;
};

// Is a line of this level written? Cheap; ADIT_LOG asks before it evaluates fields.
[[nodiscard]] bool enabled(Level level);
void write(Level level, std::string_view event, std::initializer_list<Field> fields);
// Writes out what is buffered (before a process ends).
void flush();

}  // namespace adit::log

#define ADIT_LOG(level, event, ...)                                        \
  do {                                                                     \
    if (::adit::log::enabled(::adit::log::Level::level))                   \
      ::adit::log::write(::adit::log::Level::level, event, {__VA_ARGS__}); \
  } while (false)
