// SPDX-License-Identifier: MIT
// miner/serve/admission.hpp
//
// Who may ask: validators by permit and stake, each for a bounded number of questions at a time.
//
// Errors   may_call: kPermissionDenied naming what is missing; kUnavailable before the first
//          metagraph. take: kResourceExhausted over the quota.
// Units    stake in rao.
// Threads  any.
// Tests    tests/unit/miner/serve/admission_test.cpp
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "common/base/result.hpp"
#include "common/chain/client.hpp"

namespace adit::miner {

struct AdmissionRules {
  bool require_permit = true;
  Rao min_stake = 0;
  // Questions of one hotkey that run or wait at the same time.
  std::uint32_t questions_per_hotkey = 4;
};

class Admission {
 public:
  using Snapshot = std::function<std::shared_ptr<const chain::Metagraph>()>;
  // `own`: this miner's hotkey, which may always call (its operator).
  Admission(AdmissionRules rules, const AccountId& own, Snapshot snapshot)
      : rules_(rules), own_(own), snapshot_(std::move(snapshot)) {}

  [[nodiscard]] Result<void> may_call(const AccountId& hotkey) const;

  // Holds one place of a hotkey's quota.
  class Ticket {
   public:
    Ticket(Admission& admission, const AccountId& hotkey)
        : admission_(&admission), hotkey_(hotkey) {}
    Ticket(Ticket&& other) noexcept : admission_(other.admission_), hotkey_(other.hotkey_) {
      other.admission_ = nullptr;
    }
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
      if (admission_ != nullptr) admission_->give_back(hotkey_);
    }

   private:
    Admission* admission_;
    AccountId hotkey_;
  };
  [[nodiscard]] Result<Ticket> take(const AccountId& hotkey);

 private:
  void give_back(const AccountId& hotkey);

  const AdmissionRules rules_;
  const AccountId own_;
  const Snapshot snapshot_;
  std::mutex mutex_;
  std::map<AccountId, std::uint32_t> held_;
};

}  // namespace adit::miner
