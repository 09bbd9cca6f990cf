// SPDX-License-Identifier: MIT
// miner/fetch/retry.hpp
//
// What an HTTP answer means for the next try: go on, wait and try again, or give up, with the reason in words.
//
// In       transfers that brought no content; how many bytes each try brought.
// Errors   wait(): kUnavailable when it gives up. status_error(): the error of a status that no retry mends.
// Units    milliseconds.
// Threads  one per object.
// Source   RFC 9110 10.2.3 (Retry-After), 15.5, 15.6; the hub's X-Error-Code and X-Error-Message
// Tests    tests/unit/miner/fetch/fetch_test.cpp
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "common/base/result.hpp"
#include "miner/fetch/download.hpp"
#include "miner/fetch/http_get.hpp"

namespace adit::miner {

[[nodiscard]] bool may_pass(int status);
[[nodiscard]] tl::unexpected<Error> status_error(const std::string& url, const Transfer& transfer);
// Retry-After, if it is a number of seconds.
[[nodiscard]] std::optional<std::chrono::milliseconds> retry_after(const Transfer& transfer);

class Retrier {
 public:
  Retrier(const RetryPolicy& policy, const DownloadHooks& hooks, std::string url)
      : policy_(policy), hooks_(hooks), url_(std::move(url)) {}

  // Waits before the next try. received: bytes that the failed one brought.
  [[nodiscard]] Result<void> wait(const std::string& why, std::uint64_t received,
                                  std::optional<std::chrono::milliseconds> after = std::nullopt);
  // Waits if the answer's trouble may pass, or returns its error.
  [[nodiscard]] Result<void> wait(const Transfer& transfer, std::uint64_t received);

 private:
  const RetryPolicy& policy_;
  const DownloadHooks& hooks_;
  std::string url_;
  int failures_ = 0;
};

}  // namespace adit::miner
