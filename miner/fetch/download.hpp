// SPDX-License-Identifier: MIT
// miner/fetch/download.hpp
//
// One file of a repository, from its address to its place: resumed where it broke, checked, then renamed.
//
// In       target: where it shall lie; the bytes grow in `<target>.part`. wanted: size and digest, if known; what
//          the endpoint says of the file itself must agree.
// Out      the file, complete, synced and checked, or what stood there before; `.part` stays after a failure, so
//          that the next run goes on from it.
// Errors   kUnavailable (dropped, busy, or too slow again and again), kUnauthenticated (401), kPermissionDenied (403,
//          or the disk's), kNotFound (404), kDataLoss (size or digest is another), kResourceExhausted (disk full).
// Units    bytes; milliseconds.
// Threads  one per HttpGet.
// Source   RFC 9110 14.2 (Range), 13.1.5 (If-Range), 10.2.3 (Retry-After in seconds)
// Tests    tests/unit/miner/fetch/fetch_test.cpp
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "miner/fetch/digest.hpp"
#include "miner/fetch/http_get.hpp"

namespace adit::miner {

struct RetryPolicy {
  // Failures in a row that brought nothing worth the name, before it gives up.
  int attempts = 6;
  std::chrono::milliseconds first_wait{1000};
  std::chrono::milliseconds wait_max{30'000};
  // A longer Retry-After ends the matter.
  std::chrono::milliseconds retry_after_max{300'000};
  // So many bytes are worth the name: the count starts again.
  std::uint64_t progress_bytes = 64u << 10;
};

struct DownloadHooks {
  std::function<void(std::chrono::milliseconds)> sleep;
  // done of total bytes (0: not known); checking: while the digest is computed.
  std::function<void(std::uint64_t done, std::uint64_t total, bool checking)> progress;
  // One line for the user, for example why it tries again.
  std::function<void(std::string_view)> note;
};

struct Wanted {
  std::string url;
  std::filesystem::path target;
  std::optional<std::uint64_t> size;
  std::optional<Digest> digest;
};

struct Downloaded {
  std::uint64_t size = 0;
  std::uint64_t received = 0;  // less than size if it was resumed, more if it was fetched twice
  std::optional<Digest> digest;
  std::string commit;  // X-Repo-Commit, if sent
};

[[nodiscard]] Result<Downloaded> download(HttpGet& http, const Wanted& wanted, const RetryPolicy& retry,
                                          const DownloadHooks& hooks);

// What the endpoint says of a file, by HEAD.
[[nodiscard]] Result<Wanted> probe(HttpGet& http, Wanted wanted, const RetryPolicy& retry,
                                   const DownloadHooks& hooks);

// A small text, such as a listing, with the same retries.
[[nodiscard]] Result<Bytes> get_text(HttpGet& http, const std::string& url, std::uint64_t bytes_max,
                                     const RetryPolicy& retry, const DownloadHooks& hooks);

}  // namespace adit::miner
