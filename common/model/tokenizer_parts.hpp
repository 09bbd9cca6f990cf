// SPDX-License-Identifier: MIT
// common/model/tokenizer_parts.hpp
//
// What a model's files say about its tokenizer, before it is checked and built.
//
// Shapes   vectors "by id" have one entry for each token. Absent ids are -1.
// Threads  plain values.
// Source   huggingface/tokenizers 0.23 (the forms of tokenizer.json); ggml docs/gguf.md (tokenizer.ggml.*)
// Tests    tests/unit/common/model/tokenizer_test.cpp, hf_tokenizer_test.cpp
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/strong.hpp"

namespace adit::model {

// GGUF's numbers for kinds of tokens.
enum : int {
  kTokenNormal = 1,
  kTokenUnknown = 2,
  kTokenControl = 3,
  kTokenUserDefined = 4,
  kTokenUnused = 5,
  kTokenByte = 6
};

// How an added token is looked for in a text; all false: the exact text, before normalising.
struct AddedFlags {
  bool single_word = false;
  bool lstrip = false;
  bool rstrip = false;
  bool normalized = false;
  friend bool operator==(const AddedFlags&, const AddedFlags&) = default;
};

struct NormalizerStep {
  enum class Kind : std::uint8_t { kNfc, kLowercase, kReplace, kPrepend };
  Kind kind = Kind::kNfc;
  std::string from;  // kReplace: a text, not a pattern
  std::string to;    // kReplace, kPrepend
  friend bool operator==(const NormalizerStep&, const NormalizerStep&) = default;
};

// The patterns that cut text into words; each is known by its exact text (word_splitter.hpp shows them).
enum class Cut : std::uint8_t {
  kGpt2,            // GPT-2's pattern
  kLlama3,          // Llama 3's: case-blind contractions, numbers of up to three digits
  kQwen2,           // the same with single digits
  kDigits3,         // DeepSeek V3, first: \p{N}{1,3}
  kCjkV3,           // DeepSeek V3, second: Han and kana
  kDeepseekV3,      // DeepSeek V3, third
  kLine,            // DeepSeek LLM and Coder: [\r\n]
  kAlphabet,        // DeepSeek LLM: \s? and letters of scripts with cases
  kAsciiSigns,      // DeepSeek LLM: \s? and ASCII or CJK punctuation
  kTrailingBlanks,  // DeepSeek LLM: \s+$
  kCjk,             // DeepSeek LLM and Coder
  kLetters,         // DeepSeek Coder: \s?\p{L}+
  kPunctuation,     // DeepSeek Coder: \s?\p{P}+
};

struct WordStep {
  enum class Kind : std::uint8_t { kCut, kByteLevel, kDigits, kMetaspace };
  enum class Prepend : std::uint8_t { kNever, kFirst, kAlways };
  Kind kind = Kind::kCut;
  Cut cut = Cut::kGpt2;               // kCut
  bool flag = false;                  // kByteLevel: use_regex; kDigits: individual_digits; kMetaspace: split
  Prepend prepend = Prepend::kNever;  // kByteLevel (kAlways: add_prefix_space), kMetaspace
  friend bool operator==(const WordStep&, const WordStep&) = default;
};

// What happens to a text before byte pair encoding, and to the joined tokens afterwards.
struct TextSteps {
  std::vector<NormalizerStep> normalizer;
  std::vector<WordStep> words;
  // Tokens are bytes in GPT-2's alphabet; false: characters, with U+2581 for the blank.
  bool byte_level = true;
  // Blanks that decoding takes from the beginning of the whole text.
  std::uint32_t strip_left = 0;
  friend bool operator==(const TextSteps&, const TextSteps&) = default;
};

struct TokenizerParts {
  std::string kind = "gpt2";        // "gpt2": byte-level BPE; "llama": BPE over characters (sentencepiece)
  std::string pre = "smollm";       // GGUF's name for how text is cut; not looked at where steps are given
  std::vector<std::string> tokens;  // by id; "gpt2": in GPT-2's printable byte alphabet
  std::vector<int> types;           // by id, GGUF's numbers
  std::vector<std::string> merges;  // "left right", best first
  TokenId bos = -1;
  TokenId eos = -1;
  TokenId unk = -1;
  TokenId pad = -1;
  bool add_bos = false;

  // Only where a model needs them:
  // By id, kind "llama" without merges: two neighbours that join to a token are merged, lowest rank first, the
  // leftmost of equals; -1: never the result of a merge.
  std::vector<std::int32_t> ranks;
  bool ignore_merges = false;           // a word that is a token is not cut
  bool byte_fallback = false;           // characters without a token become byte tokens <0x..>
  bool fuse_unk = false;                // neighbouring unknown characters become one token
  std::string unk_text;                 // the token of characters that have none; empty: they are left out
  std::map<TokenId, AddedFlags> flags;  // of added tokens with any flag
  std::optional<TextSteps> steps;       // as tokenizer.json says; absent: what kind and pre mean
};

}  // namespace adit::model
