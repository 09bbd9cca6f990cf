// SPDX-License-Identifier: MIT
#include "common/crypto/uri.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "common/base/limits.hpp"
#include "common/crypto/hash.hpp"

namespace adit::crypto {
namespace {

// What Rust's u64::from_str accepts: digits, perhaps behind one '+', that fit 64 bits.
std::optional<std::uint64_t> as_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  if (!whole) return std::nullopt;
  return value;
}

// A number is 8 bytes; a text carries its SCALE compact length. Up to 32 bytes stand as they are, more are
// hashed.
FixedBytes<32> code_of(std::string_view text) {
  Bytes encoded;
  if (const auto number = as_number(text)) {
    append_le(encoded, *number);
  } else if (text.size() < 64) {
    encoded.push_back(static_cast<std::uint8_t>(text.size() << 2));
    append(encoded, as_bytes(text));
  } else {
    append_le(encoded, static_cast<std::uint16_t>(text.size() << 2 | 1));
    append(encoded, as_bytes(text));
  }
  if (encoded.size() > 32) return blake2b_256(encoded);
  FixedBytes<32> out{};
  std::ranges::copy(encoded, out.begin());
  return out;
}

Result<std::vector<Junction>> parse_path(std::string_view path) {
  std::vector<Junction> out;
  while (!path.empty()) {
    if (out.size() == limits::kKeyJunctionsMax) {
      return invalid_argument("key path: more than {} junctions", limits::kKeyJunctionsMax);
    }
    path.remove_prefix(1);
    const bool hard = path.starts_with('/');
    if (hard) path.remove_prefix(1);
    const std::string_view text = path.substr(0, path.find('/'));
    if (text.empty()) return invalid_argument("key path: junction {} is empty", out.size() + 1);
    out.push_back({hard, code_of(text)});
    path.remove_prefix(text.size());
  }
  return out;
}

}  // namespace

Result<SecretUri> parse_secret_uri(std::string_view uri) {
  if (uri.size() > limits::kSecretUriBytesMax) {
    return invalid_argument("secret URI: {} bytes, at most {} expected", uri.size(),
                            limits::kSecretUriBytesMax);
  }
  SecretUri out;
  if (const std::size_t at = uri.find("///"); at != std::string_view::npos) {
    out.password = uri.substr(at + 3);
    uri = uri.substr(0, at);
  }
  const std::size_t slash = std::min(uri.find('/'), uri.size());
  out.phrase = uri.substr(0, slash);
  ADIT_TRY(out.path, parse_path(uri.substr(slash)));
  return out;
}

}  // namespace adit::crypto
