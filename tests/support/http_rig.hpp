// SPDX-License-Identifier: MIT
// tests/support/http_rig.hpp
//
// An HTTP/1.1 server on loopback for one test, which answers as told: also with the wrong length, a connection cut in
// the middle, or no answer. One request a connection. With a certificate it speaks TLS.
//
// Threads  one of its own; the handler is called on it. seen() from any.
#pragma once

#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/tls_certificate.hpp"

struct ssl_ctx_st;

namespace adit::test {

struct HttpExchange {
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;  // names in lower case

  [[nodiscard]] std::string header(const std::string& name) const {
    const auto it = headers.find(name);
    return it == headers.end() ? "" : it->second;
  }
};

struct HttpAnswer {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  // Cut the connection after so many bytes of the body.
  std::optional<std::size_t> cut_after = {};
  bool send_length = true;
};

// No proxy of the machine that runs the test stands between it and a rig.
inline void forget_proxies() {
  for (const char* name : {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                           "no_proxy", "NO_PROXY"}) {
    unsetenv(name);
  }
}

class HttpRig {
 public:
  using Handler = std::function<HttpAnswer(const HttpExchange&)>;
  explicit HttpRig(Handler handler, const std::optional<TlsCertificate>& tls = std::nullopt);
  HttpRig(const HttpRig&) = delete;
  HttpRig& operator=(const HttpRig&) = delete;
  ~HttpRig();
  [[nodiscard]] std::string url() const;
  [[nodiscard]] std::vector<HttpExchange> seen() const;

 private:
  void serve();
  void answer(int fd);

  Handler handler_;
  ssl_ctx_st* tls_ = nullptr;
  int listener_ = -1;
  int stop_[2] = {-1, -1};
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<HttpExchange> seen_;
  std::thread thread_;
};

}  // namespace adit::test
