// SPDX-License-Identifier: MIT
// common/crypto/signer.hpp
//
// The Signer seam: what signs may be a key in memory or, later, a device; callers see the account only.
//
// Errors   sign: whatever the device says; KeypairSigner never fails.
// Threads  sign may be called from any thread.
// Tests    tests/unit/common/crypto/keypair_test.cpp
#pragma once

#include <mutex>
#include <utility>

#include "common/crypto/keypair.hpp"

namespace adit::crypto {

class Signer {
 public:
  virtual ~Signer() = default;
  [[nodiscard]] virtual const AccountId& account() const = 0;
  [[nodiscard]] virtual Scheme scheme() const = 0;
  [[nodiscard]] virtual Result<Signature> sign(ByteView message) = 0;
};

// Signs with a key held in memory. `rng` outlives the signer and is used by one thread at a time.
class KeypairSigner final : public Signer {
 public:
  KeypairSigner(Keypair keypair, Rng& rng) : keypair_(std::move(keypair)), rng_(rng) {}
  [[nodiscard]] const AccountId& account() const override { return keypair_.public_key(); }
  [[nodiscard]] Scheme scheme() const override { return keypair_.scheme(); }
  [[nodiscard]] Result<Signature> sign(ByteView message) override {
    const std::lock_guard lock(mutex_);
    return keypair_.sign(message, rng_);
  }

 private:
  const Keypair keypair_;
  std::mutex mutex_;
  Rng& rng_;
};

}  // namespace adit::crypto
