// SPDX-License-Identifier: MIT
// miner/openai/choice_text.hpp
//
// One answer as it grows: ids become text, stop strings end it, each token's entry comes with its text.
//
// In       push: ids in order, without stop ids.
// Out      pieces whose texts joined are the answer; an entry comes as soon as its text begins to be given, and
//          never when a stop string cut all of it away.
// Threads  one thread per object.
// Tests    tests/unit/miner/openai/choice_text_test.cpp
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "common/model/generator.hpp"
#include "common/model/stop_text.hpp"
#include "common/model/tokenizer.hpp"

namespace adit::miner::openai {

struct TokenEntry {
  model::NewToken token;
  // Byte of the answer's text at which the token begins.
  std::size_t offset = 0;
};

struct TextPiece {
  std::string text;
  std::vector<TokenEntry> tokens;
};

class ChoiceText {
 public:
  // keeps_special: the marks of calls may be special tokens.
  ChoiceText(model::Tokenizer tokenizer, model::StopText stop, bool keeps_special = false)
      : decoder_(std::move(tokenizer), !keeps_special), stop_(std::move(stop)) {}

  [[nodiscard]] TextPiece push(model::NewToken token);
  // What was held back, when the answer ended without a stop string.
  [[nodiscard]] TextPiece finish();
  [[nodiscard]] bool stopped() const { return stop_.stopped(); }

 private:
  [[nodiscard]] TextPiece release(std::string text, bool all);

  model::StreamDecoder decoder_;
  model::StopText stop_;
  std::deque<TokenEntry> held_;
  // Bytes that came out of the decoder, and those that were given.
  std::size_t decoded_ = 0;
  std::size_t given_ = 0;
};

}  // namespace adit::miner::openai
