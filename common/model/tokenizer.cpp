// SPDX-License-Identifier: MIT
#include "common/model/tokenizer.hpp"

#include <algorithm>

#include "common/base/limits.hpp"
#include "common/model/tokenizer_data.hpp"
#include "common/model/unicode_classes.hpp"
#include "common/model/word_splitter.hpp"

namespace adit::model {
namespace {

// GPT-2: printable Latin-1 bytes stand for themselves, the others for U+0100 and up in order.
std::array<char32_t, 256> make_alphabet() {
  std::array<char32_t, 256> out{};
  char32_t next = 0x100;
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    const bool printable =
        (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
    out[byte] = printable ? byte : next++;
  }
  return out;
}

const std::array<char32_t, 256>& alphabet() {
  static const std::array<char32_t, 256> table = make_alphabet();
  return table;
}

constexpr char32_t kAlphabetEnd = 0x144;

const std::array<std::int16_t, kAlphabetEnd>& byte_of_code() {
  static const auto table = [] {
    std::array<std::int16_t, kAlphabetEnd> out{};
    out.fill(-1);
    for (std::size_t byte = 0; byte < 256; ++byte) out[alphabet()[byte]] = static_cast<std::int16_t>(byte);
    return out;
  }();
  return table;
}

const std::array<std::string, 256>& alphabet_texts() {
  static const auto table = [] {
    std::array<std::string, 256> out;
    for (std::size_t byte = 0; byte < 256; ++byte) append_utf8(alphabet()[byte], out[byte]);
    return out;
  }();
  return table;
}

// Words of a text that holds no added tokens, encoded.
class TextEncoder {
 public:
  TextEncoder(const Tokenizer::Data& data, std::vector<TokenId>& ids) : data_(data), ids_(ids) {}

  void run(std::string_view text, bool first) {
    split_words(data_.steps.words, text, first, words_);
    std::size_t begin = 0;
    for (const std::size_t end : words_.ends) {
      word(words_.text.substr(begin, end - begin));
      begin = end;
    }
  }

 private:
  void word(std::string_view word) {
    if (data_.ignore_merges) {
      if (const TokenId whole = whole_word(word); whole >= 0) {
        ids_.push_back(whole);
        return;
      }
    }
    data_.bpe.encode_word(word, ids_);
  }

  TokenId whole_word(std::string_view word) {
    if (word.size() > kTokenBytesMax) return -1;
    if (data_.steps.byte_level) {
      alphabet_.clear();
      for (const char c : word) alphabet_ += alphabet_of_byte(static_cast<std::uint8_t>(c));
      word = alphabet_;
    }
    const TokenId id = data_.ids.find(data_.texts, word);
    return id >= 0 && data_.normal[static_cast<std::size_t>(id)] ? id : -1;
  }

  const Tokenizer::Data& data_;
  std::vector<TokenId>& ids_;
  Words words_;
  std::string alphabet_;
};

}  // namespace

std::string_view alphabet_of_byte(std::uint8_t byte) {
  return alphabet_texts()[byte];
}

std::string bytes_of_alphabet(std::string_view token) {
  std::string out;
  std::string_view left = token;
  while (!left.empty()) {
    const Utf8Step step = decode_utf8(left);
    const std::int16_t byte = step.code < kAlphabetEnd ? byte_of_code()[step.code] : std::int16_t{-1};
    if (byte < 0) return std::string(token);
    out.push_back(static_cast<char>(byte));
    left.remove_prefix(step.length);
  }
  return out;
}

Result<std::vector<TokenId>> Tokenizer::encode(std::string_view text, bool parse_special) const {
  if (text.size() > limits::kStringBytesMax) {
    return resource_exhausted("tokenizer: a text of {} bytes, at most {} are accepted", text.size(),
                              limits::kStringBytesMax);
  }
  std::string repaired;
  if (!is_valid_utf8(text)) {
    repaired = to_valid_utf8(text);
    text = repaired;
  }
  std::vector<TokenId> ids;
  ids.reserve(text.size() / 3 + 1);
  TextEncoder encoder(*data_, ids);
  std::vector<AddedTokens::Piece> pieces;
  std::vector<AddedTokens::Piece> inner;
  data_->added.split(text, false, parse_special, pieces);
  bool first = true;
  for (const AddedTokens::Piece& piece : pieces) {
    if (piece.id >= 0) {
      ids.push_back(piece.id);
      first = false;
      continue;
    }
    const bool plain = data_->steps.normalizer.empty();
    const std::string normalized = plain ? std::string() : normalize(data_->steps.normalizer, piece.text);
    inner.clear();
    data_->added.split(plain ? piece.text : std::string_view(normalized), true, parse_special, inner);
    for (const AddedTokens::Piece& part : inner) {
      if (part.id >= 0) {
        ids.push_back(part.id);
      } else {
        encoder.run(part.text, first);
      }
      first = false;
    }
  }
  return ids;
}

std::string Tokenizer::decode(std::span<const TokenId> ids, bool skip_special) const {
  std::string bytes;
  for (const TokenId id : ids) {
    if (!skip_special || !is_special(id)) bytes += piece(id);
  }
  std::size_t blanks = 0;
  while (blanks < data_->steps.strip_left && blanks < bytes.size() && bytes[blanks] == ' ') ++blanks;
  return to_valid_utf8(std::string_view(bytes).substr(blanks));
}

std::string_view Tokenizer::piece(TokenId id) const {
  if (id < 0 || static_cast<std::size_t>(id) >= data_->pieces.size()) return {};
  return data_->pieces[static_cast<std::size_t>(id)];
}

bool Tokenizer::is_special(TokenId id) const {
  return id >= 0 && static_cast<std::size_t>(id) < data_->special.size() &&
         data_->special[static_cast<std::size_t>(id)];
}

std::optional<TokenId> Tokenizer::find(std::string_view token) const {
  const TokenId found = data_->ids.find(data_->texts, token);
  return found < 0 ? std::nullopt : std::optional<TokenId>(found);
}

std::size_t Tokenizer::vocabulary_size() const {
  return data_->pieces.size();
}
TokenId Tokenizer::bos() const {
  return data_->bos;
}
TokenId Tokenizer::eos() const {
  return data_->eos;
}
bool Tokenizer::add_bos() const {
  return data_->add_bos;
}
std::size_t Tokenizer::strip_left() const {
  return data_->steps.strip_left;
}

std::string StreamDecoder::push(TokenId id) {
  if (!skip_special_ || !tokenizer_.is_special(id)) pending_ += tokenizer_.piece(id);
  while (strip_ > 0 && !pending_.empty()) {
    strip_ = pending_[0] == ' ' ? strip_ - 1 : 0;
    if (pending_[0] == ' ') pending_.erase(0, 1);
  }
  std::string_view left = pending_;
  std::size_t whole = 0;
  while (!left.empty()) {
    const Utf8Step step = decode_utf8(left);
    if (step.kind == Utf8Step::Kind::kUnfinished) break;
    whole += step.length;
    left.remove_prefix(step.length);
  }
  std::string out = to_valid_utf8(std::string_view(pending_).substr(0, whole));
  pending_.erase(0, whole);
  return out;
}

std::string StreamDecoder::finish() {
  std::string out = to_valid_utf8(pending_);
  pending_.clear();
  return out;
}

}  // namespace adit::model
