// SPDX-License-Identifier: MIT
#include "common/protocol/wire.hpp"

#include <gtest/gtest.h>

#include "common/base/limits.hpp"
#include "common/base/rng.hpp"

namespace adit::protocol {
namespace {

GenerateRequest sample_request() {
  GenerateRequest out;
  out.card.fill(1);
  out.charter.fill(2);
  out.prompt = {0, 1, 300, 49151};
  out.max_tokens = 77;
  out.sampling = {.temperature_milli = 600, .top_p_65536 = 62259, .top_k = 40, .min_p_65536 = 655};
  out.block_hash.fill(3);
  out.slot = 1ULL << 60;
  out.nonce.fill(4);
  out.audit_commitment.fill(5);
  return out;
}

Receipt sample_receipt() {
  Receipt out;
  out.core = {.card = {},
              .request = {},
              .seed = {},
              .n_p = 4,
              .n_g = 2,
              .ids = {9, 2},
              .finish = FinishReason::kStop,
              .trace_root = {}};
  out.miner.fill(6);
  out.signature.fill(7);
  return out;
}

TEST(Wire, messages_come_back_as_they_were) {
  EXPECT_EQ(*decode_request(encode_request(sample_request())), sample_request());
  EXPECT_TRUE(decode_describe_request(encode_describe_request()));
  Description description;
  description.card.stop_ids = {2};
  description.model_name = "SmolLM2-135M";
  description.software = "adit/0.1";
  description.batch_max = 8;
  EXPECT_EQ(*decode_description(encode_description(description)), description);
  const Chunk tokens{std::vector<TokenId>{1, 2, 49151}};
  EXPECT_EQ(*decode_chunk(encode_chunk(tokens)), tokens);
  const Chunk receipt{sample_receipt()};
  EXPECT_EQ(*decode_chunk(encode_chunk(receipt)), receipt);
}

TEST(Wire, refuses_unknown_fields) {
  Bytes request = encode_request(sample_request());
  // Field 200, varint 1.
  for (const std::uint8_t byte : {0xc0, 0x0c, 0x01}) request.push_back(byte);
  EXPECT_NE(decode_request(request).error().message.find("does not know"), std::string::npos);
  EXPECT_FALSE(decode_describe_request(Bytes{0x08, 0x01}));
  EXPECT_FALSE(decode_chunk(Bytes{}));
}

TEST(Wire, refuses_wrong_sizes_by_field_name) {
  Bytes request = encode_request(sample_request());
  // Field 1 is first: tag 0x0a, length 32. Shorten the card by a byte.
  ASSERT_EQ(request[1], 32);
  request[1] = 31;
  request.erase(request.begin() + 2);
  EXPECT_NE(decode_request(request).error().message.find("request.card: 31 bytes, expected 32"),
            std::string::npos);
  EXPECT_FALSE(decode_request(Bytes(limits::kRequestBytesMax + 1, 0)));
}

TEST(Wire, survives_random_damage) {
  SeededRng rng(7);
  const std::vector<Bytes> seeds{encode_request(sample_request()),
                                 encode_chunk(Chunk{sample_receipt()}),
                                 encode_description(Description{})};
  for (int i = 0; i < 20000; ++i) {
    Bytes damaged = seeds[rng.below(seeds.size())];
    for (std::uint64_t n = rng.below(4) + 1; n > 0 && !damaged.empty(); --n) {
      damaged[rng.below(damaged.size())] = static_cast<std::uint8_t>(rng.next());
      if (rng.below(4) == 0) damaged.resize(rng.below(damaged.size() + 1));
    }
    const auto request = decode_request(damaged);
    if (request) {
      EXPECT_EQ(*decode_request(encode_request(*request)), *request);
    }
    static_cast<void>(decode_chunk(damaged));
    static_cast<void>(decode_description(damaged));
  }
}

}  // namespace
}  // namespace adit::protocol
