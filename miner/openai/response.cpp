// SPDX-License-Identifier: MIT
#include "miner/openai/response.hpp"

#include <utility>

#include <fmt/core.h>

#include "common/model/unicode_classes.hpp"

namespace adit::miner::openai {
namespace {

std::string text_of(const Service& service, TokenId id) {
  return model::to_valid_utf8(service.tokenizer().piece(id));
}

Json token_entry(const Service& service, TokenId id, float logprob) {
  Json bytes = Json::array();
  for (const char byte : service.tokenizer().piece(id)) bytes.push_back(static_cast<std::uint8_t>(byte));
  return {{"token", text_of(service, id)}, {"logprob", logprob}, {"bytes", std::move(bytes)}};
}

Json usage_of(const Usage& usage) {
  return {{"prompt_tokens", usage.prompt_tokens},
          {"completion_tokens", usage.completion_tokens},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens}};
}

Json model_object(const Service& service, const ServedModel& served) {
  Json out{{"id", served.name},
           {"object", "model"},
           {"created", service.started_s()},
           {"owned_by", "adit"},
           {"pack", to_hex(service.pack().content_hash())},
           {"context", service.pack().config().context}};
  if (served.adapter) {
    out["parent"] = service.model_name();
    out["adapter"] = to_hex(served.adapter->content_hash());
  }
  return out;
}

}  // namespace

ResponseWriter::ResponseWriter(const Service& service, const ApiRequest& request)
    : service_(service),
      served_(*service.find(request.model)),
      endpoint_(request.endpoint),
      has_logprobs_(request.top_logprobs.has_value()),
      include_usage_(request.include_usage),
      id_(fmt::format("{}-{:016x}", request.endpoint == Endpoint::kChat ? "chatcmpl" : "cmpl",
                      service.random())),
      created_s_(service.now_s()) {}

Json ResponseWriter::head(const char* object) const {
  return {{"id", id_},
          {"object", object},
          {"created", created_s_},
          {"model", served_.name},
          {"system_fingerprint", served_.fingerprint}};
}

Json ResponseWriter::chat_logprobs(const std::vector<TokenEntry>& tokens) const {
  Json content = Json::array();
  for (const TokenEntry& entry : tokens) {
    const model::TokenLogprobs& logprobs = *entry.token.logprobs;
    Json json = token_entry(service_, entry.token.token, logprobs.logprob);
    Json top = Json::array();
    for (const model::TokenLogprob& each : logprobs.top)
      top.push_back(token_entry(service_, each.token, each.logprob));
    json["top_logprobs"] = std::move(top);
    content.push_back(std::move(json));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

Json ResponseWriter::completion_logprobs(const std::vector<TokenEntry>& tokens) const {
  Json texts = Json::array(), values = Json::array(), tops = Json::array(), offsets = Json::array();
  for (const TokenEntry& entry : tokens) {
    const model::TokenLogprobs& logprobs = *entry.token.logprobs;
    texts.push_back(text_of(service_, entry.token.token));
    values.push_back(logprobs.logprob);
    Json top = Json::object();
    for (const model::TokenLogprob& each : logprobs.top) top[text_of(service_, each.token)] = each.logprob;
    tops.push_back(std::move(top));
    offsets.push_back(entry.offset);
  }
  return {{"tokens", std::move(texts)},
          {"token_logprobs", std::move(values)},
          {"top_logprobs", std::move(tops)},
          {"text_offset", std::move(offsets)}};
}

Json ResponseWriter::logprobs(const std::vector<TokenEntry>& tokens) const {
  if (!has_logprobs_) return nullptr;
  return is_chat() ? chat_logprobs(tokens) : completion_logprobs(tokens);
}

std::string ResponseWriter::chunk(Json choice) const {
  Json out = head(is_chat() ? "chat.completion.chunk" : "text_completion");
  out["choices"] = Json::array({std::move(choice)});
  if (include_usage_) out["usage"] = nullptr;
  return to_text(out);
}

std::vector<std::string> ResponseWriter::first_chunks(std::size_t answers) const {
  std::vector<std::string> out;
  for (std::size_t i = 0; is_chat() && i < answers; ++i) {
    out.push_back(chunk({{"index", i},
                         {"delta", {{"role", "assistant"}, {"content", ""}}},
                         {"logprobs", nullptr},
                         {"finish_reason", nullptr}}));
  }
  return out;
}

std::vector<std::string> ResponseWriter::chunks(const Update& update) const {
  std::vector<std::string> out;
  const TextPiece& piece = update.piece;
  const Json finish = update.finish ? Json(*update.finish) : Json(nullptr);
  if (!is_chat()) {
    if (piece.text.empty() && piece.tokens.empty() && !update.finish) return out;
    out.push_back(chunk({{"index", update.answer},
                         {"text", piece.text},
                         {"logprobs", logprobs(piece.tokens)},
                         {"finish_reason", finish}}));
    return out;
  }
  if (!piece.text.empty() || !piece.tokens.empty()) {
    out.push_back(chunk({{"index", update.answer},
                         {"delta", {{"content", piece.text}}},
                         {"logprobs", logprobs(piece.tokens)},
                         {"finish_reason", nullptr}}));
  }
  const auto tool_chunk = [&](Json call) {
    out.push_back(chunk({{"index", update.answer},
                         {"delta", {{"tool_calls", Json::array({std::move(call)})}}},
                         {"logprobs", nullptr},
                         {"finish_reason", nullptr}}));
  };
  for (const ToolCall& call : update.calls) {
    tool_chunk({{"index", call.index},
                {"id", call.id},
                {"type", "function"},
                {"function", {{"name", call.name}, {"arguments", ""}}}});
    tool_chunk({{"index", call.index}, {"function", {{"arguments", call.arguments}}}});
  }
  if (update.finish) {
    out.push_back(chunk({{"index", update.answer},
                         {"delta", Json::object()},
                         {"logprobs", nullptr},
                         {"finish_reason", finish}}));
  }
  return out;
}

std::string ResponseWriter::usage_chunk(const Usage& usage) const {
  Json out = head(is_chat() ? "chat.completion.chunk" : "text_completion");
  out["choices"] = Json::array();
  out["usage"] = usage_of(usage);
  return to_text(out);
}

void ResponseWriter::collect(const Update& update) {
  if (answers_.size() <= update.answer) answers_.resize(update.answer + 1);
  Whole& whole = answers_[update.answer];
  whole.text += update.piece.text;
  whole.calls.insert(whole.calls.end(), update.calls.begin(), update.calls.end());
  whole.tokens.insert(whole.tokens.end(), update.piece.tokens.begin(), update.piece.tokens.end());
  if (update.finish) whole.finish = *update.finish;
}

Json ResponseWriter::message_of(const Whole& whole) {
  const bool only_calls = !whole.calls.empty() && whole.text.empty();
  Json message{{"role", "assistant"},
               {"content", only_calls ? Json(nullptr) : Json(whole.text)},
               {"refusal", nullptr}};
  for (const ToolCall& call : whole.calls) {
    message["tool_calls"].push_back({{"id", call.id},
                                     {"type", "function"},
                                     {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
  }
  return message;
}

std::string ResponseWriter::body(const Usage& usage) const {
  Json choices = Json::array();
  for (std::size_t i = 0; i < answers_.size(); ++i) {
    const Whole& whole = answers_[i];
    Json choice{{"index", i}};
    if (is_chat()) {
      choice["message"] = message_of(whole);
    } else {
      choice["text"] = whole.text;
    }
    choice["logprobs"] = logprobs(whole.tokens);
    choice["finish_reason"] = whole.finish;
    choices.push_back(std::move(choice));
  }
  Json out = head(is_chat() ? "chat.completion" : "text_completion");
  out["choices"] = std::move(choices);
  out["usage"] = usage_of(usage);
  return to_text(out);
}

std::string models_body(const Service& service) {
  Json data = Json::array();
  for (const ServedModel& served : service.models()) data.push_back(model_object(service, served));
  return to_text({{"object", "list"}, {"data", std::move(data)}});
}

std::string model_body(const Service& service, const ServedModel& served) {
  return to_text(model_object(service, served));
}

}  // namespace adit::miner::openai
