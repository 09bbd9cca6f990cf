// SPDX-License-Identifier: MIT
#include "common/crypto/secret.hpp"

#include <algorithm>
#include <utility>

#include <sodium.h>

#include "common/base/check.hpp"
#include "common/crypto/sodium_init.hpp"

namespace adit::crypto {

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
