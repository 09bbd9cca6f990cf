// SPDX-License-Identifier: MIT
#include "common/crypto/ss58.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "common/base/bytes.hpp"
#include "common/crypto/hash.hpp"

namespace adit::crypto {
namespace {

constexpr std::string_view kAlphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::uint8_t kPrefix = 42;
constexpr std::size_t kPayloadBytes = 1 + 32;
constexpr std::size_t kAddressBytes = kPayloadBytes + 2;
// 42 * 256^34 and 43 * 256^34 lie between 58^47 and 58^48, so every address has this length.
constexpr std::size_t kAddressChars = 48;

std::array<std::uint8_t, 2> checksum(ByteView payload) {
  Bytes preimage = to_bytes(as_bytes("SS58PRE"));
  append(preimage, payload);
  const FixedBytes<64> hash = blake2b_512(preimage);
  return {hash[0], hash[1]};
}

}  // namespace

std::string ss58_encode(const AccountId& account) {
  FixedBytes<kAddressBytes> number{kPrefix};
  std::ranges::copy(account, number.begin() + 1);
  std::ranges::copy(checksum(ByteView(number).first(kPayloadBytes)), number.begin() + kPayloadBytes);
  std::string out(kAddressChars, kAlphabet[0]);
  for (std::size_t i = kAddressChars; i-- > 0;) {
    unsigned carry = 0;
    for (std::uint8_t& digit : number) {
      carry = carry << 8 | digit;
      digit = static_cast<std::uint8_t>(carry / 58);
      carry %= 58;
    }
    out[i] = kAlphabet[carry];
  }
  return out;
}

Result<AccountId> ss58_decode(std::string_view text) {
  if (text.size() != kAddressChars) {
    return invalid_argument("address: expected {} characters, got {}", kAddressChars, text.size());
  }
  FixedBytes<kAddressBytes> number{};
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t value = kAlphabet.find(text[i]);
    if (value == std::string_view::npos) {
      return invalid_argument("address: character at offset {} is not base58", i);
    }
    unsigned carry = static_cast<unsigned>(value);
    for (std::size_t j = kAddressBytes; j-- > 0;) {
      carry += 58u * number[j];
      number[j] = static_cast<std::uint8_t>(carry);
      carry >>= 8;
    }
    if (carry != 0) return invalid_argument("address: does not fit {} bytes", kAddressBytes);
  }
  if (number[0] != kPrefix) {
    return invalid_argument("address: expected prefix {}, got {}", kPrefix, number[0]);
  }
  const auto expected = checksum(ByteView(number).first(kPayloadBytes));
  if (!std::ranges::equal(expected, ByteView(number).last(2))) {
    return invalid_argument("address: checksum does not match");
  }
  AccountId out;
  std::copy_n(number.begin() + 1, out.size(), out.begin());
  return out;
}

}  // namespace adit::crypto
