// SPDX-License-Identifier: MIT
#include "common/chain/localnet_metadata.hpp"
#include "tests/unit/common/chain/items.hpp"
#include "tests/unit/common/chain/vectors.hpp"

namespace adit::chain {
namespace {

Bytes stripped(ByteView blob) {
  auto out = strip_metadata(blob);
  EXPECT_TRUE(out.has_value()) << (out ? "" : out.error().message);
  return out ? *out : Bytes{};
}

// Every type of one registry, written out.
std::vector<std::string> type_lines(const Metadata& metadata) {
  std::vector<std::string> lines;
  for (TypeId id = 0; id < metadata.types().size(); ++id) {
    std::string line = std::to_string(id) + " " + metadata.types().describe(id);
    if (const VariantDef* def = metadata.types().variants(id)) {
      for (const Variant& v : def->variants) line += fmt::format(" {}={}", v.index, v.name);
    }
    if (const auto* composite = std::get_if<CompositeDef>(&metadata.types().find(id)->def)) {
      line += " " + joined(composite->fields, field_text);
    }
    lines.push_back(line);
  }
  return lines;
}

void expect_same_runtime(const Metadata& a, const Metadata& b) {
  EXPECT_EQ(a.version(), b.version());
  EXPECT_EQ(item_lines(a), item_lines(b));
  EXPECT_EQ(item_lines_v15(a), item_lines_v15(b));
  EXPECT_EQ(type_lines(a), type_lines(b));
}

TEST(StripMetadata, keeps_everything_but_the_prose) {
  for (const char* name : {"spec461-v14.scale", "spec461-v15.scale"}) {
    const Bytes blob = vector_bytes(name);
    const Bytes small = stripped(blob);
    EXPECT_LT(small.size(), blob.size() / 2) << name;
    expect_same_runtime(decoded(blob), decoded(small));
    EXPECT_EQ(as_text(small).find("Sets the caller weights"), std::string_view::npos);
    EXPECT_NE(as_text(blob).find("Sets the caller weights"), std::string_view::npos);
  }
}

TEST(StripMetadata, does_nothing_to_stripped_metadata) {
  for (const char* name : {"spec461-v15.scale", "spec393-v16-stripped.scale"}) {
    const Bytes once = stripped(vector_bytes(name));
    EXPECT_EQ(stripped(once), once) << name;
  }
}

TEST(StripMetadata, refuses_what_decode_refuses) {
  EXPECT_FALSE(strip_metadata(hex("6d6574610e")).has_value());
}

// The local chain's blob is spec 461 with one more storage item and another slot duration.
TEST(LocalnetMetadata, is_spec_461_with_the_two_documented_changes) {
  const Metadata local = decoded(localnet_metadata());
  EXPECT_EQ(stripped(localnet_metadata()), to_bytes(localnet_metadata()));
  auto ours = item_lines(local);
  auto original = item_lines(spec461());
  const std::string added =
      "storage SubtensorModule.SubnetEpochConsensus SubtensorModule Default Identity 2 00";
  ASSERT_EQ(std::erase(ours, added), 1u);
  const auto slot = local.constant("Aura", "SlotDuration");
  ASSERT_TRUE(slot.has_value());
  EXPECT_EQ(load_le<std::uint64_t>((*slot)->value.data()), 12000u);
  const auto is_slot = [](const std::string& line) {
    return line.starts_with("constant Aura.SlotDuration ");
  };
  ASSERT_EQ(std::erase_if(ours, is_slot), 1u);
  ASSERT_EQ(std::erase_if(original, is_slot), 1u);
  EXPECT_EQ(ours, original);
  EXPECT_EQ(type_lines(local), type_lines(spec461()));
}

}  // namespace
}  // namespace adit::chain
