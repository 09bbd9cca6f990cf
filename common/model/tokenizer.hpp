// SPDX-License-Identifier: MIT
// common/model/tokenizer.hpp
//
// Byte pair encoding over bytes or characters: text to token ids and back, with the same ids as Hugging Face's
// tokenizers.
//
// In       encode: any bytes. What is not UTF-8 is first replaced by U+FFFD, one for each maximal ill-formed
//          part (as Rust's from_utf8_lossy and Python's errors="replace" do, so as HF's users see it). A byte
//          that has no token of its own is left out, as HF does (SmolLM2 lacks 21 of the 256).
//          parse_special: special tokens written in the text become their ids (leftmost, longest); without it
//          their text is ordinary text, so that a stranger's text can never close a chat turn.
// Out      decode: HF writes one U+FFFD for each byte token of an ill-formed run, we for each maximal ill-formed
//          part (so that streams need not wait); well-formed text is the same.
//          blob: JSON in the form of HF's tokenizer.json, keys and entries in a fixed order, so that equal
//          parts give equal bytes; the key "adit" holds the ids that tokenizer.json has no place for.
// Errors   from_blob, make_tokenizer_blob: kInvalidArgument or kUnimplemented "tokenizer: <key>: what was
//          found, what was expected"; encode: kResourceExhausted over limits::kStringBytesMax.
// Threads  const after from_blob; any thread. Copies share one vocabulary. A StreamDecoder belongs to one.
// Source   the forms of huggingface/tokenizers; GPT-2's byte table and pattern
// Tests    tests/unit/common/model/tokenizer_test.cpp, tests/fuzz/tokenizer_fuzz.cpp
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/strong.hpp"
#include "common/model/tokenizer_parts.hpp"

namespace adit::model {

[[nodiscard]] Result<std::string> make_tokenizer_blob(const TokenizerParts& parts);

class Tokenizer {
 public:
  [[nodiscard]] static Result<Tokenizer> from_blob(std::string_view json);
  // Without the text between; the same tokenizer as from_blob of make_tokenizer_blob.
  [[nodiscard]] static Result<Tokenizer> from_parts(TokenizerParts parts);

  [[nodiscard]] Result<std::vector<TokenId>> encode(std::string_view text, bool parse_special) const;
  // UTF-8, ill-formed parts replaced by U+FFFD; an id that is not in the vocabulary gives nothing.
  [[nodiscard]] std::string decode(std::span<const TokenId> ids, bool skip_special = false) const;

  // The raw bytes of one token; empty for an unknown id.
  [[nodiscard]] std::string_view piece(TokenId id) const;
  [[nodiscard]] bool is_special(TokenId id) const;
  // The id of a token by its exact text (special tokens) or alphabet form (others).
  [[nodiscard]] std::optional<TokenId> find(std::string_view token) const;
  [[nodiscard]] std::size_t vocabulary_size() const;
  [[nodiscard]] TokenId bos() const;
  [[nodiscard]] TokenId eos() const;
  [[nodiscard]] bool add_bos() const;
  // Blanks that decode takes from the beginning of the text.
  [[nodiscard]] std::size_t strip_left() const;

  struct Data;

 private:
  explicit Tokenizer(std::shared_ptr<const Data> data) : data_(std::move(data)) {}
  std::shared_ptr<const Data> data_;
};

// Ids one by one to text that never ends inside a character: all outputs joined equal decode(all ids).
class StreamDecoder {
 public:
  explicit StreamDecoder(Tokenizer tokenizer, bool skip_special = true)
      : tokenizer_(std::move(tokenizer)), skip_special_(skip_special), strip_(tokenizer_.strip_left()) {}
  // The text that became complete with this id; often empty inside a character.
  [[nodiscard]] std::string push(TokenId id);
  // What is left at the end: U+FFFD for an unfinished character.
  [[nodiscard]] std::string finish();

 private:
  Tokenizer tokenizer_;
  bool skip_special_;
  std::size_t strip_;  // blanks that may still be taken from the beginning
  std::string pending_;
};

}  // namespace adit::model
