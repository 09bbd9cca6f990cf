// SPDX-License-Identifier: MIT
#include "miner/openai/request.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/core.h>

#include "common/base/limits.hpp"
#include "common/model/logprobs.hpp"
#include "common/model/stop_text.hpp"
#include "miner/openai/field_reader.hpp"
#include "miner/openai/json.hpp"

namespace adit::miner::openai {
namespace {

constexpr double kTemperatureMax = limits::kTemperatureMilliMax / 1000.0;
constexpr std::string_view kNotInNumerics =
    "not part of numerics version 1 (kernels/NUMERICS.md, \"Sampling\")";

std::uint32_t rounded(double value, std::uint32_t units) {
  return static_cast<std::uint32_t>(std::lround(value * units));
}

void read_sampling(FieldReader& from, ApiRequest& out) {
  if (const auto t = from.number("temperature", 0, kTemperatureMax))
    out.sampling.temperature_milli = rounded(*t, 1000);
  if (const auto p = from.number("top_p", 0, 1)) {
    out.sampling.top_p_65536 = std::max(1U, rounded(*p, model::kTopPOff));
  }
  if (const auto p = from.number("min_p", 0, 1)) out.sampling.min_p_65536 = rounded(*p, model::kTopPOff);
  if (const auto k = from.integer("top_k", -1, limits::kVocabularyMax)) {
    out.sampling.top_k = static_cast<std::uint32_t>(std::max<std::int64_t>(*k, 0));
  }
  if (const auto seed = from.integer("seed", INT64_MIN, INT64_MAX))
    out.seed = static_cast<std::uint64_t>(*seed);
  for (const std::string_view key : {"frequency_penalty", "presence_penalty", "logit_bias"}) {
    from.refuse(key, kNotInNumerics);
  }
}

void read_stop(FieldReader& from, ApiRequest& out) {
  const Json* stop = from.find("stop");
  if (stop == nullptr) return;
  if (stop->is_string()) {
    out.stop.push_back(stop->get<std::string>());
  } else if (stop->is_array()) {
    for (const Json& each : *stop) {
      if (!each.is_string()) return from.fail("stop", "expected a string or a list of strings");
      out.stop.push_back(each.get<std::string>());
    }
  } else {
    return from.fail("stop", "expected a string or a list of strings");
  }
  const auto made = model::StopText::make(out.stop);
  if (!made) from.fail("stop", made.error().message);
}

void read_common(FieldReader& from, ApiRequest& out) {
  if (auto name = from.text("model")) {
    out.model = *std::move(name);
  } else {
    from.fail("model", "expected the name of a model (GET /v1/models lists them)");
  }
  read_sampling(from, out);
  read_stop(from, out);
  if (const auto n = from.integer("n", 1, kChoicesMax)) out.choices = static_cast<std::uint32_t>(*n);
  out.stream = from.boolean("stream").value_or(false);
  std::optional<ApiError> error;
  if (const Json* options = from.find("stream_options"); options != nullptr) {
    if (!out.stream) from.fail("stream_options", "only with stream: true");
    FieldReader reader(*options, "stream_options", error);
    out.include_usage = reader.boolean("include_usage").value_or(false);
    reader.ignore({"include_obfuscation"});
    reader.finish();
    if (error) from.fail("stream_options", error->message);
  }
  from.ignore({"user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key",
               "prompt_cache_retention"});
}

void read_max_tokens(FieldReader& from, ApiRequest& out, std::string_view key) {
  if (const auto max = from.integer(key, 1, limits::kNewTokensMax))
    out.max_tokens = static_cast<std::uint32_t>(*max);
}

// The text of a message: a string, or text parts one after the other.
std::optional<std::string> content_of(const Json* content) {
  if (content == nullptr) return std::nullopt;
  if (content->is_string()) return content->get<std::string>();
  if (!content->is_array() || content->empty()) return std::nullopt;
  std::string out;
  for (const Json& part : *content) {
    if (!part.is_object() || part.size() != 2 || part.value("type", Json()) != "text") return std::nullopt;
    const Json text = part.value("text", Json());
    if (!text.is_string()) return std::nullopt;
    out += text.get<std::string>();
  }
  return out;
}

std::optional<ApiError> read_message(const Json& message, const std::string& path, ApiRequest& out) {
  std::optional<ApiError> error;
  FieldReader from(message, path, error);
  std::string role = from.text("role").value_or("");
  if (role == "developer") role = "system";
  if (role != "system" && role != "user" && role != "assistant" && role != "tool") {
    from.fail("role", "expected system, developer, user, assistant or tool");
  }
  Json more = read_tool_fields(from, role, path, error);
  if (!more.is_null()) out.tools.in_history = true;
  const Json* given = from.find("content");
  std::optional<std::string> content = content_of(given);
  if (given == nullptr && more.contains("tool_calls")) content = "";
  if (!content) from.fail("content", "expected a string or a list of text parts");
  const std::optional<std::string> name = role == "tool" ? from.text("name") : std::nullopt;
  if (name) more["name"] = *name;
  from.refuse("name", "chat templates have no place for names");
  from.ignore({"refusal", "audio", "annotations"});
  from.finish();
  if (!error) {
    out.messages.push_back({std::move(role), *std::move(content), more.is_null() ? std::string() : to_text(more)});
  }
  return error;
}

std::optional<ApiError> read_messages(const Json* messages, ApiRequest& out) {
  if (messages == nullptr || !messages->is_array() || messages->empty()) {
    return wrong_field("messages", "expected a list of at least one message");
  }
  if (messages->size() > limits::kChatMessagesMax) {
    return wrong_field("messages", fmt::format("more than {} messages", limits::kChatMessagesMax));
  }
  for (std::size_t i = 0; i < messages->size(); ++i) {
    if (auto error = read_message((*messages)[i], fmt::format("messages[{}]", i), out)) return error;
  }
  return std::nullopt;
}

void read_response_format(FieldReader& from, ApiRequest& out, std::optional<ApiError>& error) {
  const Json* format = from.find("response_format");
  if (format == nullptr) return;
  FieldReader reader(*format, "response_format", error);
  const std::string type = reader.text("type").value_or("");
  if (type == "json_object") out.schema = R"({"type":"object"})";
  if (type == "json_schema") {
    const Json* outer = reader.find("json_schema");
    if (outer == nullptr) return reader.fail("json_schema", "expected an object with a schema");
    FieldReader inner(*outer, "response_format.json_schema", error);
    const Json* schema = inner.find("schema");
    if (schema == nullptr) {
      inner.fail("schema", "expected a JSON schema");
    } else {
      out.schema = to_text(*schema);
    }
    inner.ignore({"name", "description", "strict"});
    inner.finish();
  } else if (type != "text" && type != "json_object") {
    reader.fail("type", "expected text, json_object or json_schema");
  }
  reader.finish();
}

void read_chat(const Json& body, ApiRequest& out, std::optional<ApiError>& error) {
  FieldReader from(body, "", error);
  if (!error) read_common(from, out);
  auto wrong = read_messages(from.find("messages"), out);
  if (wrong && !error) error = std::move(wrong);
  read_max_tokens(from, out, "max_tokens");
  read_max_tokens(from, out, "max_completion_tokens");
  const bool logprobs = from.boolean("logprobs").value_or(false);
  const auto top = from.integer("top_logprobs", 0, model::kTopLogprobsMax);
  if (top && !logprobs) from.fail("top_logprobs", "only with logprobs: true");
  if (logprobs) out.top_logprobs = static_cast<int>(top.value_or(0));
  read_response_format(from, out, error);
  const bool has_history = out.tools.in_history;
  out.tools = read_tools(from, error);
  out.tools.in_history = has_history;
  from.refuse("functions", "the older form: send tools");
  if (out.tools.is_active() && logprobs) from.fail("logprobs", "not together with tools");
  if (out.tools.is_active() && !out.schema.empty()) from.fail("response_format", "not together with tools");
  for (const std::string_view key :
       {"audio", "prediction", "web_search_options", "reasoning_effort", "verbosity"}) {
    from.refuse(key, "the models served here have no such thing");
  }
  from.ignore({"function_call"});
  const Json* modalities = from.find("modalities");
  if (modalities != nullptr && *modalities != Json::array({"text"})) from.fail("modalities", "only text");
  from.finish();
}

bool read_ids(const Json& list, std::vector<TokenId>& out) {
  for (const Json& id : list) {
    if (!id.is_number_integer() || id < 0 || id > limits::kVocabularyMax) return false;
    out.push_back(id.get<TokenId>());
  }
  return true;
}

// A string, a list of strings, a list of ids, or a list of lists of ids.
bool read_prompts(const Json& prompt, std::vector<Prompt>& out) {
  if (prompt.is_string()) {
    out.emplace_back(prompt.get<std::string>());
    return true;
  }
  if (!prompt.is_array() || prompt.empty()) return false;
  if (prompt.front().is_number())
    return read_ids(prompt, std::get<1>(out.emplace_back(std::vector<TokenId>())));
  for (const Json& each : prompt) {
    if (each.is_string()) {
      out.emplace_back(each.get<std::string>());
    } else if (!each.is_array() || !read_ids(each, std::get<1>(out.emplace_back(std::vector<TokenId>())))) {
      return false;
    }
  }
  return true;
}

void read_completions(const Json& body, ApiRequest& out, std::optional<ApiError>& error) {
  FieldReader from(body, "", error);
  if (!error) read_common(from, out);
  const Json* prompt = from.find("prompt");
  if (prompt == nullptr || !read_prompts(*prompt, out.prompts)) {
    from.fail("prompt", "expected a string, a list of strings, a list of token ids, or a list of such lists");
  }
  if (out.prompts.size() > kPromptsMax || out.prompts.size() * out.choices > kAnswersMax) {
    from.fail("prompt", fmt::format("more than {} answers in one request", kAnswersMax));
  }
  out.max_tokens = 16;
  read_max_tokens(from, out, "max_tokens");
  if (const auto top = from.integer("logprobs", 0, model::kTopLogprobsMax))
    out.top_logprobs = static_cast<int>(*top);
  read_response_format(from, out, error);
  from.refuse("echo", "the prompt's own log-probabilities are not computed");
  from.refuse("suffix", "the models served here only go on at the end");
  const auto best_of = from.integer("best_of", 1, kChoicesMax);
  if (best_of && *best_of != out.choices) from.fail("best_of", "expected the same as n");
  from.finish();
}

}  // namespace

ApiResult<ApiRequest> parse_request(Endpoint endpoint, std::string_view body) {
  const auto parsed = model::constraint::parse_ordered(body);
  if (!parsed) return tl::unexpected(ApiError{.message = "body: " + parsed.error().message});
  const Json& json = *parsed;
  ApiRequest out;
  out.endpoint = endpoint;
  std::optional<ApiError> error;
  endpoint == Endpoint::kChat ? read_chat(json, out, error) : read_completions(json, out, error);
  if (error) return tl::unexpected(*std::move(error));
  return out;
}

}  // namespace adit::miner::openai
