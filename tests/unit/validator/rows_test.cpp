// SPDX-License-Identifier: MIT
#include "validator/store/rows.hpp"

#include <gtest/gtest.h>

namespace adit::validator {
namespace {

PlanRow plan() {
  PlanRow row{.step = 7, .block = 140, .block_hash = {1}, .netuid = 2, .charter = {3}};
  row.secret_commitment = {4};
  row.revealed_secret = {5};
  row.software = "adit 0.1.0";
  row.miners = {{0, {9}}, {513, {8}}};
  return row;
}

AskedRow asked() {
  return {.step = 7, .slot = 3, .uid = 5, .hotkey = {6}, .family = "text.copy", .level = 2,
          .expected = "two", .request = {1, 2, 3}};
}

JudgedRow judged() {
  return {.step = 7, .slot = 3, .uid = 5, .hotkey = {6}, .verdict = protocol::Verdict::kTokenMismatch,
          .tokens = 31, .latency_ms = 250, .receipt = {7, 7}, .detail = "position 12"};
}

WeightsRow weights() {
  return {.step = 7, .block = 150, .version_key = 3, .nonce = 4, .uids = {0, 513}, .values = {65535, 0}};
}

SubmittedRow submitted() {
  return {.step = 7, .success = false, .block = 151, .block_hash = {2}, .error = "SettingWeightsTooFast"};
}

TEST(Rows, come_back_as_they_went) {
  EXPECT_EQ(decode_plan(encode_row(plan()).body).value(), plan());
  EXPECT_EQ(decode_asked(encode_row(asked()).body).value(), asked());
  EXPECT_EQ(decode_judged(encode_row(judged()).body).value(), judged());
  EXPECT_EQ(decode_weights(encode_row(weights()).body).value(), weights());
  EXPECT_EQ(decode_submitted(encode_row(submitted()).body).value(), submitted());
}

TEST(Rows, every_cut_and_every_extra_byte_is_refused_with_the_field) {
  const Bytes body = encode_row(judged()).body;
  for (std::size_t size = 0; size < body.size(); ++size) {
    const auto row = decode_judged(ByteView(body).first(size));
    ASSERT_FALSE(row) << size;
    EXPECT_NE(row.error().message.find("judged row: "), std::string::npos);
    EXPECT_NE(row.error().message.find("offset"), std::string::npos);
  }
  Bytes longer = body;
  longer.push_back(0);
  EXPECT_NE(decode_judged(longer).error().message.find("1 bytes too many"), std::string::npos);
}

TEST(Rows, a_list_longer_than_its_bytes_is_refused_before_anything_is_allocated) {
  Bytes body = encode_row(WeightsRow{}).body;
  body.back() = 0xfe;  // compact 4-byte form
  body.insert(body.end(), {0xff, 0xff, 0xff});
  EXPECT_NE(decode_weights(body).error().message.find("uids"), std::string::npos);
}

TEST(Rows, an_unknown_verdict_is_refused) {
  Bytes body = encode_row(judged()).body;
  body[8 + 8 + 2 + 32] = 0xff;
  EXPECT_NE(decode_judged(body).error().message.find("255 is none"), std::string::npos);
}

}  // namespace
}  // namespace adit::validator
