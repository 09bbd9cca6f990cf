// SPDX-License-Identifier: MIT
#include "miner/generate/generate.hpp"

#include <utility>

#include "common/base/clock.hpp"
#include "common/model/chat_template.hpp"
#include "miner/generate/standalone.hpp"

namespace adit::miner {
namespace {

double per_second(std::size_t count, std::uint64_t ns) {
  return ns == 0 ? 0.0 : static_cast<double>(count) * 1e9 / static_cast<double>(ns);
}

std::string special_text(const model::Tokenizer& tokenizer, TokenId id) {
  return id < 0 ? std::string() : std::string(tokenizer.piece(id));
}

Result<std::vector<TokenId>> text_ids(const model::Tokenizer& tokenizer, std::string_view text) {
  ADIT_TRY(std::vector<TokenId> ids, tokenizer.encode(text, true));
  if (tokenizer.add_bos() && (ids.empty() || ids.front() != tokenizer.bos())) {
    ids.insert(ids.begin(), tokenizer.bos());
  }
  return ids;
}

}  // namespace

Result<std::vector<TokenId>> prompt_ids(const model::Pack& pack, const model::Tokenizer& tokenizer,
                                        std::string_view prompt, bool is_raw) {
  if (is_raw) return text_ids(tokenizer, prompt);
  const model::ChatMessage message{"user", std::string(prompt)};
  return chat_ids(pack, tokenizer, std::span(&message, 1));
}

Result<std::vector<TokenId>> chat_ids(const model::Pack& pack, const model::Tokenizer& tokenizer,
                                      std::span<const model::ChatMessage> messages) {
  const model::ChatTokens tokens{special_text(tokenizer, tokenizer.bos()),
                                 special_text(tokenizer, tokenizer.eos())};
  ADIT_TRY(const std::string text, model::render_chat(pack.chat_template(), messages, true, tokens));
  return text_ids(tokenizer, text);
}

Result<GenerateOutcome> generate(const model::Pack& pack, const GenerateOptions& options,
                                 const OnText& on_text) {
  if (auto fits = model::check_kv(pack.config(), options.engine.kv); !fits)
    return tl::unexpected<Error>(fits.error().context("--kv int8"));
  ADIT_TRY(const model::Tokenizer tokenizer, model::Tokenizer::from_blob(pack.tokenizer_json()));
  GenerateOutcome outcome;
  ADIT_TRY(outcome.prompt_ids, prompt_ids(pack, tokenizer, options.prompt, options.is_raw));
  ADIT_TRY_VOID(model::check_generation(pack.config(), outcome.prompt_ids, options.params));
  outcome.binding = standalone_binding(pack, options.engine.kv, outcome.prompt_ids, options.params, options.seed,
                                       options.adapter.get());

  model::EngineOptions engine_options = options.engine;
  engine_options.batch_max = 1;
  model::BatchEngine engine(pack, engine_options);
  model::StreamDecoder decoder(tokenizer);
  const auto emit = [&](const std::string& text) {
    outcome.text += text;
    if (!text.empty()) on_text(text);
  };
  const SystemClock clock;
  const std::uint64_t start = clock.steady_ns();
  std::uint64_t first = 0;
  ADIT_TRY_VOID(
      engine.add(outcome.prompt_ids, options.params, outcome.binding, {.adapter = options.adapter}));
  while (engine.running() > 0) {
    ADIT_TRY(model::StepResult step, engine.step());
    if (first == 0 && !step.tokens.empty()) first = clock.steady_ns();
    for (const model::NewToken& token : step.tokens) emit(decoder.push(token.token));
    if (!step.finished.empty()) outcome.generated = std::move(step.finished.front());
  }
  const std::uint64_t end = clock.steady_ns();
  emit(decoder.finish());
  outcome.prefill_tokens_per_second = per_second(outcome.prompt_ids.size(), first - start);
  outcome.tokens_per_second = per_second(outcome.generated.ids.size() - 1, end - first);
  return outcome;
}

}  // namespace adit::miner
