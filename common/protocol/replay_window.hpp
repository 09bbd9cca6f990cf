// SPDX-License-Identifier: MIT
// common/protocol/replay_window.hpp
//
// Remembers which (hotkey, nonce) pairs were used, as long as such a nonce could still be fresh.
//
// In       nonce: unix nanoseconds, already checked for freshness; now_ns: the same clock.
// Out      record: true once per pair within the retention.
// Errors   kUnauthenticated: used before. kResourceExhausted: this hotkey, or all together, hold
//          as many live entries as allowed (never forgets a live one to make room: full means
//          refuse).
// Units    retention_ns counts from the nonce, not from its arrival: entries need no time of their
//          own.
// Threads  any; one mutex.
// Tests    tests/unit/common/protocol/replay_window_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>

#include "common/base/limits.hpp"
#include "common/base/result.hpp"
#include "common/base/strong.hpp"

namespace adit::protocol {

struct ReplayLimits {
  std::uint64_t retention_ns = limits::kReplayRetentionNs;
  std::size_t entries_max = limits::kReplayEntriesMax;
  std::size_t entries_per_hotkey_max = limits::kReplayEntriesPerHotkeyMax;
};

class ReplayWindow {
 public:
  explicit ReplayWindow(ReplayLimits limits = {}) : limits_(limits) {}
  [[nodiscard]] Result<void> record(const AccountId& hotkey, std::uint64_t nonce,
                                    std::uint64_t now_ns);
  // Live entries of all hotkeys after the last record.
  [[nodiscard]] std::size_t size() const;

 private:
  void forget_before(std::uint64_t horizon_ns);

  const ReplayLimits limits_;
  mutable std::mutex mutex_;
  std::map<AccountId, std::set<std::uint64_t>> used_;
  std::size_t entries_ = 0;
  // The newest clock reading: a clock that steps back forgets nothing and re-admits nothing.
  std::uint64_t newest_now_ns_ = 0;
  std::uint64_t next_sweep_ns_ = 0;
};

}  // namespace adit::protocol
