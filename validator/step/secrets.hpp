// SPDX-License-Identifier: MIT
// validator/step/secrets.hpp
//
// What a step's secret e determines: nonces, tasks and audit randomness of every slot. e is committed in the
// step's plan and published in the next one, so that anybody can see that nothing was picked.
//
// In       e: 32 random bytes, one a step. slot: one question to one miner.
// Out      nonce = B2("adit1.non", e ‖ slot u64), r = B2("adit1.rnd", e ‖ slot), C = B2("adit1.com", r),
//          task seed = B2("adit1.task", e ‖ slot ‖ block hash ‖ hotkey), commitment = B2("adit1.sec", e).
// Threads  pure.
// Source   design "Receipts and audit", Objects
// Tests    tests/unit/validator/secrets_test.cpp
#pragma once

#include "common/base/bytes.hpp"
#include "common/base/strong.hpp"

namespace adit::validator {

struct SlotSecrets {
  Hash256 nonce{};
  Hash256 audit_randomness{};
  Hash256 audit_commitment{};
  Hash256 task_seed{};
};

[[nodiscard]] Hash256 commitment_of(const Hash256& secret);
[[nodiscard]] SlotSecrets slot_secrets(const Hash256& secret, std::uint64_t slot, const Hash256& block_hash,
                                       const AccountId& hotkey);

}  // namespace adit::validator
