// SPDX-License-Identifier: MIT
// tests/support/scripted_node.hpp
//
// A WebSocket JSON-RPC server on 127.0.0.1, real sockets, whose answers a test scripts one method at a
// time.
//
// Use      on(method, handler); url(); a handler may answer, err, stay silent, send raw text or cut the
// line. Threads  handlers run on the connection's own thread; on() before the first request.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace adit::test {

using Json = nlohmann::json;

struct Answer {
  enum class Kind : std::uint8_t { kResult, kError, kRaw, kSilence, kCut };
  Kind kind = Kind::kResult;
  Json value;                  // result or error object
  std::string raw{};           // kRaw: sent as it is
  std::vector<Json> notify{};  // then these whole messages
  bool cut_after = false;      // then the line is cut
  std::vector<Json> before{};  // these whole messages first

  static Answer result(Json value) { return {Kind::kResult, std::move(value)}; }
  static Answer error(std::int64_t code, std::string message, Json data = nullptr);
  static Answer text(std::string raw) { return {Kind::kRaw, nullptr, std::move(raw)}; }
  static Answer silence() { return {Kind::kSilence, nullptr}; }
  static Answer cut() { return {Kind::kCut, nullptr}; }
};

class ScriptedNode {
 public:
  // params, and how many requests of this method came before.
  using Handler = std::function<Answer(const Json& params, int nth)>;

  // port 0: any free one.
  explicit ScriptedNode(std::uint16_t port = 0);
  ScriptedNode(const ScriptedNode&) = delete;
  ScriptedNode& operator=(const ScriptedNode&) = delete;
  ~ScriptedNode();

  void on(const std::string& method, Handler handler);
  [[nodiscard]] std::string url() const;
  [[nodiscard]] std::uint16_t port() const;
  // How often the method was asked for.
  [[nodiscard]] int count(const std::string& method) const;
  [[nodiscard]] int connections() const;
  // Sends a whole message on every open line.
  void notify(const Json& message);
  // Cuts every open line; new ones are accepted.
  void cut_all();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace adit::test
