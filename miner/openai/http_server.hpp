// SPDX-License-Identifier: MIT
// miner/openai/http_server.hpp
//
// An OpenAI-compatible HTTP endpoint: /v1/models, /v1/chat/completions, /v1/completions, /health.
//
// In       listen: loopback unless an API key is set. Bodies of at most limits::kRequestBytesMax, not
//          compressed, Content-Type application/json.
// Out      JSON, or server-sent events with stream: true. Every error is OpenAI's error object. Without a key
//          the Host header must name this machine (a web page that rebinds its name is refused).
// Errors   start: kFailedPrecondition (beyond loopback without a key), kUnavailable (the port).
// Threads  connections are served by `threads` threads, each blocked while its request runs; a client that goes
//          away cancels its request. stop: lets requests finish within `drain`, refuses new ones with 503,
//          then ends the rest; called once, by one thread.
// Tests    tests/unit/miner/openai/server_test.cpp, tests/integration/openai_client_test.py
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "common/net/endpoint.hpp"
#include "miner/openai/service.hpp"

namespace adit::miner::openai {

struct HttpOptions {
  net::Endpoint listen;
  // Empty: no key is asked for.
  std::string api_key{};
  int threads = 64;
};

class HttpServer {
 public:
  // `service` must outlive it.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> start(const HttpOptions& options,
                                                                 const Service& service);
  ~HttpServer();
  // With the real port.
  [[nodiscard]] net::Endpoint bound() const;
  void stop(std::chrono::milliseconds drain);

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace adit::miner::openai
