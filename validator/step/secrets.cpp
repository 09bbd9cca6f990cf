// SPDX-License-Identifier: MIT
#include "validator/step/secrets.hpp"

#include "common/crypto/hash.hpp"

namespace adit::validator {

Hash256 commitment_of(const Hash256& secret) { return crypto::b2("adit1.sec", secret); }

SlotSecrets slot_secrets(const Hash256& secret, std::uint64_t slot, const Hash256& block_hash,
                         const AccountId& hotkey) {
  Bytes bound = to_bytes(secret);
  append_le<std::uint64_t>(bound, slot);
  SlotSecrets out;
  out.nonce = crypto::b2("adit1.non", bound);
  out.audit_randomness = crypto::b2("adit1.rnd", bound);
  out.audit_commitment = crypto::b2("adit1.com", out.audit_randomness);
  append(bound, block_hash);
  append(bound, hotkey);
  out.task_seed = crypto::b2("adit1.task", bound);
  return out;
}

}  // namespace adit::validator
