// SPDX-License-Identifier: MIT
#include "common/chain/rpc_connection.hpp"

#include <exception>
#include <future>
#include <thread>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "common/chain/rpc_state.hpp"
#include "common/log/log.hpp"

namespace adit::chain {
namespace {

namespace asio = boost::asio;

// The io_context, its thread and the state that lives on it; shared with the subscriptions.
class Line {
 public:
  Line(std::string url_text, Url url, const ClientOptions& options)
      : work_(asio::make_work_guard(io_)), state_(io_, std::move(url_text), std::move(url), options) {}
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  ~Line() { stop(); }

  void start_thread() {
    thread_ = std::jthread([this] { run(); });
  }
  template <class Work>
  void post(Work work) {
    asio::post(io_, [this, work = std::move(work)]() mutable { work(state_); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    // stop() has answered every request; what is left are the timers of closed sockets.
    post([this](RpcState& state) {
      state.stop();
      io_.stop();
    });
    thread_.join();
  }

 private:
  // Third-party code may throw (out of memory); the line goes on and its requests run into their deadlines.
  void run() {
    for (;;) {
      try {
        io_.run();
        return;
      } catch (const std::exception& error) {
        ADIT_LOG(kError, "chain_socket_exception", {"what", error.what()});
      }
    }
  }

  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  RpcState state_;
  std::jthread thread_;
};

class QueueSubscription final : public Subscription {
 public:
  QueueSubscription(std::weak_ptr<Line> line, std::shared_ptr<Notifications> queue, std::string unsubscribe,
                    Json id)
      : line_(std::move(line)),
        queue_(std::move(queue)),
        unsubscribe_(std::move(unsubscribe)),
        id_(std::move(id)) {}
  QueueSubscription(const QueueSubscription&) = delete;
  QueueSubscription& operator=(const QueueSubscription&) = delete;
  ~QueueSubscription() override {
    queue_->close();
    if (const auto line = line_.lock()) {
      line->post([method = unsubscribe_, id = id_](RpcState& state) { state.unsubscribe(method, id); });
    }
  }
  Result<Json> next(std::chrono::milliseconds wait) override {
    auto item = queue_->pop_for(wait);
    if (item) return *std::move(item);
    if (queue_->closed()) return unavailable("the subscription was lost");
    return deadline_exceeded("no notification in {} ms", wait.count());
  }

 private:
  const std::weak_ptr<Line> line_;
  const std::shared_ptr<Notifications> queue_;
  const std::string unsubscribe_;
  const Json id_;
};

class SharedConnection final : public RpcConnection {
 public:
  explicit SharedConnection(std::shared_ptr<Line> line) : line_(std::move(line)) {}
  ~SharedConnection() override { line_->stop(); }

  RpcResult<Json> call(std::string_view method, Json params, Resend resend) override {
    return exchange(RpcRequest{std::string(method), std::move(params), resend, nullptr, nullptr});
  }

  RpcResult<std::unique_ptr<Subscription>> subscribe(std::string_view method, Json params,
                                                     std::string_view unsubscribe) override {
    auto queue = std::make_shared<Notifications>(limits::kRpcNotificationsMax);
    auto id = exchange(RpcRequest{std::string(method), std::move(params), Resend::kNo, queue, nullptr});
    if (!id) return tl::unexpected(std::move(id).error());
    return std::make_unique<QueueSubscription>(line_, queue, std::string(unsubscribe), *std::move(id));
  }

 private:
  RpcResult<Json> exchange(RpcRequest request) {
    auto promise = std::make_shared<std::promise<RpcResult<Json>>>();
    auto answer = promise->get_future();
    request.done = [promise](RpcResult<Json> result) { promise->set_value(std::move(result)); };
    line_->post(
        [request = std::move(request)](RpcState& state) mutable { state.request(std::move(request)); });
    try {
      return answer.get();
    } catch (const std::future_error&) {
      // The line was stopped before it took the request.
      return tl::unexpected(
          RpcFailure{Error{ErrorCode::kCancelled, "the client is closing"}, std::nullopt, ""});
    }
  }

  const std::shared_ptr<Line> line_;
};

}  // namespace

Result<std::unique_ptr<RpcConnection>> RpcConnection::open(std::string url, const ClientOptions& options) {
  ADIT_TRY(Url parsed, parse_url(url));
  auto line = std::make_shared<Line>(std::move(url), std::move(parsed), options);
  std::promise<Result<void>> first;
  auto connected = first.get_future();
  line->post([&first](RpcState& state) {
    state.start([&first](Result<void> result) { first.set_value(std::move(result)); });
  });
  line->start_thread();
  const Result<void> result = connected.get();
  if (!result) return tl::unexpected(result.error());
  return std::make_unique<SharedConnection>(std::move(line));
}

}  // namespace adit::chain
