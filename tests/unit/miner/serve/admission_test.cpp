// SPDX-License-Identifier: MIT
#include "miner/serve/admission.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace adit::miner {
namespace {

AccountId account(std::uint8_t tag) {
  AccountId out{};
  out[0] = tag;
  return out;
}

std::shared_ptr<const chain::Metagraph> metagraph() {
  auto out = std::make_shared<chain::Metagraph>();
  const auto add = [&](std::uint8_t tag, bool permit, Rao stake) {
    chain::Neuron neuron;
    neuron.uid = static_cast<Uid>(out->neurons.size());
    neuron.hotkey = account(tag);
    neuron.validator_permit = permit;
    neuron.stake = stake;
    out->neurons.push_back(neuron);
  };
  add(1, true, 1000);
  add(2, false, 5000);
  add(3, true, 999);
  return out;
}

TEST(Admission, asks_for_permit_and_stake) {
  const Admission admission({.require_permit = true, .min_stake = 1000}, account(9), metagraph);
  EXPECT_TRUE(admission.may_call(account(1)));
  EXPECT_NE(admission.may_call(account(2)).error().message.find("no validator permit"),
            std::string::npos);
  EXPECT_NE(admission.may_call(account(3)).error().message.find("999 rao"), std::string::npos);
  EXPECT_EQ(admission.may_call(account(4)).error().code, ErrorCode::kPermissionDenied);
  EXPECT_TRUE(admission.may_call(account(9)));
}

TEST(Admission, refuses_all_but_its_operator_before_the_first_metagraph) {
  const Admission admission({}, account(9),
                            [] { return std::shared_ptr<const chain::Metagraph>(); });
  EXPECT_EQ(admission.may_call(account(1)).error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(admission.may_call(account(9)));
}

TEST(Admission, the_quota_is_held_while_a_question_runs) {
  Admission admission({.questions_per_hotkey = 2}, account(9), metagraph);
  std::vector<Admission::Ticket> held;
  for (int i = 0; i < 2; ++i) held.push_back(admission.take(account(1)).value());
  EXPECT_EQ(admission.take(account(1)).error().code, ErrorCode::kResourceExhausted);
  EXPECT_TRUE(admission.take(account(2)));
  held.pop_back();
  EXPECT_TRUE(admission.take(account(1)));
}

}  // namespace
}  // namespace adit::miner
