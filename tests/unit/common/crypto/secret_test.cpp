// SPDX-License-Identifier: MIT
#include "common/crypto/secret.hpp"

#include <concepts>
#include <ostream>
#include <type_traits>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/crypto/keypair.hpp"

namespace adit::crypto {
namespace {

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
static_assert(!std::is_copy_constructible_v<Keypair> && !std::is_copy_assignable_v<Keypair>);
static_assert(std::is_nothrow_move_constructible_v<Secret> && std::is_move_assignable_v<Keypair>);
static_assert(!Printable<Secret> && !Printable<Keypair> && !Printable<Wiped<32>>);
static_assert(!fmt::is_formattable<Secret>::value && !fmt::is_formattable<Keypair>::value);
static_assert(!std::equality_comparable<Secret>);

TEST(Secret, holds_a_copy_and_moves) {
  const Bytes bytes = {1, 2, 3};
  Secret a = Secret::copy_of(bytes);
  EXPECT_EQ(to_bytes(a.view()), bytes);
  const Secret b = std::move(a);
  EXPECT_EQ(to_bytes(b.view()), bytes);
  EXPECT_EQ(b.size(), 3u);
}

TEST(Secret, starts_as_zeros) {
  const Secret secret(64);
  EXPECT_EQ(to_bytes(secret.view()), Bytes(64));
}

TEST(Secret, writing_past_the_end_is_caught) {
  EXPECT_DEATH(
      {
        Secret secret(16);
        // sodium_malloc ends its block at a guard page.
        *const_cast<volatile std::uint8_t*>(secret.bytes().data() + 16) = 1;
      },
      "");
}

TEST(Wiped, is_zero_after_its_scope) {
  alignas(Wiped<32>) FixedBytes<sizeof(Wiped<32>)> place{};
  auto* secret = new (place.data()) Wiped<32>;
  secret->bytes.fill(0xaa);
  secret->~Wiped();
  EXPECT_EQ(place, (FixedBytes<sizeof(Wiped<32>)>{}));
}

}  // namespace
}  // namespace adit::crypto
