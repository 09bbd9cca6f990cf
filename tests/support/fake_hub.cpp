// SPDX-License-Identifier: MIT
#include "tests/support/fake_hub.hpp"

#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include "common/base/bytes.hpp"

namespace adit::test {
namespace {

std::string hex_digest(const EVP_MD* method, const std::string& content) {
  std::uint8_t out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(content.data(), content.size(), out, &size, method, nullptr);
  return to_hex({out, size});
}

}  // namespace

std::string sha256_hex(const std::string& content) {
  return hex_digest(EVP_sha256(), content);
}

std::string git_sha1_hex(const std::string& content) {
  return hex_digest(EVP_sha1(), "blob " + std::to_string(content.size()) + std::string(1, '\0') + content);
}

FakeHub::FakeHub()
    : storage_([this](const HttpExchange& request) { return storage(request); }),
      front_([this](const HttpExchange& request) { return front(request); }) {}

void FakeHub::put(const std::string& path, HubFile file) {
  const std::lock_guard<std::mutex> guard(mutex_);
  files_[path] = std::move(file);
}
void FakeHub::set_commit(const std::string& commit) {
  const std::lock_guard<std::mutex> guard(mutex_);
  commit_ = commit;
}
void FakeHub::set_listing_digests(bool on) {
  const std::lock_guard<std::mutex> guard(mutex_);
  listing_digests_ = on;
}
void FakeHub::queue(const std::string& path, HttpAnswer answer) {
  const std::lock_guard<std::mutex> guard(mutex_);
  queued_[path].push_back(std::move(answer));
}
void FakeHub::cut_next(const std::string& path, std::size_t bytes) {
  const std::lock_guard<std::mutex> guard(mutex_);
  cuts_[path].push_back(bytes);
}
void FakeHub::set_listing(HttpAnswer answer) {
  const std::lock_guard<std::mutex> guard(mutex_);
  listing_ = std::move(answer);
}
void FakeHub::require_token(const std::string& token) {
  const std::lock_guard<std::mutex> guard(mutex_);
  token_ = token;
}

HttpAnswer FakeHub::listing() const {
  if (listing_) return *listing_;
  nlohmann::json root{{"sha", commit_}, {"siblings", nlohmann::json::array()}};
  for (const auto& [path, file] : files_) {
    nlohmann::json item{{"rfilename", path}};
    if (listing_digests_) {
      item["size"] = file.content.size();
      item["blobId"] = git_sha1_hex(file.is_large ? "a pointer to " + path : file.content);
      if (file.is_large) item["lfs"] = {{"sha256", sha256_hex(file.content)}, {"size", file.content.size()}};
    }
    root["siblings"].push_back(std::move(item));
  }
  return {.body = root.dump()};
}

HttpAnswer FakeHub::front(const HttpExchange& request) {
  const std::lock_guard<std::mutex> guard(mutex_);
  if (!token_.empty() && request.header("authorization") != "Bearer " + token_) {
    return {.status = 401, .headers = {{"X-Error-Message", "Invalid username or password."}}};
  }
  const std::string api = std::string("/api/models/") + kRepo + "/revision/";
  // A proxy is asked for whole addresses.
  std::string target = request.target;
  if (target.starts_with("http://")) target = target.substr(target.find('/', 7));
  if (target.starts_with(api)) return listing();
  const std::string prefix = std::string("/") + kRepo + "/resolve/" + commit_ + "/";
  const std::string path = target.starts_with(prefix) ? target.substr(prefix.size()) : "";
  const auto it = files_.find(path);
  if (it == files_.end()) return {.status = 404, .headers = {{"X-Error-Code", "EntryNotFound"}}};
  if (!it->second.is_large) return content(request, path);
  return {.status = 302,
          .headers = {{"Location", storage_.url() + "/blobs/" + path},
                      {"X-Repo-Commit", commit_},
                      {"X-Linked-Size", std::to_string(it->second.content.size())},
                      {"X-Linked-Etag", '"' + sha256_hex(it->second.content) + '"'}},
          .body = "moved"};
}

HttpAnswer FakeHub::storage(const HttpExchange& request) {
  const std::lock_guard<std::mutex> guard(mutex_);
  return content(request, request.target.substr(std::string("/blobs/").size()));
}

HttpAnswer FakeHub::content(const HttpExchange& request, const std::string& path) {
  if (auto& waiting = queued_[path]; !waiting.empty() && request.method == "GET") {
    HttpAnswer told = std::move(waiting.front());
    waiting.pop_front();
    return told;
  }
  const HubFile& file = files_.at(path);
  // A storage host's own tag: no digest that a client could check.
  const std::string etag =
      '"' + (file.is_large ? "s3-" + sha256_hex(file.content).substr(0, 29) : git_sha1_hex(file.content)) +
      '"';
  HttpAnswer answer{.headers = {{"ETag", etag}}, .body = file.content};
  if (!file.is_large) answer.headers.emplace_back("X-Repo-Commit", commit_);
  const std::string range = request.header("range");
  const std::string condition = request.header("if-range");
  if (range.starts_with("bytes=") && (condition.empty() || condition == etag)) {
    const std::size_t first = std::stoul(range.substr(6));
    if (first >= file.content.size()) return {.status = 416};
    answer.status = 206;
    answer.body = file.content.substr(first);
    answer.headers.emplace_back("Content-Range", "bytes " + std::to_string(first) + "-" +
                                                     std::to_string(file.content.size() - 1) + "/" +
                                                     std::to_string(file.content.size()));
  }
  if (auto& cuts = cuts_[path]; !cuts.empty() && request.method == "GET") {
    answer.cut_after = cuts.front();
    cuts.pop_front();
  }
  return answer;
}

}  // namespace adit::test
