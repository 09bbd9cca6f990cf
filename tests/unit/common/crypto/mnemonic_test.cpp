// SPDX-License-Identifier: MIT
#include "common/crypto/mnemonic.hpp"

#include <gtest/gtest.h>

#include "common/crypto/english_wordlist.hpp"
#include "common/crypto/hash.hpp"
#include "tests/support/vectors.hpp"

namespace adit::crypto {
namespace {

const std::string kPhrase = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";

TEST(Wordlist, is_the_published_file) {
  std::string text;
  for (const std::string_view word : kEnglishWords) text.append(word).append("\n");
  EXPECT_EQ(to_hex(sha256(as_bytes(text))),
            "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda");
  EXPECT_TRUE(std::ranges::is_sorted(kEnglishWords));
}

TEST(Mnemonic, seeds_of_the_wallet_s_own_tests) {
  std::string abandon;
  for (int i = 0; i < 11; ++i) abandon += "abandon ";
  EXPECT_EQ(to_hex(seed_from_mnemonic(abandon + "about")->view()),
            "4ed8d4b17698ddeaa1f1559f152f87b5d472f725ca86d341bd0276f1b61197e2");
  EXPECT_EQ(to_hex(seed_from_mnemonic(kPhrase)->view()),
            "fac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e");
  EXPECT_EQ(to_hex(seed_from_mnemonic("old leopard transfer rib spatial phone calm indicate online fire "
                                      "caution review")->view()),
            "da3cf5b1e9144931a0f0db65664aab662673b099415a7f8121b7245fb0be4143");
}

TEST(Mnemonic, entropy_phrase_and_seed_agree_with_others) {
  const auto cases = test::load_vectors("keys-polkadot.json")["phrases"];
  ASSERT_EQ(cases.size(), 24u);
  for (const auto& v : cases) {
    const std::string phrase = v["phrase"];
    EXPECT_EQ(mnemonic_of_entropy(from_hex(v["entropy"].get<std::string>()).value()), phrase);
    EXPECT_EQ(to_hex(entropy_of_mnemonic(phrase)->view()), v["entropy"]);
    const auto seed = seed_from_mnemonic(phrase, v["password"].get<std::string>());
    EXPECT_EQ(to_hex(seed->view()), v["seed"]) << phrase;
  }
}

TEST(Mnemonic, new_phrases_are_valid_and_differ) {
  OsRng rng;
  for (const int words : {12, 15, 18, 21, 24}) {
    const std::string phrase = make_mnemonic(rng, words);
    EXPECT_EQ(std::ranges::count(phrase, ' '), words - 1);
    EXPECT_TRUE(seed_from_mnemonic(phrase));
    EXPECT_NE(phrase, make_mnemonic(rng, words));
  }
  EXPECT_DEATH(static_cast<void>(make_mnemonic(rng, 13)), "words");
  EXPECT_DEATH(static_cast<void>(make_mnemonic(rng, 0)), "words");
}

TEST(Mnemonic, white_space_is_free) {
  EXPECT_EQ(to_bytes(seed_from_mnemonic("  bottom drive obey lake\tcurtain smoke\nbasket hold race lonely "
                                        "fit  walk\n")->view()),
            to_bytes(seed_from_mnemonic(kPhrase)->view()));
}

TEST(Mnemonic, says_which_word_is_wrong_without_showing_it) {
  const auto message = [](std::string_view phrase) { return seed_from_mnemonic(phrase).error().message; };
  EXPECT_EQ(message(""), "mnemonic: expected 12, 15, 18, 21 or 24 words, got 0");
  EXPECT_EQ(message("bottom drive"), "mnemonic: expected 12, 15, 18, 21 or 24 words, got 2");
  EXPECT_EQ(message("bottom drive obeyy lake curtain smoke basket hold race lonely fit walk"),
            "mnemonic: word 3 is not in the English BIP-39 list");
  EXPECT_EQ(message("bottom drive obey lake curtain smoke basket hold race lonely fit WALK"),
            "mnemonic: word 12 is not in the English BIP-39 list");
  EXPECT_EQ(message("drive bottom obey lake curtain smoke basket hold race lonely fit walk"),
            "mnemonic: the checksum in its last word does not match the words before");
  EXPECT_EQ(message(std::string(1 << 20, 'a')), "mnemonic: 1048576 bytes, at most 4096 expected");
}

TEST(Mnemonic, one_changed_word_is_nearly_always_refused) {
  // 4 checksum bits: about 1 of 16 of the changed phrases is valid (and names another key).
  int accepted = 0;
  for (const std::string_view word : kEnglishWords) {
    const std::string phrase = std::string(word) + kPhrase.substr(6);
    const auto entropy = entropy_of_mnemonic(phrase);
    if (entropy && phrase != kPhrase) ++accepted;
  }
  EXPECT_GT(accepted, 64);
  EXPECT_LT(accepted, 192);
}

}  // namespace
}  // namespace adit::crypto
