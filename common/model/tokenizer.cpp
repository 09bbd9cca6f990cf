// SPDX-License-Identifier: MIT
#include "common/model/tokenizer.hpp"

#include <algorithm>

#include "common/base/limits.hpp"
#include "common/model/tokenizer_data.hpp"
#include "common/model/unicode_classes.hpp"

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

struct Match {
  std::size_t begin;
  std::size_t length;
  TokenId id;
};

// The leftmost, longest added token at or after `from`; length 0 if there is none.
Match find_added(const AddedTokens& added, std::string_view text, std::size_t from) {
  if (added.ids.empty()) return {text.size(), 0, -1};
  for (std::size_t at = from; at < text.size(); ++at) {
    if (!added.first_bytes[static_cast<std::uint8_t>(text[at])]) continue;
    for (const std::size_t length : added.lengths) {
      if (length > text.size() - at) continue;
      const auto found = added.ids.find(text.substr(at, length));
      if (found != added.ids.end()) return {at, length, found->second};
    }
  }
  return {text.size(), 0, -1};
}

}  // namespace

std::string alphabet_of_byte(std::uint8_t byte) {
  const char32_t code = alphabet()[byte];
  if (code < 0x80) return std::string(1, static_cast<char>(code));
  return {static_cast<char>(0xc0 | (code >> 6)), static_cast<char>(0x80 | (code & 0x3f))};
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
  const AddedTokens& added = parse_special ? data_->all_added : data_->user;
  std::vector<TokenId> ids;
  ids.reserve(text.size() / 3 + 1);
  std::size_t at = 0;
  while (at < text.size()) {
    const Match match = find_added(added, text, at);
    for (const std::string_view word : split_words(data_->pre, text.substr(at, match.begin - at))) {
      data_->bpe.encode_word(word, ids);
    }
    if (match.length > 0) ids.push_back(match.id);
    at = match.begin + match.length;
  }
  return ids;
}

std::string Tokenizer::decode(std::span<const TokenId> ids, bool skip_special) const {
  std::string bytes;
  for (const TokenId id : ids) {
    if (!skip_special || !is_special(id)) bytes += piece(id);
  }
  return to_valid_utf8(bytes);
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
  const auto found = data_->ids.find(token);
  return found == data_->ids.end() ? std::nullopt : std::optional<TokenId>(found->second);
}

std::size_t Tokenizer::vocabulary_size() const { return data_->pieces.size(); }
TokenId Tokenizer::bos() const { return data_->bos; }
TokenId Tokenizer::eos() const { return data_->eos; }
bool Tokenizer::add_bos() const { return data_->add_bos; }

std::string StreamDecoder::push(TokenId id) {
  if (!skip_special_ || !tokenizer_.is_special(id)) pending_ += tokenizer_.piece(id);
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
