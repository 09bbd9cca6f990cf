// SPDX-License-Identifier: MIT
#include "validator/step/secrets.hpp"

#include <gtest/gtest.h>

namespace adit::validator {
namespace {

Hash256 filled(std::uint8_t value) {
  Hash256 out;
  out.fill(value);
  return out;
}

// Expected values: hashlib.blake2b(data, digest_size=32, person=p.ljust(16, b"\\0")) of Python 3.11.
TEST(SlotSecrets, equal_an_independent_blake2b) {
  Hash256 e;
  for (std::size_t i = 0; i < e.size(); ++i) e[i] = static_cast<std::uint8_t>(i);
  const SlotSecrets slot = slot_secrets(e, 5, filled(1), filled(2));
  EXPECT_EQ(to_hex(slot.nonce), "afc34e83661173a404f7899ef6f7018fd2e92aeff0f817033b5b7a408c2685d9");
  EXPECT_EQ(to_hex(slot.audit_randomness),
            "a88ecbb366e9aab79497a495cee480c3c6eecb2c6745ded22119f43ffe3324af");
  EXPECT_EQ(to_hex(slot.audit_commitment),
            "dda7f478f9e1fdcf8d22f8352f9b967dc7bb273af0b8217e1f642386d575fcde");
  EXPECT_EQ(to_hex(slot.task_seed), "6ec0657d92ae5d4fd49926a9568ad792bf4f917becd3c34c0b6db0a7c65a3edc");
  EXPECT_EQ(to_hex(commitment_of(e)), "1a666761166de264372e37cd28b44e8d02d78d5448515511bfb7a2f5bd22e43b");
}

TEST(SlotSecrets, differ_by_slot_block_and_hotkey) {
  const auto base = slot_secrets(filled(9), 1, filled(1), filled(2));
  EXPECT_NE(slot_secrets(filled(9), 2, filled(1), filled(2)).nonce, base.nonce);
  EXPECT_NE(slot_secrets(filled(9), 1, filled(3), filled(2)).task_seed, base.task_seed);
  EXPECT_NE(slot_secrets(filled(9), 1, filled(1), filled(3)).task_seed, base.task_seed);
}

}  // namespace
}  // namespace adit::validator
