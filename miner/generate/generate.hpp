// SPDX-License-Identifier: MIT
// miner/generate/generate.hpp
//
// One prompt, one answer, on this machine: the body of `adit-miner generate`.
//
// In       a pack file, a prompt, sampling parameters, how to run.
// Out      ids, text, trace root and speeds. on_text gets the text as it grows, never inside a
// character. Units    tokens per second; prompt speed is measured to the first token, decode speed
// from it. Errors   those of Pack::open, the tokenizer, the chat template and BatchEngine. Threads
// runs options.threads threads while it works. Tests    tests/unit/miner/generate/generate_test.cpp
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/chat_template.hpp"
#include "common/model/generator.hpp"
#include "common/model/pack.hpp"
#include "common/model/tokenizer.hpp"

namespace adit::miner {

struct GenerateOptions {
  std::string pack;
  std::string prompt;
  // The prompt is text to go on with, not a chat message; special tokens in it are read as such.
  bool is_raw = false;
  std::uint64_t seed = 0;
  model::GenerateParams params;
  // Null: the model as it is.
  std::shared_ptr<const model::Adapter> adapter{};
  model::EngineOptions engine;
};

struct GenerateOutcome {
  std::vector<TokenId> prompt_ids;
  model::Generated generated;
  std::string text;
  proof::TraceBinding binding;
  double prefill_tokens_per_second = 0;
  double tokens_per_second = 0;
};

// Prompt ids: the chat template around one user message, or the raw text (with the first token that
// the model wants in front of every text, if it wants one).
[[nodiscard]] Result<std::vector<TokenId>> prompt_ids(const model::Pack& pack,
                                                      const model::Tokenizer& tokenizer,
                                                      std::string_view prompt, bool is_raw);

// The same for whole messages, with a prompt for the answer behind them.
[[nodiscard]] Result<std::vector<TokenId>> chat_ids(const model::Pack& pack,
                                                    const model::Tokenizer& tokenizer,
                                                    std::span<const model::ChatMessage> messages);

using OnText = std::function<void(std::string_view text)>;
[[nodiscard]] Result<GenerateOutcome> generate(const model::Pack& pack,
                                               const GenerateOptions& options,
                                               const OnText& on_text);

}  // namespace adit::miner
