// SPDX-License-Identifier: MIT
#include "common/chain/rpc_state.hpp"

#include <algorithm>
#include <vector>

#include "common/log/log.hpp"

namespace adit::chain {
namespace {

using boost::system::error_code;
using std::chrono::milliseconds;

RpcFailure failure(ErrorCode code, std::string message) {
  return RpcFailure{Error{code, std::move(message)}, std::nullopt, ""};
}

std::uint64_t jitter_seed() {
  OsRng os;
  FixedBytes<8> seed;
  os.fill(seed);
  return load_le<std::uint64_t>(seed.data());
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// {"code": -32000, "message": "…", "data": …}
RpcFailure node_failure(const std::string& method, const Json& error) {
  RpcFailure out = failure(ErrorCode::kUnknown, "");
  const auto field = [&error](const char* name) {
    return error.is_object() && error.contains(name) ? error[name] : Json();
  };
  const Json code = field("code");
  const Json data = field("data");
  if (code.is_number_integer()) out.rpc_code = code.get<std::int64_t>();
  if (!data.is_null()) out.rpc_data = text_of(data);
  if (out.rpc_code == -32601) out.error.code = ErrorCode::kUnimplemented;
  out.error.message =
      fmt::format("{}: the node answered {}: {}{}{}", method, out.rpc_code.value_or(0),
                  text_of(field("message")), out.rpc_data.empty() ? "" : ": ", out.rpc_data.substr(0, 512));
  return out;
}

}  // namespace

RpcState::RpcState(boost::asio::io_context& io, std::string url_text, Url url, const ClientOptions& options)
    : io_(io),
      url_text_(std::move(url_text)),
      url_(std::move(url)),
      options_(options),
      jitter_(jitter_seed()),
      reconnect_(io) {}

void RpcState::start(std::function<void(Result<void>)> on_first) {
  on_first_ = std::move(on_first);
  connect();
}

void RpcState::connect() {
  if (stopped_) return;
  // Handlers of a socket that was replaced must not touch the state of its successor; close() sees to that.
  socket_ = make_websocket(io_, url_, {options_.connect_timeout_ms, options_.idle_timeout_ms},
                           {[this] { on_open(); }, [this](const std::string& text) { on_message(text); },
                            [this](const std::string& reason) { on_closed(reason); }});
  socket_->start();
}

void RpcState::on_open() {
  open_ = true;
  failures_ = 0;
  ADIT_LOG(kDebug, "chain_connected", {"url", url_text_});
  if (on_first_) std::exchange(on_first_, nullptr)(Result<void>{});
  for (auto& [id, pending] : pending_) send(id, pending);
}

milliseconds RpcState::next_pause() {
  const std::uint64_t doubled = std::uint64_t{options_.backoff_min_ms} << std::min(failures_, 20u);
  const std::uint64_t most =
      std::max<std::uint64_t>(std::min<std::uint64_t>(doubled, options_.backoff_max_ms), 1);
  // Half to the whole of it, so that many clients do not come back at once.
  return milliseconds(most / 2 + jitter_.below(most / 2 + 1));
}

void RpcState::on_closed(const std::string& reason) {
  open_ = false;
  socket_.reset();
  if (on_first_) {
    return std::exchange(on_first_, nullptr)(unavailable("{}: {}", url_text_, reason));
  }
  ADIT_LOG(kDebug, "chain_connection_lost", {"url", url_text_}, {"reason", reason});
  lose_subscriptions(reason);
  std::vector<std::uint64_t> ended;
  for (auto& [id, pending] : pending_) {
    ++pending.attempts;
    const bool spent = pending.attempts >= options_.attempts_max;
    const bool unsafe = pending.sent && pending.request.resend == Resend::kNo;
    if (spent || unsafe) ended.push_back(id);
    pending.sent = false;
  }
  for (const std::uint64_t id : ended) {
    const std::string& method = pending_.at(id).request.method;
    finish(id, tl::unexpected(failure(ErrorCode::kUnavailable, fmt::format("{}: {}: connection lost: {}",
                                                                           url_text_, method, reason))));
  }
  reconnect_.expires_after(next_pause());
  ++failures_;
  reconnect_.async_wait([this](error_code error) {
    if (!error) connect();
  });
}

void RpcState::request(RpcRequest request) {
  if (stopped_)
    return request.done(tl::unexpected(failure(ErrorCode::kCancelled, "the client is closing")));
  if (pending_.size() >= limits::kRpcPendingMax) {
    return request.done(
        tl::unexpected(failure(ErrorCode::kResourceExhausted,
                               fmt::format("{}: {} requests wait already", url_text_, pending_.size()))));
  }
  const std::uint64_t id = next_id_++;
  Pending& pending = pending_[id];
  pending.request = std::move(request);
  pending.deadline = std::make_unique<boost::asio::steady_timer>(io_);
  pending.deadline->expires_after(milliseconds(options_.request_timeout_ms));
  pending.deadline->async_wait([this, id](error_code error) {
    if (error || !pending_.contains(id)) return;
    finish(id, tl::unexpected(failure(
                   ErrorCode::kDeadlineExceeded,
                   fmt::format("{}: {}: no answer in {} ms{}", url_text_, pending_.at(id).request.method,
                               options_.request_timeout_ms, open_ ? "" : " (not connected)"))));
  });
  if (open_) send(id, pending);
}

void RpcState::send(std::uint64_t id, Pending& pending) {
  pending.sent = true;
  const Json message = {{"jsonrpc", "2.0"},
                        {"id", id},
                        {"method", pending.request.method},
                        {"params", pending.request.params}};
  socket_->send(message.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void RpcState::finish(std::uint64_t id, RpcResult<Json> result) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return;
  const auto done = std::move(found->second.request.done);
  pending_.erase(found);
  done(std::move(result));
}

void RpcState::on_message(const std::string& text) {
  Json message = Json::parse(text, nullptr, false);
  if (message.is_discarded() || !message.is_object()) {
    // Nothing after it can be trusted: begin again.
    socket_->close();
    return on_closed("the node sent a message that is not JSON-RPC");
  }
  if (message.contains("id") && message["id"].is_number_unsigned()) {
    return on_answer(message["id"].get<std::uint64_t>(), message);
  }
  if (message.contains("params") && message["params"].is_object()) on_notification(message);
}

void RpcState::on_answer(std::uint64_t id, Json& message) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return;  // its deadline has passed
  RpcRequest& request = found->second.request;
  if (message.contains("error")) {
    return finish(id, tl::unexpected(node_failure(request.method, message["error"])));
  }
  if (!message.contains("result")) {
    return finish(id, tl::unexpected(failure(ErrorCode::kDataLoss,
                                             request.method + ": an answer without result or error")));
  }
  if (request.notifications) {
    const std::string key = message["result"].dump();
    subscriptions_[key] = request.notifications;
    for (auto& [early_key, value] : early_) {
      if (early_key == key) (void)request.notifications->try_push(std::move(value));
    }
    std::erase_if(early_, [&key](const auto& item) { return item.first == key; });
  }
  finish(id, std::move(message["result"]));
}

void RpcState::on_notification(Json& message) {
  Json& params = message["params"];
  if (!params.contains("subscription") || !params.contains("result")) return;
  const std::string key = params["subscription"].dump();
  const auto found = subscriptions_.find(key);
  if (found == subscriptions_.end()) {
    early_.emplace_back(key, std::move(params["result"]));
    if (early_.size() > limits::kRpcEarlyNotificationsMax) early_.pop_front();
    return;
  }
  if (!found->second->try_push(Result<Json>(std::move(params["result"])))) {
    found->second->close();
    subscriptions_.erase(found);
  }
}

void RpcState::lose_subscriptions(const std::string& reason) {
  for (auto& [key, queue] : subscriptions_) {
    (void)queue->try_push(unavailable("{}: connection lost: {}", url_text_, reason));
    queue->close();
  }
  subscriptions_.clear();
  early_.clear();
}

void RpcState::unsubscribe(const std::string& method, const Json& id) {
  if (subscriptions_.erase(id.dump()) == 0) return;
  request({method, Json::array({id}), Resend::kNo, nullptr, [](const RpcResult<Json>&) {}});
}

void RpcState::stop() {
  stopped_ = true;
  reconnect_.cancel();
  if (socket_) socket_->close();
  open_ = false;
  lose_subscriptions("the client is closing");
  if (on_first_)
    std::exchange(on_first_, nullptr)(make_error(ErrorCode::kCancelled, "the client is closing"));
  while (!pending_.empty()) {
    finish(pending_.begin()->first,
           tl::unexpected(failure(ErrorCode::kCancelled, "the client is closing")));
  }
}

}  // namespace adit::chain
