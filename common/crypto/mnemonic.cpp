// SPDX-License-Identifier: MIT
#include "common/crypto/mnemonic.hpp"

#include <algorithm>

#include <sodium.h>

#include "common/base/check.hpp"
#include "common/base/limits.hpp"
#include "common/crypto/english_wordlist.hpp"
#include "common/crypto/sodium_init.hpp"

namespace adit::crypto {
namespace {

constexpr int kBitsPerWord = 11;
constexpr int kPbkdf2Rounds = 2048;
constexpr std::size_t kEntropyBytesMax = 32;

bool is_word_count(std::size_t words) { return words >= 12 && words <= 24 && words % 3 == 0; }

// The first byte of SHA-256 gives the checksum: one bit per 32 bits of entropy.
std::uint8_t checksum_byte(ByteView entropy) {
  Wiped<32> hash;
  crypto_hash_sha256(hash.data(), entropy.data(), entropy.size());
  return hash.bytes[0];
}

std::string_view next_word(std::string_view& text) {
  constexpr std::string_view kSpace = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(kSpace));
  text.remove_prefix(word.size());
  return word;
}

std::size_t count_words(std::string_view text) {
  std::size_t count = 0;
  while (!next_word(text).empty()) ++count;
  return count;
}

void set_bit(std::span<std::uint8_t> bits, std::size_t at) {
  bits[at / 8] = static_cast<std::uint8_t>(bits[at / 8] | 0x80u >> (at % 8));
}

// The first block of PBKDF2-HMAC-SHA512; its 64 bytes are all the chain needs of it.
void pbkdf2_block(ByteView key, std::string_view salt_tail, std::span<std::uint8_t, 64> out) {
  crypto_auth_hmacsha512_state keyed;
  crypto_auth_hmacsha512_init(&keyed, key.data(), key.size());
  const auto hmac_of = [&](std::initializer_list<ByteView> parts, Wiped<64>& result) {
    crypto_auth_hmacsha512_state state = keyed;
    for (const ByteView part : parts) crypto_auth_hmacsha512_update(&state, part.data(), part.size());
    crypto_auth_hmacsha512_final(&state, result.data());
    sodium_memzero(&state, sizeof(state));
  };
  const FixedBytes<4> block_number = {0, 0, 0, 1};
  Wiped<64> last;
  hmac_of({as_bytes("mnemonic"), as_bytes(salt_tail), block_number}, last);
  std::ranges::copy(last.bytes, out.begin());
  for (int round = 1; round < kPbkdf2Rounds; ++round) {
    Wiped<64> next;
    hmac_of({last.bytes}, next);
    last.bytes = next.bytes;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] ^= last.bytes[i];
  }
  sodium_memzero(&keyed, sizeof(keyed));
}

}  // namespace

Result<Secret> entropy_of_mnemonic(std::string_view phrase) {
  if (phrase.size() > limits::kSecretUriBytesMax) {
    return invalid_argument("mnemonic: {} bytes, at most {} expected", phrase.size(),
                            limits::kSecretUriBytesMax);
  }
  const std::size_t words = count_words(phrase);
  if (!is_word_count(words)) {
    return invalid_argument("mnemonic: expected 12, 15, 18, 21 or 24 words, got {}", words);
  }
  Wiped<kEntropyBytesMax + 1> bits;
  std::size_t at = 0;
  for (std::size_t number = 1; number <= words; ++number) {
    const std::string_view word = next_word(phrase);
    const auto found = std::ranges::lower_bound(kEnglishWords, word);
    if (found == kEnglishWords.end() || *found != word) {
      return invalid_argument("mnemonic: word {} is not in the English BIP-39 list", number);
    }
    const auto index = static_cast<unsigned>(found - kEnglishWords.begin());
    for (int bit = kBitsPerWord - 1; bit >= 0; --bit, ++at) {
      if ((index >> bit & 1) != 0) set_bit(bits.bytes, at);
    }
  }
  const std::size_t entropy_bytes = words / 3 * 4;
  const auto checksum_bits = static_cast<unsigned>(words / 3);
  Secret entropy = Secret::copy_of(ByteView(bits.bytes).first(entropy_bytes));
  const unsigned difference = checksum_byte(entropy.view()) ^ bits.bytes[entropy_bytes];
  if (difference >> (8 - checksum_bits) != 0) {
    return invalid_argument("mnemonic: the checksum in its last word does not match the words before");
  }
  return entropy;
}

Result<Secret> seed_from_mnemonic(std::string_view phrase, std::string_view password) {
  ADIT_TRY(const Secret entropy, entropy_of_mnemonic(phrase));
  ensure_sodium();
  Wiped<64> block;
  pbkdf2_block(entropy.view(), password, block.bytes);
  return Secret::copy_of(ByteView(block.bytes).first(32));
}

std::string mnemonic_of_entropy(ByteView entropy) {
  ADIT_CHECK(entropy.size() % 4 == 0 && is_word_count(entropy.size() / 4 * 3));
  Wiped<kEntropyBytesMax + 1> bits;
  std::ranges::copy(entropy, bits.bytes.begin());
  bits.bytes[entropy.size()] = checksum_byte(entropy);
  std::string out;
  // Reserved in full, so that growing leaves no copies behind.
  out.reserve(24 * 9);
  for (std::size_t at = 0; at < entropy.size() / 4 * 3 * kBitsPerWord; at += kBitsPerWord) {
    std::size_t index = 0;
    for (std::size_t i = at; i < at + kBitsPerWord; ++i) {
      index = index << 1 | (bits.bytes[i / 8] >> (7 - i % 8) & 1u);
    }
    if (!out.empty()) out += ' ';
    out += kEnglishWords[index];
  }
  return out;
}

std::string make_mnemonic(Rng& rng, int words) {
  ADIT_CHECK(words > 0 && is_word_count(static_cast<std::size_t>(words)));
  Wiped<kEntropyBytesMax> entropy;
  const auto used = std::span(entropy.bytes).first(static_cast<std::size_t>(words) / 3 * 4);
  rng.fill(used);
  return mnemonic_of_entropy(used);
}

}  // namespace adit::crypto
