// SPDX-License-Identifier: MIT
#include "tests/support/scripted_node.hpp"

#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <sys/socket.h>

namespace adit::test {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using Tcp = asio::ip::tcp;
using Stream = beast::websocket::stream<Tcp::socket>;
using boost::system::error_code;

struct Line {
  explicit Line(Tcp::socket socket) : stream(std::move(socket)), fd(stream.next_layer().native_handle()) {}
  Stream stream;
  int fd;
  std::mutex write_mutex;

  void send(const std::string& text) {
    const std::lock_guard lock(write_mutex);
    error_code ignored;
    stream.text(true);
    stream.write(asio::buffer(text), ignored);
  }
  void cut() { ::shutdown(fd, SHUT_RDWR); }
};

}  // namespace

struct ScriptedNode::State {
  asio::io_context io{1};
  Tcp::acceptor acceptor{io};
  mutable std::mutex mutex;
  std::mutex handler_mutex;
  std::map<std::string, Handler> handlers;
  std::map<std::string, int> counts;
  std::list<std::shared_ptr<Line>> lines;
  std::list<std::thread> threads;
  int connections = 0;
  bool stopping = false;
  std::thread accept_thread;

  void accept_loop() {
    for (;;) {
      error_code error;
      Tcp::socket socket(io);
      acceptor.accept(socket, error);
      const std::lock_guard lock(mutex);
      if (stopping) return;
      if (error) continue;
      auto line = std::make_shared<Line>(std::move(socket));
      lines.push_back(line);
      ++connections;
      threads.emplace_back([this, line] { serve(*line); });
    }
  }

  void serve(Line& line) {
    error_code error;
    line.stream.accept(error);
    while (!error) {
      beast::flat_buffer buffer;
      line.stream.read(buffer, error);
      if (error) break;
      const Json request = Json::parse(beast::buffers_to_string(buffer.data()), nullptr, false);
      if (!request.is_object() || !answer(line, request)) line.cut();
    }
    line.cut();
  }

  Answer ask(const Json& request) {
    const std::string method = request.value("method", "");
    Handler handler;
    int nth = 0;
    {
      const std::lock_guard lock(mutex);
      nth = counts[method]++;
      const auto found = handlers.find(method);
      if (found != handlers.end()) handler = found->second;
    }
    if (!handler) return Answer::error(-32601, "Method not found");
    const std::lock_guard one_at_a_time(handler_mutex);
    return handler(request.value("params", Json::array()), nth);
  }

  // False: cut the line.
  bool answer(Line& line, const Json& request) {
    const Answer answer = ask(request);
    for (const Json& message : answer.before) line.send(message.dump());
    Json reply = {{"jsonrpc", "2.0"}, {"id", request.value("id", Json())}};
    switch (answer.kind) {
      case Answer::Kind::kResult:
        reply["result"] = answer.value;
        break;
      case Answer::Kind::kError:
        reply["error"] = answer.value;
        break;
      case Answer::Kind::kRaw:
        line.send(answer.raw);
        return !answer.cut_after;
      case Answer::Kind::kSilence:
        return !answer.cut_after;
      case Answer::Kind::kCut:
        return false;
    }
    line.send(reply.dump());
    for (const Json& message : answer.notify) line.send(message.dump());
    return !answer.cut_after;
  }
};

Answer Answer::error(std::int64_t code, std::string message, Json data) {
  Json value = {{"code", code}, {"message", std::move(message)}};
  if (!data.is_null()) value["data"] = std::move(data);
  return {Kind::kError, std::move(value)};
}

ScriptedNode::ScriptedNode(std::uint16_t port) : state_(std::make_shared<State>()) {
  const Tcp::endpoint endpoint(asio::ip::address_v4::loopback(), port);
  state_->acceptor.open(endpoint.protocol());
  state_->acceptor.set_option(Tcp::acceptor::reuse_address(true));
  state_->acceptor.bind(endpoint);
  state_->acceptor.listen();
  state_->accept_thread = std::thread([state = state_.get()] { state->accept_loop(); });
}

ScriptedNode::~ScriptedNode() {
  const std::uint16_t own_port = port();
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  // A blocking accept is woken by a connection.
  error_code ignored;
  Tcp::socket waker(state_->io);
  waker.connect({asio::ip::address_v4::loopback(), own_port}, ignored);
  state_->accept_thread.join();
  state_->acceptor.close(ignored);
  cut_all();
  for (std::thread& thread : state_->threads) thread.join();
}

void ScriptedNode::on(const std::string& method, Handler handler) {
  const std::lock_guard lock(state_->mutex);
  state_->handlers[method] = std::move(handler);
}

std::uint16_t ScriptedNode::port() const {
  return state_->acceptor.local_endpoint().port();
}
std::string ScriptedNode::url() const {
  return "ws://127.0.0.1:" + std::to_string(port());
}

int ScriptedNode::count(const std::string& method) const {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->counts.find(method);
  return found == state_->counts.end() ? 0 : found->second;
}

int ScriptedNode::connections() const {
  const std::lock_guard lock(state_->mutex);
  return state_->connections;
}

void ScriptedNode::notify(const Json& message) {
  const std::lock_guard lock(state_->mutex);
  for (const auto& line : state_->lines) line->send(message.dump());
}

void ScriptedNode::cut_all() {
  const std::lock_guard lock(state_->mutex);
  for (const auto& line : state_->lines) line->cut();
}

}  // namespace adit::test
