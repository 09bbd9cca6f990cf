// SPDX-License-Identifier: MIT
#include "miner/openai/choice_text.hpp"

#include <utility>

namespace adit::miner::openai {

TextPiece ChoiceText::push(model::NewToken token) {
  const TokenId id = token.token;
  held_.push_back({.token = std::move(token), .offset = decoded_});
  const std::string text = decoder_.push(id);
  decoded_ += text.size();
  return release(stop_.push(text), false);
}

TextPiece ChoiceText::finish() {
  std::string text = stop_.push(decoder_.finish());
  text += stop_.finish();
  return release(std::move(text), !stop_.stopped());
}

TextPiece ChoiceText::release(std::string text, bool all) {
  TextPiece piece{.text = std::move(text), .tokens = {}};
  given_ += piece.text.size();
  while (!held_.empty() && (all || held_.front().offset < given_)) {
    piece.tokens.push_back(std::move(held_.front()));
    held_.pop_front();
  }
  return piece;
}

}  // namespace adit::miner::openai
