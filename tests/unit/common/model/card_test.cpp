// SPDX-License-Identifier: MIT
#include "common/model/card.hpp"

#include <gtest/gtest.h>

#include "common/crypto/hash.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_model.hpp"

namespace adit::model {
namespace {

TEST(Card, declares_what_changes_an_answer) {
  const auto pack = Pack::open(ADIT_TEST_VECTORS "/pack/tiny-w4-a16.adit");
  ASSERT_TRUE(pack) << pack.error().message;
  const protocol::Card card = card_of(*pack);
  EXPECT_EQ(card.base, pack->content_hash());
  EXPECT_EQ(card.tokenizer, crypto::blake2b_256(as_bytes(pack->tokenizer_json())));
  EXPECT_EQ(card.layers, static_cast<std::uint32_t>(pack->config().layers));
  EXPECT_EQ(card.planes.size(), pack->layers().size() * 7 + 1);
  EXPECT_EQ(card.planes.front(), 16);
  EXPECT_EQ(protocol::decode_card(protocol::canonical_bytes(card)).value(), card);
}

TEST(Card, two_packs_have_two_cards) {
  const auto a = Pack::open(ADIT_TEST_VECTORS "/pack/tiny-w4-a16.adit");
  const auto b = Pack::open(ADIT_TEST_VECTORS "/pack/tiny-w8-a8g.adit");
  ASSERT_TRUE(a && b);
  EXPECT_NE(protocol::card_hash(card_of(*a)), protocol::card_hash(card_of(*b)));
  EXPECT_EQ(card_of(*b).planes.front(), 8);
}

TEST(Card, of_latent_attention_and_experts_has_a_plane_for_every_linear) {
  const test::TempDir dir;
  const Pack pack = test::pack_of(test::TinyModel(test::tiny_config("deepseek_v32")), dir.path(), {.bits = 8});
  const protocol::Card card = card_of(pack);
  // q_a, q_b, kv_a, k_b, v_b, o and three of the indexer; a dense layer's three, or three of the experts and three
  // of the shared one; the head.
  EXPECT_EQ(card.planes.size(), 3u * 9 + 3 + 2 * 6 + 1);
  EXPECT_EQ(card.kv_heads, 1u);
  EXPECT_EQ(card.head_dim, 40u);
  EXPECT_EQ(protocol::decode_card(protocol::canonical_bytes(card)).value(), card);
}

}  // namespace
}  // namespace adit::model
