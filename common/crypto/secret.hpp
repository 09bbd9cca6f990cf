// SPDX-License-Identifier: MIT
// common/crypto/secret.hpp
//
// Where secret bytes live: guarded, locked memory that is wiped when it goes.
//
// Out      Secret owns `size` bytes of sodium_malloc memory. It cannot be copied, compared or printed.
//          Wiped<N> is a short-lived secret on the stack, zeroed at the end of its scope.
// Errors   secret_from_hex: kInvalidArgument (length, offset of a bad character). Running out of memory
//          aborts.
// Threads  one owner; reading from several threads is safe.
// Source   libsodium "Secure memory"; the access token is tink-cc's idea: `grep SecretKeyAccess` lists every
//          place that reads the bytes of a private key.
// Tests    tests/unit/common/crypto/secret_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"

namespace adit::crypto {

// Overwrites memory in a way that the compiler keeps.
void wipe(std::span<std::uint8_t> bytes);
void wipe(std::string& text);

class Secret {
 public:
  explicit Secret(std::size_t size);
  // A guarded copy of `bytes`; the caller wipes the original.
  [[nodiscard]] static Secret copy_of(ByteView bytes);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  [[nodiscard]] std::span<std::uint8_t> bytes() { return {data_, size_}; }
  [[nodiscard]] ByteView view() const { return {data_, size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

// Hex with or without "0x" to exactly `size` bytes. The error says what is wrong, not what was given.
[[nodiscard]] Result<Secret> secret_from_hex(std::string_view text, std::size_t size);

template <std::size_t N>
struct Wiped {
  Wiped() = default;
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  ~Wiped() { wipe(bytes); }
  [[nodiscard]] std::uint8_t* data() { return bytes.data(); }
  [[nodiscard]] const std::uint8_t* data() const { return bytes.data(); }

  FixedBytes<N> bytes{};
};

// Passed to the few functions that give out private key bytes.
struct SecretKeyAccess {
  explicit SecretKeyAccess() = default;
};

}  // namespace adit::crypto
