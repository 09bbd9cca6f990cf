// SPDX-License-Identifier: MIT
// tests/support/fake_hub.hpp
//
// A hub with one repository on two loopback servers, as the real one: the first lists and describes, and redirects
// large files to the second, which sends the bytes. Faults are queued for each file.
//
// Threads  the test's; answers come from the rigs' threads.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "tests/support/http_rig.hpp"

namespace adit::test {

struct HubFile {
  std::string content;
  bool is_large = false;  // SHA-256 and a redirect, as LFS files have
};

class FakeHub {
 public:
  FakeHub();
  [[nodiscard]] std::string url() const { return front_.url(); }
  [[nodiscard]] std::string storage_url() const { return storage_.url(); }
  [[nodiscard]] std::vector<HttpExchange> seen() const { return front_.seen(); }
  [[nodiscard]] std::vector<HttpExchange> storage_seen() const { return storage_.seen(); }

  void put(const std::string& path, HubFile file);
  void set_commit(const std::string& commit);
  void set_listing_digests(bool on);
  // The next answers with this file's content are given as told instead (in order).
  void queue(const std::string& path, HttpAnswer answer);
  // The next answers with this file's content end after so many bytes.
  void cut_next(const std::string& path, std::size_t bytes);
  // Instead of the listing.
  void set_listing(HttpAnswer answer);
  void require_token(const std::string& token);

  static constexpr const char* kRepo = "someone/tiny-model";

 private:
  HttpAnswer front(const HttpExchange& request);
  HttpAnswer storage(const HttpExchange& request);
  HttpAnswer listing() const;
  HttpAnswer content(const HttpExchange& request, const std::string& path);

  mutable std::mutex mutex_;
  std::map<std::string, HubFile> files_;
  std::map<std::string, std::deque<HttpAnswer>> queued_;
  std::map<std::string, std::deque<std::size_t>> cuts_;
  std::string commit_ = "0123456789abcdef0123456789abcdef01234567";
  bool listing_digests_ = true;
  std::optional<HttpAnswer> listing_;
  std::string token_;
  HttpRig storage_;
  HttpRig front_;
};

[[nodiscard]] std::string sha256_hex(const std::string& content);
[[nodiscard]] std::string git_sha1_hex(const std::string& content);

}  // namespace adit::test
