// SPDX-License-Identifier: MIT
#include "miner/openai/generation.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "common/base/limits.hpp"

namespace adit::miner::openai {
namespace {

constexpr std::chrono::milliseconds kLook{50};

std::string prompt_field(const ApiRequest& request) {
  return request.endpoint == Endpoint::kChat ? "messages" : "prompt";
}

// The tokens that one prompt leaves room for, or those that were asked for.
ApiResult<std::uint32_t> max_tokens_of(const Service& service, const ApiRequest& request,
                                       std::size_t prompt) {
  const auto context = static_cast<std::size_t>(service.pack().config().context);
  const std::size_t wanted = request.max_tokens.value_or(1);
  if (prompt + wanted > context) {
    ApiError error = wrong_field(
        prompt_field(request),
        fmt::format("{} tokens, and {} for the answer, exceed the context of {}", prompt, wanted, context));
    error.code = "context_length_exceeded";
    return tl::unexpected(std::move(error));
  }
  if (request.max_tokens) return *request.max_tokens;
  return static_cast<std::uint32_t>(std::min<std::size_t>(context - prompt, limits::kNewTokensMax));
}

ApiError unknown_model(const Service& service, const std::string& name) {
  constexpr std::size_t kNamesShown = 8;
  std::string names;
  for (std::size_t i = 0; i < service.models().size() && i < kNamesShown; ++i) {
    names += fmt::format("{}'{}'", i == 0 ? "" : ", ", service.models()[i].name);
  }
  if (service.models().size() > kNamesShown) names += ", …";
  ApiError error =
      wrong_field("model", fmt::format("'{}' is not served here, only {}", name.substr(0, 200), names));
  error.status = 404;
  error.code = "model_not_found";
  return error;
}

// Null: none was asked for.
ApiResult<std::shared_ptr<const model::constraint::Schema>> schema_of(const ApiRequest& request,
                                                                      const ForcedCall& forced) {
  const bool is_call = !forced.schema.empty();
  if (request.schema.empty() && !is_call) return nullptr;
  auto schema = model::constraint::Schema::compile(is_call ? forced.schema : request.schema);
  if (!schema) return tl::unexpected(api_error(schema.error(), is_call ? "tools" : "response_format"));
  return std::make_shared<const model::constraint::Schema>(*std::move(schema));
}

std::optional<ToolParser> parser_of(const Service& service, const ToolUse& use, const ForcedCall& forced) {
  if (!use.is_active()) return std::nullopt;
  std::vector<std::string> names;
  for (const Tool& tool : use.tools) names.push_back(tool.name);
  return ToolParser(service.tool_form(), use.is_forced(), forced.name, std::move(names));
}

}  // namespace

ApiResult<std::unique_ptr<Generation>> Generation::start(const Service& service, const ApiRequest& request) {
  const ServedModel* served = service.find(request.model);
  if (served == nullptr) return tl::unexpected(unknown_model(service, request.model));
  ForcedCall forced;
  if (request.tools.is_forced() && service.tool_form() != ToolForm::kNone) {
    auto made = forced_call(service.tool_form(), service.chat_template(), request.tools);
    if (!made) return tl::unexpected(made.error());
    forced = *std::move(made);
  }
  auto schema = schema_of(request, forced);
  if (!schema) return tl::unexpected(schema.error());
  auto prompts = service.prompts_of(request, forced.opening);
  if (!prompts) return tl::unexpected(prompts.error());
  const std::uint64_t seed = request.seed ? *request.seed : service.random();
  std::vector<EngineJob> jobs;
  Usage usage;
  for (const std::vector<TokenId>& prompt : *prompts) {
    model::GenerateParams params{.sampling = request.sampling};
    auto max_tokens = max_tokens_of(service, request, prompt.size());
    if (!max_tokens) return tl::unexpected(max_tokens.error());
    params.max_tokens = *max_tokens;
    const auto checked = model::check_generation(service.pack().config(), prompt, params);
    if (!checked) return tl::unexpected(api_error(checked.error(), prompt_field(request)));
    usage.prompt_tokens += prompt.size();
    for (std::uint32_t i = 0; i < request.choices; ++i) {
      jobs.push_back({.prompt = prompt,
                      .params = params,
                      .binding = service.binding_of(*served, prompt, params, seed + i),
                      .extras = {.filter = *schema ? service.filter_of(*schema) : nullptr,
                                 .top_logprobs = request.top_logprobs,
                                 .adapter = served->adapter}});
    }
  }
  const std::size_t count = jobs.size();
  auto call = service.engine().submit(std::move(jobs), Origin::kLocal);
  if (!call) return tl::unexpected(api_error(call.error()));
  std::unique_ptr<Generation> out(new Generation(service, *std::move(call)));
  out->usage_ = usage;
  out->left_ = count;
  out->calls_in_parallel_ = request.tools.is_parallel;
  for (std::size_t i = 0; i < count; ++i) {
    auto stop = model::StopText::make(request.stop);
    if (!stop) return tl::unexpected(api_error(stop.error(), "stop"));
    out->answers_.push_back(
        {.text = ChoiceText(service.tokenizer(), *std::move(stop), request.tools.is_active()),
         .tools = parser_of(service, request.tools, forced)});
  }
  return out;
}

ApiResult<std::vector<Update>> Generation::next() {
  std::vector<Update> updates;
  for (EngineNews& news : call_->wait(kLook)) {
    if (answers_[news.job].is_over) continue;
    auto update = update_of(news);
    if (!update) {
      call_->abandon_all();
      return tl::unexpected(std::move(update).error());
    }
    find_calls(answers_[news.job], *update);
    updates.push_back(*std::move(update));
  }
  return updates;
}

void Generation::find_calls(Answer& answer, Update& update) {
  if (!answer.tools) return;
  const auto take = [&](ToolPiece&& piece) {
    update.piece.text += piece.content;
    for (ToolCall& call : piece.calls) {
      if (call.index > 0 && !calls_in_parallel_) continue;
      call.id =
          fmt::format("call_{:016x}{:08x}", service_.random(), static_cast<std::uint32_t>(service_.random()));
      update.calls.push_back(std::move(call));
    }
  };
  const std::string text = std::exchange(update.piece.text, {});
  // There are no log-probabilities beside calls.
  update.piece.tokens.clear();
  take(answer.tools->push(text));
  if (update.finish) take(answer.tools->finish());
  if (answer.tools->calls() == 0) return;
  if (update.finish == "stop") update.finish = "tool_calls";
  if (update.finish || calls_in_parallel_) return;
  // One call was all that was asked for.
  call_->abandon(update.answer);
  answer.is_over = true;
  --left_;
  update.finish = "tool_calls";
}

ApiResult<Update> Generation::update_of(EngineNews& news) {
  const std::vector<TokenId>& stops = service_.pack().config().stop_ids;
  Answer& answer = answers_[news.job];
  Update out{.answer = news.job, .piece = {}};
  const auto add = [&](TextPiece&& piece) {
    out.piece.text += piece.text;
    std::move(piece.tokens.begin(), piece.tokens.end(), std::back_inserter(out.piece.tokens));
  };
  const auto end_with = [&](const char* reason) {
    out.finish = reason;
    answer.is_over = true;
    --left_;
  };
  for (model::NewToken& token : news.tokens) {
    ++usage_.completion_tokens;
    if (std::find(stops.begin(), stops.end(), token.token) != stops.end()) continue;
    add(answer.text.push(std::move(token)));
    if (!answer.text.stopped()) continue;
    call_->abandon(news.job);
    end_with("stop");
    return out;
  }
  if (!news.end) return out;
  if (!*news.end) return tl::unexpected(api_error(news.end->error()));
  add(answer.text.finish());
  const model::FinishReason finish = (**news.end).finish;
  if (finish == model::FinishReason::kDeadEnd) {
    return tl::unexpected(
        ApiError{.status = 500,
                 .message = "no token of this model goes on with the schema that the answer must satisfy",
                 .type = "server_error"});
  }
  end_with(finish == model::FinishReason::kLength && !answer.text.stopped() ? "length" : "stop");
  return out;
}

}  // namespace adit::miner::openai
