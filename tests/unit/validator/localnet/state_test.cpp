// SPDX-License-Identifier: MIT
#include "validator/localnet/state.hpp"

#include <gtest/gtest.h>

#include "common/chain/localnet_metadata.hpp"
#include "validator/localnet/admin_calls.hpp"

namespace adit::validator {
namespace {

class StateTest : public ::testing::Test {
 protected:
  static chain::Metadata load() {
    auto metadata = chain::Metadata::decode(chain::localnet_metadata());
    if (!metadata) throw std::runtime_error(metadata.error().message);
    return *std::move(metadata);
  }
  chain::Metadata metadata = load();
  VersionedMap base{10};
  State state{metadata, base, 0};
};

// Keys computed by other implementations.
TEST_F(StateTest, KeysAreTheChains) {
  AccountId bob{};
  const auto bytes = from_hex("8eaf04151687736326c9fea17e25fc5287613693c912909cb226aa4794f26a48");
  std::copy(bytes->begin(), bytes->end(), bob.begin());
  EXPECT_EQ(to_hex(state.key(subtensor("Tempo"), NetUid{1})),
            "658faa385070e074c85bf6b568cf05557641384bb339f3758acddfd7053d33170100");
  EXPECT_EQ(
      to_hex(state.key(subtensor("Uids"), NetUid{1}, bob)),
      "658faa385070e074c85bf6b568cf0555aab1b4e78e1ea8305462ee53b3686dc801004f9aea1afa791265fae359272badc1c"
      "f8eaf04151687736326c9fea17e25fc5287613693c912909cb226aa4794f26a48");
  EXPECT_EQ(to_hex(state.key(subtensor("RevealPeriodEpochs"), NetUid{1})),
            "658faa385070e074c85bf6b568cf05558f232bcbac768c1d6201850c60f161edf1577fbf1d628fdd0100");
  EXPECT_EQ(to_hex(state.key(Item{"System", "BlockHash"}, std::uint32_t{5})),
            "26aa394eea5630e07c48ae0c9558cef7a44704b568d21667356a5a050c11874639b9d2792f8bd4c305000000");
}

TEST_F(StateTest, DefaultsComeFromTheMetadata) {
  EXPECT_EQ(state.get<std::uint16_t>(subtensor("Kappa"), NetUid{1}), 32767);
  EXPECT_EQ(state.get<std::uint64_t>(subtensor("BondsMovingAverage"), NetUid{1}), 900000u);
  EXPECT_EQ(state.get<std::uint64_t>(subtensor("WeightsSetRateLimit"), NetUid{1}), 100u);
  EXPECT_EQ((state.get<std::pair<std::uint16_t, std::uint16_t>>(subtensor("AlphaValues"), NetUid{1})),
            (std::pair<std::uint16_t, std::uint16_t>{45875, 58982}));
  EXPECT_FALSE(state.find<Uid>(subtensor("Uids"), NetUid{1}, AccountId{}));
}

TEST_F(StateTest, RollbackUndoesExactlyItsOwnLevel) {
  const auto tempo = [&](std::uint16_t value) { state.put(subtensor("Tempo"), value, NetUid{1}); };
  const auto now = [&] { return state.get<std::uint16_t>(subtensor("Tempo"), NetUid{1}); };
  tempo(1);
  state.begin();
  tempo(2);
  state.begin();
  tempo(3);
  state.put(subtensor("Tempo"), std::uint16_t{9}, NetUid{2});
  state.rollback();
  EXPECT_EQ(now(), 2);
  EXPECT_FALSE(state.raw(state.key(subtensor("Tempo"), NetUid{2})));
  state.begin();
  tempo(4);
  state.commit();
  EXPECT_EQ(now(), 4);
  state.rollback();
  EXPECT_EQ(now(), 1);
  EXPECT_EQ(state.changes().size(), 1u);
}

TEST_F(StateTest, KeysUnderAPrefixMixBaseAndOverlay) {
  Changes stored;
  stored[state.key(subtensor("Tempo"), NetUid{1})] = encoded(std::uint16_t{1});
  stored[state.key(subtensor("Tempo"), NetUid{2})] = encoded(std::uint16_t{1});
  base.commit(0, stored);
  state.remove(subtensor("Tempo"), NetUid{1});
  state.put(subtensor("Tempo"), std::uint16_t{5}, NetUid{3});
  const std::vector<Bytes> keys = state.keys_under(state.key(subtensor("Tempo")));
  EXPECT_EQ(keys, (std::vector<Bytes>{state.key(subtensor("Tempo"), NetUid{2}),
                                      state.key(subtensor("Tempo"), NetUid{3})}));
}

// Each row names a call, an item and an event of the metadata, with one type for the value in all three.
TEST_F(StateTest, AdminTableAgreesWithTheMetadata) {
  for (const AdminCall& row : admin_calls()) {
    const auto call = metadata.call("AdminUtils", "sudo_set_" + std::string(row.name));
    ASSERT_TRUE(call) << row.name;
    const auto entry = metadata.storage("SubtensorModule", row.item);
    ASSERT_TRUE(entry) << row.item;
    const auto& fields = call->variant->fields;
    const bool of_subnet = fields.front().name == "netuid";
    EXPECT_EQ((*entry)->hashers.size(), of_subnet ? 1u : 0u) << row.name;
    if (fields.size() == (of_subnet ? 2u : 1u)) {
      EXPECT_EQ(metadata.types().describe(fields.back().type),
                metadata.types().describe((*entry)->value_type))
          << row.name;
    }
    if (row.event.empty()) continue;
    const auto event = metadata.event("SubtensorModule", row.event);
    ASSERT_TRUE(event) << row.event;
    ASSERT_EQ(event->variant->fields.size(), fields.size()) << row.name;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      EXPECT_EQ(metadata.types().describe(event->variant->fields[i].type),
                metadata.types().describe(fields[i].type))
          << row.name;
    }
  }
}

}  // namespace
}  // namespace adit::validator
