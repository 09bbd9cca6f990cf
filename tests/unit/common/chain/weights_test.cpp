// SPDX-License-Identifier: MIT
#include "common/chain/weights.hpp"

#include "tests/unit/common/chain/vectors.hpp"

namespace adit::chain {
namespace {

std::vector<std::uint16_t> u16(std::vector<std::uint64_t> scores) {
  return to_u16(scores);
}

TEST(Weights, scale_to_the_largest) {
  EXPECT_EQ(u16({1, 2, 4}), (std::vector<std::uint16_t>{16384, 32768, 65535}));
  EXPECT_EQ(u16({0, 7, 0}), (std::vector<std::uint16_t>{0, 65535, 0}));
  EXPECT_EQ(u16({0, 0}), (std::vector<std::uint16_t>{0, 0}));
  EXPECT_TRUE(u16({}).empty());
  EXPECT_EQ(u16({1, 3}), (std::vector<std::uint16_t>{21845, 65535}));
  // Half rounds up: 65535 / 2 = 32767.5.
  EXPECT_EQ(u16({1, 2}), (std::vector<std::uint16_t>{32768, 65535}));
  EXPECT_EQ(u16({1, 131070, 131071}), (std::vector<std::uint16_t>{0, 65535, 65535}));
  EXPECT_EQ(u16({1, 131069}), (std::vector<std::uint16_t>{1, 65535}));
}

TEST(Weights, hold_for_the_widest_scores) {
  const std::uint64_t most = UINT64_MAX;
  EXPECT_EQ(u16({most, most / 2, most - 1}), (std::vector<std::uint16_t>{65535, 32767, 65535}));
}

Metagraph subnet() {
  Metagraph m{.netuid = 1,
              .block = 1000,
              .weights_version = 5,
              .weights_rate_limit = 100,
              .min_allowed_weights = 2,
              .stake_threshold = 10};
  for (Uid uid = 0; uid < 3; ++uid) {
    Neuron neuron{.uid = uid, .validator_permit = uid == 0, .stake = 10, .last_update = 0};
    neuron.hotkey[0] = static_cast<std::uint8_t>(uid + 1);
    m.neurons.push_back(neuron);
  }
  return m;
}

std::string why(const Metagraph& m, std::vector<Uid> uids, std::vector<std::uint16_t> values, int who = 0,
                std::uint64_t version = 5) {
  AccountId hotkey{};
  hotkey[0] = static_cast<std::uint8_t>(who + 1);
  const auto checked = preflight(m, hotkey, uids, values, version);
  if (checked) return "";
  EXPECT_EQ(checked.error().code, ErrorCode::kFailedPrecondition);
  return checked.error().message.substr(0, checked.error().message.find(':'));
}

TEST(Preflight, passes_a_good_row) {
  EXPECT_EQ(why(subnet(), {0, 1}, {1, 2}), "");
  EXPECT_EQ(why(subnet(), {1}, {1}, 1), "");  // to itself: needs neither permit nor length
  Metagraph m = subnet();
  m.neurons[0].last_update = 901;  // the row lands in block 1001 at the earliest
  EXPECT_EQ(why(m, {0, 1}, {1, 2}), "");
  m.weights_version = 0;
  EXPECT_EQ(why(m, {0, 1}, {1, 2}, 0, 0), "");
}

TEST(Preflight, names_what_the_chain_would_say) {
  Metagraph m = subnet();
  EXPECT_EQ(why(m, {0, 1}, {1}), "WeightVecNotEqualSize");
  EXPECT_EQ(why(m, {0, 1, 2, 3}, {1, 1, 1, 1}), "UidsLengthExceedUidsInSubNet");
  EXPECT_EQ(why(m, {0, 1}, {1, 1}, 9), "HotKeyNotRegisteredInSubNet");
  EXPECT_EQ(why(m, {0, 1}, {1, 1}, 0, 4), "IncorrectWeightVersionKey");
  EXPECT_EQ(why(m, {0, 1}, {1, 1}, 1), "NeuronNoValidatorPermit");
  EXPECT_EQ(why(m, {1, 1}, {1, 1}), "DuplicateUids");
  EXPECT_EQ(why(m, {1, 3}, {1, 1}), "UidVecContainInvalidOne");
  EXPECT_EQ(why(m, {1}, {1}), "WeightVecLengthIsLow");
  m.neurons[0].stake = 9;
  EXPECT_EQ(why(m, {0, 1}, {1, 1}), "NotEnoughStakeToSetWeights");
  m = subnet();
  m.neurons[0].last_update = 902;
  EXPECT_EQ(why(m, {0, 1}, {1, 1}), "SettingWeightsTooFast");
  m.neurons[0].last_update = 5000;
  EXPECT_EQ(why(m, {0, 1}, {1, 1}), "SettingWeightsTooFast");
  m = subnet();
  m.commit_reveal = true;
  EXPECT_EQ(why(m, {0, 1}, {1, 1}), "CommitRevealEnabled");
  m = subnet();
  m.netuid = 0;
  EXPECT_EQ(why(m, {0, 1}, {1, 1}), "CanNotSetRootNetworkWeights");
}

}  // namespace
}  // namespace adit::chain
