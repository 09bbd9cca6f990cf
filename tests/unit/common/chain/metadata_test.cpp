// SPDX-License-Identifier: MIT
#include "common/chain/metadata.hpp"

#include <algorithm>

#include "tests/unit/common/chain/items.hpp"
#include "tests/unit/common/chain/vectors.hpp"

namespace adit::chain {
namespace {

void expect_lines(std::vector<std::string> ours, std::vector<std::string> theirs) {
  for (auto* lines : {&ours, &theirs}) {
    for (std::string& line : *lines) line.erase(line.find_last_not_of(' ') + 1);
    // The other implementations keep some lists in another order.
    std::sort(lines->begin(), lines->end());
  }
  ASSERT_EQ(ours.size(), theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) ASSERT_EQ(ours[i], theirs[i]);
}

TEST(Metadata, v14_lists_what_scalecodec_lists) {
  const Metadata metadata = decoded(vector_bytes("spec461-v14.scale"));
  EXPECT_EQ(metadata.version(), 14);
  expect_lines(item_lines(metadata), vector_lines("spec461-v14-items.txt"));
}

TEST(Metadata, v15_lists_what_bittensor_core_lists) {
  EXPECT_EQ(spec461().version(), 15);
  expect_lines(item_lines_v15(spec461()), vector_lines("spec461-v15-items.txt"));
}

TEST(Metadata, v16_lists_what_polkadot_js_lists) {
  const Metadata metadata = decoded(vector_bytes("spec393-v16-stripped.scale"));
  EXPECT_EQ(metadata.version(), 16);
  expect_lines(item_lines(metadata), vector_lines("spec393-v16-items.txt"));
}

TEST(Metadata, v14_and_v15_of_one_runtime_agree) {
  const Metadata v14 = decoded(vector_bytes("spec461-v14.scale"));
  auto older = item_lines(v14);
  auto newer = item_lines(spec461());
  // The two registries number the extensions' types differently; their names are compared above.
  const auto is_extension = [](const std::string& line) { return line.starts_with("extension "); };
  EXPECT_EQ(std::erase_if(older, is_extension), std::erase_if(newer, is_extension));
  EXPECT_EQ(older, newer);
}

TEST(Metadata, looks_up_by_name_and_by_index) {
  const auto by_name = spec461().call("SubtensorModule", "set_mechanism_weights");
  ASSERT_TRUE(by_name.has_value());
  EXPECT_EQ(by_name->pallet->index, 7);
  EXPECT_EQ(by_name->variant->index, 119);
  ASSERT_EQ(by_name->variant->fields.size(), 5u);
  EXPECT_EQ(by_name->variant->fields[0].name, "netuid");
  EXPECT_EQ(spec461().types().describe(by_name->variant->fields[2].type), "Vec<u16>");
  const auto by_index = spec461().call(std::uint8_t{7}, std::uint8_t{119});
  ASSERT_TRUE(by_index.has_value());
  EXPECT_EQ(by_index->full_name(), "SubtensorModule.set_mechanism_weights");
  EXPECT_EQ(spec461().event("System", "ExtrinsicSuccess")->variant->index, 0);
  const auto version = spec461().runtime_version();
  ASSERT_TRUE(version.has_value()) << version.error().message;
  EXPECT_EQ(version->spec_name, "node-subtensor");
  EXPECT_EQ(version->spec_version, 461u);
  EXPECT_EQ(version->transaction_version, 1u);
}

TEST(Metadata, names_what_is_missing) {
  EXPECT_EQ(spec461().call("SubtensorModule", "no_such").error().message,
            "the runtime has no call SubtensorModule.no_such");
  EXPECT_EQ(spec461().error("Nothing", "x").error().message, "the runtime has no pallet Nothing");
  EXPECT_EQ(spec461().error(std::uint8_t{7}, std::uint8_t{255}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(spec461().storage("System", "Nothing").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(spec461().constant("System", "Nothing").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(spec461().runtime_api("Core", "nothing").error().code, ErrorCode::kNotFound);
}

TEST(Metadata, refuses_what_is_not_metadata) {
  EXPECT_FALSE(Metadata::decode({}).has_value());
  EXPECT_EQ(Metadata::decode(hex("00112233aa")).error().message,
            "metadata: offset 0: expected \"meta\", got 33221100");
  EXPECT_EQ(Metadata::decode(hex("6d6574610d00")).error().message,
            "metadata: offset 4: version 13, expected 14, 15 or 16");
}

TEST(Metadata, refuses_every_truncation_and_extra_bytes) {
  Bytes blob = vector_bytes("spec393-v16-stripped.scale");
  for (std::size_t size = 0; size < blob.size(); size += (size < 2000 ? 1 : 997)) {
    ASSERT_FALSE(Metadata::decode(ByteView(blob).first(size)).has_value()) << size;
  }
  blob.push_back(0);
  const auto extra = Metadata::decode(blob);
  ASSERT_FALSE(extra.has_value());
  EXPECT_NE(extra.error().message.find("1 bytes too many"), std::string::npos) << extra.error().message;
}

// A registry of one type, Vec<type 10>, and nothing else.
TEST(Metadata, refuses_a_type_id_out_of_range) {
  const auto metadata =
      Metadata::decode(hex("6d6574610e"
                           "04"
                           "00000002"
                           "28"
                           "00"
                           "00"
                           "00"
                           "04"
                           "00"
                           "00"));
  ASSERT_FALSE(metadata.has_value());
  EXPECT_EQ(metadata.error().message, "metadata: offset 10: type id 10 of 1");
}

TEST(Metadata, refuses_counts_that_cannot_fit) {
  const auto metadata =
      Metadata::decode(hex("6d6574610e"
                           "fefffffff0"));
  ASSERT_FALSE(metadata.has_value());
  EXPECT_EQ(metadata.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace adit::chain
