// SPDX-License-Identifier: MIT
#include "common/crypto/ss58.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "common/base/bytes.hpp"

namespace adit::crypto {
namespace {

// The development accounts, as every Substrate tool prints them.
const std::vector<std::pair<std::string, std::string>> kKnown = {
    {"d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d",
     "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"},
    {"8eaf04151687736326c9fea17e25fc5287613693c912909cb226aa4794f26a48",
     "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"},
    {"66933bd1f37070ef87bd1198af3dacceb095237f803f3d32b173e6b425ed7972",
     "5EPCUjPxiHAcNooYipQFWr9NmmXJKpNG5RhcntXwbtUySrgH"},
    {"9125f505bdef2cb5825b9931769316d3e2f22150786489a04f39b434ec9fb294",
     "5FM25N8HGtacre9TnWQGRK32d1kUp1Gs6Dd7YiYpSPZLjmj6"},
};

TEST(Ss58, known_accounts_both_ways) {
  for (const auto& [hex, address] : kKnown) {
    const AccountId account = fixed_from_hex<32>(hex).value();
    EXPECT_EQ(ss58_encode(account), address);
    EXPECT_EQ(ss58_decode(address).value(), account);
  }
}

TEST(Ss58, every_account_has_48_characters_and_comes_back) {
  AccountId account{};
  EXPECT_EQ(ss58_decode(ss58_encode(account)).value(), account);
  account.fill(0xff);
  EXPECT_EQ(ss58_encode(account).size(), 48u);
  EXPECT_EQ(ss58_decode(ss58_encode(account)).value(), account);
  EXPECT_TRUE(rc::check("round trip", [](const std::array<std::uint8_t, 32>& any) {
    const std::string text = ss58_encode(any);
    RC_ASSERT(text.size() == 48u);
    RC_ASSERT(ss58_decode(text).value() == any);
  }));
}

TEST(Ss58, says_what_is_wrong) {
  const std::string good = kKnown[0].second;
  EXPECT_EQ(ss58_decode("").error().message, "address: expected 48 characters, got 0");
  EXPECT_EQ(ss58_decode(std::string(1 << 20, '1')).error().message,
            "address: expected 48 characters, got 1048576");
  std::string bad = good;
  bad[7] = '0';
  EXPECT_EQ(ss58_decode(bad).error().message, "address: character at offset 7 is not base58");
  EXPECT_NE(ss58_decode(std::string(48, 'z')).error().message.find("does not fit"), std::string::npos);
  EXPECT_NE(ss58_decode(std::string(48, '1')).error().message.find("prefix 42, got 0"), std::string::npos);
  bad = good;
  bad.back() = 'Z';
  EXPECT_EQ(ss58_decode(bad).error().message, "address: checksum does not match");
}

TEST(Ss58, any_changed_character_is_refused) {
  const std::string good = kKnown[1].second;
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char c : std::string_view("1Zz9")) {
      std::string bad = good;
      bad[i] = c;
      if (bad != good) {
        EXPECT_FALSE(ss58_decode(bad)) << i;
      }
    }
  }
}

}  // namespace
}  // namespace adit::crypto
