// SPDX-License-Identifier: MIT
#include "common/crypto/secret.hpp"

#include <algorithm>
#include <utility>

#include <sodium.h>

#include "common/base/check.hpp"
#include "common/crypto/sodium_init.hpp"

namespace adit::crypto {
namespace {

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void ensure_sodium() {
  static const bool started = sodium_init() >= 0;
  ADIT_CHECK(started);
}

void wipe(std::span<std::uint8_t> bytes) { sodium_memzero(bytes.data(), bytes.size()); }
void wipe(std::string& text) { sodium_memzero(text.data(), text.size()); }

Secret::Secret(std::size_t size) : size_(size) {
  ensure_sodium();
  data_ = static_cast<std::uint8_t*>(sodium_malloc(size));
  ADIT_CHECK(data_ != nullptr);
  wipe(bytes());
}

Secret Secret::copy_of(ByteView bytes) {
  Secret out(bytes.size());
  std::ranges::copy(bytes, out.data_);
  return out;
}

Result<Secret> secret_from_hex(std::string_view text, std::size_t size) {
  const std::size_t prefix = text.starts_with("0x") ? 2 : 0;
  const std::size_t digits = text.size() - prefix;
  if (digits != 2 * size) return invalid_argument("expected {} hex digits, got {}", 2 * size, digits);
  Secret out(size);
  for (std::size_t i = 0; i < digits; ++i) {
    const int value = nibble(text[prefix + i]);
    if (value < 0) return invalid_argument("character at offset {} is not hex", prefix + i);
    std::uint8_t& byte = out.bytes()[i / 2];
    byte = static_cast<std::uint8_t>(byte << 4 | value);
  }
  return out;
}

Secret::Secret(Secret&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

// sodium_free checks the guards and wipes before it gives the pages back.
Secret::~Secret() { sodium_free(data_); }

}  // namespace adit::crypto
