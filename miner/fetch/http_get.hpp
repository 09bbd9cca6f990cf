// SPDX-License-Identifier: MIT
// miner/fetch/http_get.hpp
//
// GET and HEAD over libcurl: redirects, proxies from the environment, TLS, a token that stays with its host.
//
// In       url: http or https. headers: "Name: value". The token goes only to the scheme, host and port of
//          `token_origin`, never along a redirect to another one. HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and
//          NO_PROXY are read in both cases.
// Out      Transfer: the hops with their headers; the body goes to the callbacks, and only that of a 200 or 206.
//          on_head is called once, before the first byte (also when there is none).
// Errors   an Error ends the matter: a bad address, an untrusted certificate, a redirect from https to http, too
//          many redirects, or what a callback returned. `broken` is a connection that failed or dropped: trying
//          again may help. A status of 4xx or 5xx is neither: see status().
// Units    seconds.
// Threads  one per object; connections are kept between calls.
// Source   RFC 9110 (redirects, ranges)
// Tests    tests/unit/miner/fetch/http_get_test.cpp
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"

namespace adit::miner {

inline constexpr int kRedirectsMax = 10;

struct HttpHop {
  std::string url;
  int status = 0;
  // Names in lower case, in the order of arrival.
  std::vector<std::pair<std::string, std::string>> headers = {};

  // The last header of that name (lower case); empty if there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

struct Transfer {
  std::vector<HttpHop> hops;
  std::optional<std::string> broken;

  [[nodiscard]] int status() const { return hops.empty() ? 0 : hops.back().status; }
  // The first hop's header of that name: what the endpoint itself said before it redirected.
  [[nodiscard]] std::string_view first_header(std::string_view name) const;
};

struct HttpSettings {
  std::string token = {};
  std::string token_origin = {};
  std::filesystem::path ca_file = {};
  int connect_seconds = 15;
  // A connection that brings nothing for so long has dropped.
  int idle_seconds = 30;
};

struct HttpRequest {
  std::string url;
  std::vector<std::string> headers = {};
  bool head_only = false;
};

using OnHead = std::function<Result<void>(const Transfer&)>;
using OnBody = std::function<Result<void>(ByteView)>;

class HttpGet {
 public:
  [[nodiscard]] static Result<HttpGet> make(HttpSettings settings);
  HttpGet(HttpGet&&) noexcept;
  HttpGet& operator=(HttpGet&&) noexcept;
  HttpGet(const HttpGet&) = delete;
  HttpGet& operator=(const HttpGet&) = delete;
  ~HttpGet();

  [[nodiscard]] Result<Transfer> run(const HttpRequest& request, const OnHead& on_head,
                                     const OnBody& on_body);

 private:
  struct State;
  explicit HttpGet(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// "https://host:port" of an address, lower case, the port always named.
[[nodiscard]] Result<std::string> origin_of(const std::string& url);
// True for http addresses of this machine: the only plain ones a token may go to.
[[nodiscard]] bool is_loopback_origin(std::string_view origin);
// Every byte outside the unreserved set of RFC 3986 as %XX.
[[nodiscard]] std::string url_escape(std::string_view text);

}  // namespace adit::miner
