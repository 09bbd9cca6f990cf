// SPDX-License-Identifier: MIT
#include "common/chain/events.hpp"

#include "tests/unit/common/chain/vectors.hpp"

namespace adit::chain {
namespace {

Bytes recorded() {
  const auto lines = byte_lines("events");
  return hex(lines.at(0).at(1));
}

// Seven records made by bittensor-core.
TEST(Events, reads_a_block_s_records) {
  const std::vector<Event> events = ok(decode_events(spec461(), recorded()));
  ASSERT_EQ(events.size(), 7u);
  EXPECT_EQ(events[0].phase, Phase::kInitialization);
  EXPECT_TRUE(events[0].is("SubtensorModule", "TimelockedWeightsRevealed"));
  EXPECT_EQ(to_hex(events[0].fields), "0100" + to_hex(alice()));
  EXPECT_EQ(events[1].phase, Phase::kApplyExtrinsic);
  EXPECT_EQ(events[1].extrinsic_index, 1u);
  EXPECT_TRUE(events[1].is("SubtensorModule", "WeightsSet"));
  EXPECT_EQ(to_hex(events[1].fields), "01000300");
  EXPECT_TRUE(events[2].is("System", "ExtrinsicSuccess"));
  EXPECT_EQ(events[5].extrinsic_index, 4u);
  EXPECT_EQ(events[6].phase, Phase::kFinalization);
  EXPECT_TRUE(events[6].is("Balances", "Deposit"));
}

TEST(Events, names_dispatch_errors) {
  const std::vector<Event> events = ok(decode_events(spec461(), recorded()));
  ASSERT_EQ(events.size(), 7u);
  EXPECT_EQ(dispatch_error_text(spec461(), events[3].fields), "SubtensorModule.IncorrectWeightVersionKey");
  EXPECT_EQ(dispatch_error_text(spec461(), events[4].fields), "BadOrigin");
  EXPECT_EQ(dispatch_error_text(spec461(), events[5].fields), "Token.FundsUnavailable");
  EXPECT_EQ(dispatch_error_text(spec461(), hex("0307ff000000")), "error 255 of pallet 7");
  EXPECT_EQ(dispatch_error_text(spec461(), hex("ee")),
            "unreadable dispatch error 0xee (no dispatch error 238)");
  EXPECT_NE(dispatch_error_text(spec461(), {}).find("unreadable"), std::string::npos);
}

TEST(Events, module_errors_go_both_ways) {
  const Bytes error = ok(encode_module_error(spec461(), "SubtensorModule", "SettingWeightsTooFast"));
  EXPECT_EQ(error.size(), 6u);
  EXPECT_EQ(dispatch_error_text(spec461(), error), "SubtensorModule.SettingWeightsTooFast");
  EXPECT_FALSE(encode_module_error(spec461(), "SubtensorModule", "Nothing").has_value());
}

TEST(Events, encode_is_the_inverse) {
  const std::vector<Event> events = ok(decode_events(spec461(), recorded()));
  const Bytes encoded = ok(encode_events(spec461(), events));
  EXPECT_EQ(encoded.size() + 32, recorded().size());  // one record had a topic, which is not kept
  const std::vector<Event> again = ok(decode_events(spec461(), encoded));
  ASSERT_EQ(again.size(), events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(again[i].fields, events[i].fields);
    EXPECT_EQ(again[i].name, events[i].name);
  }
  Event wrong = events[1];
  wrong.fields.push_back(0);
  EXPECT_FALSE(encode_events(spec461(), std::vector{wrong}).has_value());
}

TEST(Events, refuses_broken_records) {
  const Bytes whole = recorded();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_events(spec461(), ByteView(whole).first(size)).has_value()) << size;
  }
  EXPECT_EQ(decode_events(spec461(), hex("0403")).error().code, ErrorCode::kInvalidArgument);
  const auto unknown = decode_events(spec461(), hex("040007000000"
                                                    "fe01"
                                                    "00"));
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().message, "event 0: the runtime has no pallet with index 254");
}

}  // namespace
}  // namespace adit::chain
