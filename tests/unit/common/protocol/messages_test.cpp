// SPDX-License-Identifier: MIT
#include "common/protocol/messages.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/base/files.hpp"
#include "common/base/limits.hpp"
#include "common/crypto/hash.hpp"

namespace adit::protocol {
namespace {

nlohmann::json golden() {
  const auto bytes = read_file(std::string(ADIT_TEST_VECTORS) + "/protocol/messages.json", 1 << 20);
  return nlohmann::json::parse(as_text(*bytes));
}

// The script fills hashes with SHA-256 of a name.
Hash256 fill(const std::string& tag, std::string_view what) {
  return crypto::sha256(as_bytes(tag + std::string(what)));
}

GenerateRequest request_of(const nlohmann::json& each) {
  const std::string tag = each["tag"];
  return {.card = fill(tag, "card"),
          .charter = fill(tag, "charter"),
          .prompt = each["prompt"].get<std::vector<TokenId>>(),
          .max_tokens = each["max_tokens"],
          .sampling = {each["sampling"][0], each["sampling"][1], each["sampling"][2],
                       each["sampling"][3]},
          .block_hash = fill(tag, "block"),
          .slot = std::stoull(each["slot"].get<std::string>()),
          .nonce = fill(tag, "nonce"),
          .audit_commitment = fill(tag, "commitment")};
}

ReceiptCore core_of(const nlohmann::json& each) {
  const std::string tag = each["tag"];
  const GenerateRequest request = request_of(each);
  const auto ids = each["ids"].get<std::vector<TokenId>>();
  return {.card = request.card,
          .request = request_hash(request),
          .seed = seed_of(request, fill(tag, "validator"), fill(tag, "miner")),
          .n_p = static_cast<std::uint32_t>(request.prompt.size()),
          .n_g = static_cast<std::uint32_t>(ids.size()),
          .ids = ids,
          .finish = static_cast<FinishReason>(each["finish"].get<int>()),
          .trace_root = fill(tag, "root")};
}

Card card_of(const nlohmann::json& each) {
  const std::string tag = each["tag"];
  const auto& n = each["sizes"];
  return {.base = fill(tag, "base"),
          .tokenizer = fill(tag, "tokenizer"),
          .chat_template = fill(tag, "template"),
          .sparsity = n[0],
          .layers = n[1],
          .hidden = n[2],
          .ffn = n[3],
          .heads = n[4],
          .kv_heads = n[5],
          .head_dim = n[6],
          .vocabulary = n[7],
          .context = n[8],
          .planes = each["planes"].get<std::vector<std::uint8_t>>(),
          .stop_ids = each["stops"].get<std::vector<TokenId>>()};
}

TEST(Messages, canonical_bytes_and_hashes_equal_the_golden_ones) {
  const auto cases = golden()["cases"];
  ASSERT_EQ(cases.size(), 3U);
  for (const auto& each : cases) {
    const GenerateRequest request = request_of(each);
    EXPECT_EQ(to_hex(canonical_bytes(request)), each["request"]);
    EXPECT_EQ(to_hex(request_hash(request)), each["request_hash"]);
    const ReceiptCore core = core_of(each);
    EXPECT_EQ(to_hex(core.seed), each["seed"]);
    EXPECT_EQ(to_hex(canonical_bytes(core)), each["core"]);
    EXPECT_EQ(to_hex(receipt_hash(core)), each["receipt_hash"]);
    EXPECT_EQ(to_hex(audit_commitment(fill(each["tag"], "r"))), each["commitment"]);
  }
  const auto cards = golden()["cards"];
  for (const auto& each : cards) {
    EXPECT_EQ(to_hex(canonical_bytes(card_of(each))), each["card"]);
    EXPECT_EQ(to_hex(card_hash(card_of(each))), each["card_hash"]);
  }
}

TEST(Messages, decode_gives_back_the_golden_values) {
  const auto cases = golden()["cases"];
  for (const auto& each : cases) {
    const auto request = decode_generate_request(*from_hex(each["request"].get<std::string>()));
    ASSERT_TRUE(request) << request.error().message;
    EXPECT_EQ(*request, request_of(each));
    const auto core = decode_receipt_core(*from_hex(each["core"].get<std::string>()));
    ASSERT_TRUE(core) << core.error().message;
    EXPECT_EQ(*core, core_of(each));
  }
  const auto cards = golden()["cards"];
  for (const auto& each : cards) {
    const auto card = decode_card(*from_hex(each["card"].get<std::string>()));
    ASSERT_TRUE(card) << card.error().message;
    EXPECT_EQ(*card, card_of(each));
  }
}

TEST(Messages, decode_refuses_every_shorter_and_longer_text) {
  const auto each = golden()["cases"][1];
  const Bytes request = *from_hex(each["request"].get<std::string>());
  const Bytes core = *from_hex(each["core"].get<std::string>());
  const Bytes card = *from_hex(golden()["cards"][1]["card"].get<std::string>());
  const auto cut = [](const Bytes& from, std::size_t size) { return ByteView(from).first(size); };
  for (std::size_t i = 0; i < request.size(); ++i)
    EXPECT_FALSE(decode_generate_request(cut(request, i)));
  for (std::size_t i = 0; i < core.size(); ++i) EXPECT_FALSE(decode_receipt_core(cut(core, i)));
  for (std::size_t i = 0; i < card.size(); ++i) EXPECT_FALSE(decode_card(cut(card, i)));
  for (Bytes longer : {request, core, card}) {
    longer.push_back(0);
    EXPECT_FALSE(decode_generate_request(longer));
    EXPECT_FALSE(decode_receipt_core(longer));
    EXPECT_FALSE(decode_card(longer));
  }
}

TEST(Messages, decode_says_where_and_what) {
  const auto each = golden()["cases"][0];
  Bytes core = *from_hex(each["core"].get<std::string>());
  core[108] = 3;
  EXPECT_NE(decode_receipt_core(core).error().message.find("offset 108: finish reason 3"),
            std::string::npos);
  Bytes request = *from_hex(each["request"].get<std::string>());
  request[0] = 2;
  EXPECT_NE(decode_generate_request(request).error().message.find("version 2, expected 1"),
            std::string::npos);
  // A count that lies about what follows allocates nothing.
  Bytes lying = *from_hex(each["request"].get<std::string>());
  const std::size_t n_p_at = lying.size() - 8;
  lying[n_p_at + 3] = 0xff;
  EXPECT_NE(decode_generate_request(lying).error().message.find("n_p"), std::string::npos);
}

TEST(Messages, check_refuses_values_out_of_bounds) {
  const GenerateRequest good = request_of(golden()["cases"][0]);
  ASSERT_TRUE(check(good));
  const auto refused = [&](auto change) {
    GenerateRequest bad = good;
    change(bad);
    return !check(bad);
  };
  EXPECT_TRUE(refused([](auto& r) { r.prompt.clear(); }));
  EXPECT_TRUE(refused([](auto& r) { r.prompt.assign(limits::kPromptTokensMax + 1, 1); }));
  EXPECT_TRUE(refused([](auto& r) { r.prompt[0] = -1; }));
  EXPECT_TRUE(refused([](auto& r) { r.prompt[0] = static_cast<TokenId>(limits::kVocabularyMax); }));
  EXPECT_TRUE(refused([](auto& r) { r.max_tokens = 0; }));
  EXPECT_TRUE(refused([](auto& r) { r.max_tokens = limits::kNewTokensMax + 1; }));
  EXPECT_TRUE(
      refused([](auto& r) { r.sampling.temperature_milli = limits::kTemperatureMilliMax + 1; }));
  EXPECT_TRUE(refused([](auto& r) { r.sampling.top_p_65536 = 0; }));
  EXPECT_TRUE(refused([](auto& r) { r.sampling.top_p_65536 = 65537; }));
  EXPECT_TRUE(refused([](auto& r) { r.sampling.min_p_65536 = 65537; }));
}

TEST(Messages, every_field_changes_the_hash) {
  const GenerateRequest base = request_of(golden()["cases"][1]);
  std::vector<Hash256> seen{request_hash(base)};
  const auto add = [&](auto change) {
    GenerateRequest other = base;
    change(other);
    const Hash256 hash = request_hash(other);
    EXPECT_EQ(std::count(seen.begin(), seen.end(), hash), 0);
    seen.push_back(hash);
  };
  add([](auto& r) { r.card[31] ^= 1; });
  add([](auto& r) { r.charter[31] ^= 1; });
  add([](auto& r) { r.prompt[0] ^= 1; });
  add([](auto& r) { r.prompt.pop_back(); });
  add([](auto& r) { r.max_tokens ^= 1; });
  add([](auto& r) { r.sampling.temperature_milli ^= 1; });
  add([](auto& r) { r.sampling.top_p_65536 ^= 1; });
  add([](auto& r) { r.sampling.top_k ^= 1; });
  add([](auto& r) { r.sampling.min_p_65536 ^= 1; });
  add([](auto& r) { r.block_hash[0] ^= 1; });
  add([](auto& r) { r.slot ^= 1; });
  add([](auto& r) { r.nonce[0] ^= 1; });
  add([](auto& r) { r.audit_commitment[0] ^= 1; });
}

TEST(Messages, receipt_signature_covers_the_core) {
  OsRng rng;
  for (const crypto::Scheme scheme : {crypto::Scheme::kEd25519, crypto::Scheme::kSr25519}) {
    crypto::KeypairSigner signer(*crypto::Keypair::from_uri(scheme, "//Miner"), rng);
    auto receipt = sign_receipt(core_of(golden()["cases"][0]), signer);
    ASSERT_TRUE(receipt);
    EXPECT_TRUE(has_valid_signature(*receipt));
    Receipt changed = *receipt;
    changed.core.ids[0] ^= 1;
    EXPECT_FALSE(has_valid_signature(changed));
    changed = *receipt;
    changed.miner = crypto::Keypair::from_uri(scheme, "//Other")->public_key();
    EXPECT_FALSE(has_valid_signature(changed));
  }
}

}  // namespace
}  // namespace adit::protocol
