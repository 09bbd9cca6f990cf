// SPDX-License-Identifier: MIT
#include "common/chain/storage_key.hpp"

#include "tests/unit/common/chain/vectors.hpp"

namespace adit::chain {
namespace {

std::string key(std::string_view pallet, std::string_view item, const std::vector<Bytes>& parts = {}) {
  return to_hex(ok(storage_key(spec461(), pallet, item, parts)));
}

// Computed with polkadot.js; the prefix scheme was checked against a running node.
TEST(StorageKey, makes_the_full_keys_of_the_chain) {
  const std::string module = "658faa385070e074c85bf6b568cf0555";
  const std::string bob_key = "4f9aea1afa791265fae359272badc1cf" + to_hex(bob());
  EXPECT_EQ(key("SubtensorModule", "Tempo", {key_u16(1)}), module + "7641384bb339f3758acddfd7053d33170100");
  EXPECT_EQ(key("SubtensorModule", "Keys", {key_u16(1), key_u16(0)}),
            module + "9f99a2ce711f3a31b2fc05604c93f17901000000");
  EXPECT_EQ(
      key("SubtensorModule", "Uids", {key_u16(1), to_bytes(alice())}),
      module + "aab1b4e78e1ea8305462ee53b3686dc80100de1e86a9a8c739864cf3cc5ec2bea59f" + to_hex(alice()));
  EXPECT_EQ(key("SubtensorModule", "Uids", {key_u16(1), to_bytes(bob())}),
            module + "aab1b4e78e1ea8305462ee53b3686dc80100" + bob_key);
  EXPECT_EQ(key("SubtensorModule", "Axons", {key_u16(1), to_bytes(bob())}),
            module + "b4e0c7b1d5f74994fcd58c28ab601fec0100" + bob_key);
  EXPECT_EQ(key("SubtensorModule", "Weights", {key_u16(4097), key_u16(0)}),
            module + "a1e7036061f484bc3048a64b64e35ec401100000");
  EXPECT_EQ(key("SubtensorModule", "LastUpdate", {key_u16(1)}),
            module + "696e262a16e52255a69d8acd793541460100");
  EXPECT_EQ(key("SubtensorModule", "RevealPeriodEpochs", {key_u16(1)}),
            module + "8f232bcbac768c1d6201850c60f161edf1577fbf1d628fdd0100");
  EXPECT_EQ(key("SubtensorModule", "Yuma3On", {key_u16(1)}),
            module + "dd640da43c4f8e3feabfdf1f232d8534ead9a09ae23f059006f2bea50e245ff40100");
  EXPECT_EQ(
      key("SubtensorModule", "WeightCommits", {key_u16(1), to_bytes(bob())}),
      module + "9f14c8e879f1adfb03db481d61f6798cf1577fbf1d628fdd0100a647e755c30521d3" + to_hex(bob()));
  EXPECT_EQ(key("Drand", "Pulses", {key_u64(1000)}),
            "a285cdb66e8b8524ea70b1693c7b1e050d8e70fd32bfb1639703f9a23d15b15e"
            "646b8858c86fefefe34a7c69e60c9917e803000000000000");
  EXPECT_EQ(key("System", "Account", {to_bytes(alice())}),
            "26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9"
            "de1e86a9a8c739864cf3cc5ec2bea59f" +
                to_hex(alice()));
  EXPECT_EQ(key("System", "BlockHash", {key_u32(5)}),
            "26aa394eea5630e07c48ae0c9558cef7a44704b568d21667356a5a050c11874639b9d2792f8bd4c305000000");
  EXPECT_EQ(key("Commitments", "CommitmentOf", {key_u16(1), to_bytes(bob())}),
            "ca407206ec1ab726b2636c4b145ac287419a60ae8b01e6dcaebd7317e43c69bf0100a647e755c30521d3" +
                to_hex(bob()));
}

TEST(StorageKey, equals_bittensor_core) {
  const std::vector<std::pair<std::string, std::vector<Bytes>>> parts = {
      {"SubtensorModule.Keys", {key_u16(1), key_u16(3)}},
      {"SubtensorModule.TotalHotkeyAlpha", {to_bytes(bob()), key_u16(1)}},
      {"SubtensorModule.Owner", {to_bytes(bob())}},
      {"SubtensorModule.Weights", {key_u16(4097), key_u16(2)}},
      {"SubtensorModule.StakeThreshold", {}},
      {"System.Events", {}},
  };
  for (const auto& [name, values] : parts) {
    const auto dot = name.find('.');
    EXPECT_EQ(key(name.substr(0, dot), name.substr(dot + 1), values), to_hex(byte_vector("key", name)))
        << name;
  }
}

TEST(StorageKey, gives_prefixes_and_refuses_too_many_parts) {
  const StorageEntry* entry = ok(spec461().storage("SubtensorModule", "Keys"));
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(ok(storage_key(*entry)), storage_prefix("SubtensorModule", "Keys"));
  const std::vector<Bytes> three(3, key_u16(1));
  const auto refused = storage_key(*entry, three);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message, "storage SubtensorModule.Keys takes 2 key parts, got 3");
}

}  // namespace
}  // namespace adit::chain
