// SPDX-License-Identifier: MIT
// validator/commit/weight_setter.hpp
//
// Puts a weight vector on chain and proves that it is there: preflight, submission, the event, the stored row.
//
// In       a WeightsRow that is already in the ledger (with the account nonce from before the submission).
// Out      submit: what became of it, ready for the ledger. recover: the same for a vector whose submission was
//          cut off by a crash; none while the transaction may still be included.
// Errors   kFailedPrecondition: the chain would refuse (preflight names the rule); kUnavailable: no answer from
//          the chain, nothing is known: call recover later.
// Once     A vector is submitted once: recover answers "not sent" only if the account nonce has not moved and
//          the node's pool holds nothing of ours, so that a second submission cannot be a repeat.
// Threads  one.
// Source   subtensor st@425 pallets/subtensor/src/subnets/weights.rs (do_set_mechanism_weights)
// Tests    tests/unit/validator/weight_setter_test.cpp, tests/integration/validator_kill_test.cpp
#pragma once

#include <optional>

#include "common/chain/client.hpp"
#include "validator/store/rows.hpp"

namespace adit::validator {

class WeightSetter {
 public:
  WeightSetter(chain::ChainClient& chain, crypto::Signer& signer, NetUid netuid, MechId mechanism)
      : chain_(chain), signer_(signer), netuid_(netuid), mechanism_(mechanism) {}

  // The hotkey's account nonce as of the chain's head.
  [[nodiscard]] Result<std::uint32_t> account_nonce();
  // What the chain's own checks would say now.
  [[nodiscard]] Result<void> preflight(const chain::Metagraph& graph, const WeightsRow& row) const;
  [[nodiscard]] Result<SubmittedRow> submit(const WeightsRow& row);

  enum class Fate : std::uint8_t { kLanded, kFailed, kNotSent, kUnknown };
  struct Recovered {
    Fate fate = Fate::kUnknown;
    SubmittedRow row;  // for kLanded and kFailed
  };
  [[nodiscard]] Result<Recovered> recover(const WeightsRow& row);

 private:
  // Whether our row on chain is this vector and was set after it was made.
  [[nodiscard]] Result<bool> stands_on_chain(const WeightsRow& row, const chain::Metagraph& graph);

  chain::ChainClient& chain_;
  crypto::Signer& signer_;
  NetUid netuid_;
  MechId mechanism_;
};

}  // namespace adit::validator
