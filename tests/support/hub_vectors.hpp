// SPDX-License-Identifier: MIT
// tests/support/hub_vectors.hpp
//
// Checks a tokenizer against an entry of tests/vectors/tokenizer/hub.json (made by tests/conformance/
// tokenizer_hub.py): digests of ids over seeded texts, and readable cases.
#pragma once

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/base/bytes.hpp"
#include "common/crypto/hash.hpp"
#include "common/model/tokenizer.hpp"
#include "tests/support/text_corpus.hpp"

namespace adit::test {

inline nlohmann::json hub_vectors() {
  std::ifstream file(std::string(ADIT_TEST_VECTORS) + "/tokenizer/hub.json");
  if (!file) throw std::runtime_error("tokenizer/hub.json: cannot be opened");
  return nlohmann::json::parse(file);
}

// SHA-256 over blocks of 1000 items: u32 count and what follows, little-endian.
class BlockDigests {
 public:
  void add(std::uint32_t count, std::string_view body) {
    number(count);
    block_ += body;
    if (++items_ % 1000 == 0) finish();
  }
  void add(const std::vector<TokenId>& ids) {
    std::string body;
    body.reserve(ids.size() * 4);
    for (const TokenId id : ids) {
      for (int shift = 0; shift < 32; shift += 8)
        body.push_back(static_cast<char>(static_cast<std::uint32_t>(id) >> shift));
    }
    add(static_cast<std::uint32_t>(ids.size()), body);
  }
  [[nodiscard]] const std::vector<std::string>& digests() const { return digests_; }

 private:
  void number(std::uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) block_.push_back(static_cast<char>(value >> shift));
  }
  void finish() {
    digests_.push_back(to_hex(crypto::sha256(as_bytes(block_))));
    block_.clear();
  }
  std::string block_;
  std::size_t items_ = 0;
  std::vector<std::string> digests_;
};

inline void expect_digests(const BlockDigests& got, const nlohmann::json& wanted, const char* what) {
  if (wanted.is_null()) return;
  const auto& digests = got.digests();
  ASSERT_EQ(digests.size(), wanted.size()) << what;
  for (std::size_t i = 0; i < digests.size(); ++i) {
    EXPECT_EQ(digests[i], wanted[i].get<std::string>()) << what << ", texts from " << i * 1000;
  }
}

inline void check_hub_vectors(const model::Tokenizer& tokenizer, const nlohmann::json& entry) {
  for (const auto& one : entry.at("cases")) {
    EXPECT_EQ(tokenizer.encode(one.at("t").get<std::string>(), true).value(),
              one.at("i").get<std::vector<TokenId>>())
        << one.at("t");
  }
  TextCorpus corpus;
  BlockDigests ids;
  BlockDigests plain;
  BlockDigests decoded;
  const auto texts = entry.at("texts").get<std::uint32_t>();
  for (std::uint32_t i = 0; i < texts; ++i) {
    const std::string text = corpus.text(i);
    const std::vector<TokenId> parsed = tokenizer.encode(text, true).value();
    ids.add(parsed);
    plain.add(tokenizer.encode(text, false).value());
    const std::string back = tokenizer.decode(parsed);
    decoded.add(static_cast<std::uint32_t>(back.size()), back);
    model::StreamDecoder stream(tokenizer, false);
    std::string streamed;
    for (const TokenId id : parsed) {
      const std::string part = stream.push(id);
      ASSERT_TRUE(model::is_valid_utf8(part)) << "text " << i;
      streamed += part;
    }
    ASSERT_EQ(streamed + stream.finish(), back) << "text " << i;
  }
  expect_digests(ids, entry.at("ids"), "ids");
  expect_digests(plain, entry.at("plain"), "ids with special tokens as text");
  expect_digests(decoded, entry.at("decoded"), "decoded");
}

}  // namespace adit::test
