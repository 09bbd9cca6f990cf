// SPDX-License-Identifier: MIT
#include "common/protocol/btauth.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "common/crypto/hash.hpp"
#include "common/crypto/ss58.hpp"

namespace adit::protocol {
namespace {

constexpr std::string_view kPrefix = "x-bittensor-";
constexpr std::string_view kVersion = "1";
constexpr std::size_t kSs58Chars = 48;
constexpr std::size_t kNonceDigitsMax = 20;
constexpr std::size_t kSignatureChars = 2 + 2 * 64;
constexpr std::size_t kHeaderBytesMax = 256;

enum Field : std::size_t {
  kVersionField,
  kHotkey,
  kReceiver,
  kNonce,
  kCrypto,
  kSignature,
  kDrandRound,
  kRandomness,
  kFields
};
constexpr std::array<std::string_view, kFields> kFieldNames{
    "version", "hotkey", "receiver", "nonce", "crypto", "signature", "drand-round", "randomness"};

using Fields = std::array<std::optional<std::string_view>, kFields>;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

Result<Fields> collect(std::span<const Header> headers) {
  Fields out;
  for (const auto& [key, value] : headers) {
    const std::string header = lower(key);
    if (!header.starts_with(kPrefix)) continue;
    const std::string_view suffix = std::string_view(header).substr(kPrefix.size());
    const auto* const found = std::find(kFieldNames.begin(), kFieldNames.end(), suffix);
    if (found == kFieldNames.end()) return invalid_argument("btauth: unknown header x-bittensor-*");
    std::optional<std::string_view>& field =
        out[static_cast<std::size_t>(found - kFieldNames.begin())];
    if (field) return invalid_argument("btauth: header {} occurs twice", header);
    if (value.size() > kHeaderBytesMax) {
      return invalid_argument("btauth: header {} has {} bytes, expected at most {}", header,
                              value.size(), kHeaderBytesMax);
    }
    field = value;
  }
  for (const Field needed : {kVersionField, kHotkey, kReceiver, kNonce, kSignature}) {
    if (!out[needed])
      return invalid_argument("btauth: header x-bittensor-{} is missing", kFieldNames[needed]);
  }
  return out;
}

Result<AccountId> parse_account(std::string_view what, std::string_view text) {
  if (text.size() != kSs58Chars) {
    return invalid_argument("btauth: {} has {} characters, expected ss58 of {}", what, text.size(),
                            kSs58Chars);
  }
  auto account = crypto::ss58_decode(text);
  if (!account) return invalid_argument("btauth: {} is no ss58 address of prefix 42", what);
  return *account;
}

Result<std::uint64_t> parse_nonce(std::string_view text) {
  const bool digits =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text.size() > kNonceDigitsMax || !digits || problem != std::errc{} ||
      end != text.data() + text.size()) {
    return invalid_argument("btauth: nonce, expected 1 to {} decimal digits below 2^64",
                            kNonceDigitsMax);
  }
  return value;
}

Result<crypto::Signature> parse_signature(std::string_view text) {
  const auto is_lower_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (text.size() != kSignatureChars || !text.starts_with("0x") ||
      !std::all_of(text.begin() + 2, text.end(), is_lower_hex)) {
    return invalid_argument("btauth: signature, expected 0x and {} lower-case hex digits",
                            kSignatureChars - 2);
  }
  return fixed_from_hex<64>(text);
}

Result<void> check_fresh(const OpenPolicy& policy, std::uint64_t nonce, std::uint64_t now_ns) {
  if (nonce < now_ns && now_ns - nonce > policy.age_ns_max) {
    return unauthenticated("btauth: nonce is {} ms old, expected at most {}",
                           (now_ns - nonce) / 1'000'000, policy.age_ns_max / 1'000'000);
  }
  if (nonce > now_ns && nonce - now_ns > policy.skew_ns_max) {
    return unauthenticated("btauth: nonce is {} ms in the future, expected at most {}",
                           (nonce - now_ns) / 1'000'000, policy.skew_ns_max / 1'000'000);
  }
  return {};
}

}  // namespace

std::string btauth_payload(crypto::Scheme scheme, const CallBytes& call, std::string_view nonce,
                           std::string_view sender, std::string_view receiver) {
  return fmt::format("btauth/1\n{}\n{}\n{}\n{}\n{}\n{}\n{}", crypto::name(scheme), call.method,
                     call.target, to_hex(crypto::sha256(call.body)), nonce, sender, receiver);
}

Result<std::vector<Header>> seal(crypto::Signer& signer, const AccountId& receiver,
                                 const CallBytes& call, std::uint64_t nonce) {
  const std::string sender_text = crypto::ss58_encode(signer.account());
  const std::string receiver_text = crypto::ss58_encode(receiver);
  const std::string nonce_text = std::to_string(nonce);
  const std::string payload =
      btauth_payload(signer.scheme(), call, nonce_text, sender_text, receiver_text);
  ADIT_TRY(const crypto::Signature signature, signer.sign(as_bytes(payload)));
  std::vector<Header> out{{"x-bittensor-version", std::string(kVersion)},
                          {"x-bittensor-hotkey", sender_text},
                          {"x-bittensor-receiver", receiver_text},
                          {"x-bittensor-nonce", nonce_text},
                          {"x-bittensor-signature", "0x" + to_hex(signature)}};
  if (signer.scheme() != crypto::Scheme::kSr25519) {
    out.emplace_back("x-bittensor-crypto", crypto::name(signer.scheme()));
  }
  return out;
}

Result<OpenedCall> open(const OpenPolicy& policy, std::span<const Header> headers,
                        const CallBytes& call, std::uint64_t now_ns) {
  ADIT_TRY(const Fields fields, collect(headers));
  if (*fields[kVersionField] != kVersion)
    return invalid_argument("btauth: version, expected {}", kVersion);
  // An explicit "sr25519" is refused too: the SDK omits it, and one form is enough.
  const bool is_default = policy.scheme == crypto::Scheme::kSr25519;
  if (is_default ? fields[kCrypto].has_value() : fields[kCrypto] != crypto::name(policy.scheme)) {
    return invalid_argument("btauth: crypto, expected the pinned scheme {}",
                            crypto::name(policy.scheme));
  }
  OpenedCall out;
  ADIT_TRY(out.sender, parse_account("hotkey", *fields[kHotkey]));
  ADIT_TRY(const AccountId receiver, parse_account("receiver", *fields[kReceiver]));
  ADIT_TRY(out.nonce, parse_nonce(*fields[kNonce]));
  ADIT_TRY(const crypto::Signature signature, parse_signature(*fields[kSignature]));
  if (receiver != policy.receiver)
    return permission_denied("btauth: the call is addressed to another hotkey");
  ADIT_TRY_VOID(check_fresh(policy, out.nonce, now_ns));
  const std::string payload =
      btauth_payload(policy.scheme, call, *fields[kNonce], *fields[kHotkey], *fields[kReceiver]);
  if (!crypto::verify(policy.scheme, out.sender, as_bytes(payload), signature)) {
    return unauthenticated("btauth: signature does not verify");
  }
  return out;
}

}  // namespace adit::protocol
