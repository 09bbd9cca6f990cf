// SPDX-License-Identifier: MIT
#include "common/log/log.hpp"

#include <array>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <utility>

#include <nlohmann/json.hpp>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

namespace adit::log {
namespace {

constexpr std::array<std::string_view, 6> kNames{"trace", "debug", "info", "warn", "error", "off"};
constexpr std::string_view kTextPattern = "%Y-%m-%dT%H:%M:%S.%eZ %l %v";
constexpr std::string_view kJsonPattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";

struct Logger {
  std::shared_ptr<spdlog::logger> sink;
  bool json = false;
};

std::mutex guard_mutex;                 // guards the replacement of `current`
std::shared_ptr<const Logger> current;  // read and written under guard_mutex
std::atomic<std::uint8_t> threshold{static_cast<std::uint8_t>(Level::kInfo)};

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kTrace: return spdlog::level::trace;
    case Level::kDebug: return spdlog::level::debug;
    case Level::kInfo: return spdlog::level::info;
    case Level::kWarn: return spdlog::level::warn;
    case Level::kError: return spdlog::level::err;
    case Level::kOff: return spdlog::level::off;
  }
  return spdlog::level::off;
}

std::shared_ptr<const Logger> make_logger(const Options& options) {
  spdlog::sink_ptr sink;
  if (options.stream != nullptr) {
    sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(*options.stream, true);
  } else {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  }
  const bool terminal = options.stream == nullptr && isatty(STDERR_FILENO) == 1;
  auto made = std::make_shared<Logger>();
  made->json = options.format == Format::kJson || (options.format == Format::kAuto && !terminal);
  made->sink = std::make_shared<spdlog::logger>("adit", std::move(sink));
  const std::string pattern(made->json ? kJsonPattern : kTextPattern);
  made->sink->set_formatter(
      std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
  made->sink->set_level(spdlog::level::trace);
  made->sink->flush_on(spdlog::level::warn);
  return made;
}

std::shared_ptr<const Logger> logger() {
  const std::lock_guard lock(guard_mutex);
  if (!current) current = make_logger(Options{});
  return current;
}

std::string json_text(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool is_plain(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (u <= ' ' || u >= 0x7f || c == '"' || c == '\\' || c == '=') return false;
  }
  return true;
}

std::string number_text(double value, bool json) {
  if (std::isfinite(value)) return fmt::format("{}", value);
  const std::string text = fmt::format("{}", value);
  return json ? json_text(text) : text;
}

std::string value_text(const Value& value, bool json) {
  return std::visit(
      [json](const auto& v) -> std::string {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, std::string_view>) {
          return !json && is_plain(v) ? std::string(v) : json_text(v);
        } else if constexpr (std::is_same_v<T, double>) {
          return number_text(v, json);
        } else {
          return fmt::format("{}", v);
        }
      },
      value.get());
}

}  // namespace

std::string_view name(Level level) { return kNames.at(static_cast<std::size_t>(level)); }

Result<Level> parse_level(std::string_view text) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (text == kNames[i]) return static_cast<Level>(i);
  }
  return invalid_argument("log level: expected trace, debug, info, warn, error or off, got '{}'", text);
}

Result<void> init(const Options& options) {
  Level level = options.level;
  if (const char* variable = std::getenv("ADIT_LOG"); variable != nullptr && *variable != '\0') {
    auto parsed = parse_level(variable);
    if (!parsed) return tl::unexpected<Error>(parsed.error().context("variable ADIT_LOG"));
    level = *parsed;
  }
  auto made = make_logger(options);
  const std::lock_guard lock(guard_mutex);
  current = std::move(made);
  threshold.store(static_cast<std::uint8_t>(level), std::memory_order_relaxed);
  return {};
}

bool enabled(Level level) {
  return level != Level::kOff &&
         static_cast<std::uint8_t>(level) >= threshold.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  if (!enabled(level)) return;
  const std::shared_ptr<const Logger> to = logger();
  std::string line = to->json ? "\"event\":" + json_text(event) : std::string(event);
  for (const Field& field : fields) {
    if (to->json) {
      line += ',' + json_text(field.key) + ':' + value_text(field.value, true);
    } else {
      line += ' ';
      line += field.key;
      line += '=';
      line += value_text(field.value, false);
    }
  }
  to->sink->log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

void flush() { logger()->sink->flush(); }

}  // namespace adit::log
