// SPDX-License-Identifier: MIT
#include "validator/localnet/rpc_server.hpp"

#include <deque>
#include <mutex>
#include <set>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

#include "validator/localnet/rpc_connection.hpp"

namespace adit::validator {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using tcp = asio::ip::tcp;
using ErrorCodeOf = boost::system::error_code;

constexpr std::size_t kConnectionsMax = 256;
constexpr std::uint64_t kMessageBytesMax = 4u << 20;
constexpr std::uint64_t kHandshakeBytesMax = 16u << 10;
constexpr std::chrono::seconds kHandshakeTime{10};
// A client that does not read what it asked for is cut off here.
constexpr std::size_t kUnsentBytesMax = 64u << 20;

// Pages of other origins must not drive a local chain from inside a browser.
bool allowed_origin(std::string_view origin) {
  if (origin.empty() || origin == "null") return origin.empty();
  const std::size_t scheme = origin.find("://");
  if (scheme == std::string_view::npos) return false;
  const std::string_view host = origin.substr(scheme + 3, origin.find(':', scheme + 3) - (scheme + 3));
  return host == "localhost" || host == "127.0.0.1" || host == "[";
}

class Session;

class Sessions {
 public:
  virtual ~Sessions() = default;
  virtual void closed(const std::shared_ptr<Session>& session) = 0;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, Node& node, Sessions& sessions)
      : stream_(std::move(socket)),
        sessions_(sessions),
        connection_(node, [this](std::string text) { send(std::move(text)); }) {}

  void start() {
    beast::get_lowest_layer(stream_).expires_after(kHandshakeTime);
    parser_.body_limit(0);
    parser_.header_limit(kHandshakeBytesMax);
    http::async_read_header(
        beast::get_lowest_layer(stream_), buffer_, parser_,
        [self = shared_from_this()](ErrorCodeOf error, std::size_t) { self->on_request(error); });
  }
  void notify(const BlockNotice& notice) {
    if (open_) connection_.notify(notice);
  }
  void stop() {
    ErrorCodeOf ignored;
    beast::get_lowest_layer(stream_).socket().close(ignored);
  }

 private:
  void on_request(ErrorCodeOf error) {
    const auto& request = parser_.get();
    const auto origin = request[http::field::origin];
    if (error || !websocket::is_upgrade(request) || !allowed_origin({origin.data(), origin.size()})) {
      return finish();
    }
    beast::get_lowest_layer(stream_).expires_never();
    stream_.set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
    stream_.read_message_max(kMessageBytesMax);
    buffer_.clear();
    stream_.async_accept(request, [self = shared_from_this()](ErrorCodeOf failed) {
      if (failed) return self->finish();
      self->open_ = true;
      self->read();
    });
  }
  void read() {
    stream_.async_read(buffer_, [self = shared_from_this()](ErrorCodeOf error, std::size_t) {
      if (error) return self->finish();
      const std::string text = beast::buffers_to_string(self->buffer_.data());
      self->buffer_.consume(self->buffer_.size());
      self->connection_.receive(text);
      // Reading goes on only when the client has taken its answers, more or less.
      if (self->open_) self->read();
    });
  }
  void send(std::string text) {
    if (!open_) return;
    unsent_bytes_ += text.size();
    unsent_.push_back(std::move(text));
    if (unsent_bytes_ > kUnsentBytesMax) return stop();
    if (unsent_.size() == 1) write();
  }
  void write() {
    stream_.text(true);
    stream_.async_write(asio::buffer(unsent_.front()),
                        [self = shared_from_this()](ErrorCodeOf error, std::size_t) {
                          if (error) return self->finish();
                          self->unsent_bytes_ -= self->unsent_.front().size();
                          self->unsent_.pop_front();
                          if (!self->unsent_.empty()) self->write();
                        });
  }
  void finish() {
    open_ = false;
    stop();
    sessions_.closed(shared_from_this());
  }

  websocket::stream<beast::tcp_stream> stream_;
  Sessions& sessions_;
  RpcConnection connection_;
  beast::flat_buffer buffer_;
  http::request_parser<http::empty_body> parser_;
  bool open_ = false;
  std::deque<std::string> unsent_;
  std::size_t unsent_bytes_ = 0;
};

}  // namespace

struct RpcServer::Impl final : Sessions, std::enable_shared_from_this<RpcServer::Impl> {
  explicit Impl(Node& of) : node(of), acceptor(context), timer(context) {}

  Result<void> listen(const RpcServerOptions& options) {
    ErrorCodeOf error;
    const asio::ip::address address = asio::ip::make_address(options.host, error);
    if (error || !address.is_loopback()) {
      return invalid_argument("--rpc {}: expected a loopback address such as 127.0.0.1", options.host);
    }
    const tcp::endpoint endpoint(address, options.port);
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) return unavailable("{}:{}: {}", options.host, options.port, error.message());
    return {};
  }
  void accept() {
    acceptor.async_accept([this](ErrorCodeOf error, tcp::socket socket) {
      if (closing) return;
      if (!error && sessions.size() < kConnectionsMax) {
        ErrorCodeOf ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        const auto session = std::make_shared<Session>(std::move(socket), node, *this);
        sessions.insert(session);
        session->start();
      }
      accept();
    });
  }
  void closed(const std::shared_ptr<Session>& session) override { sessions.erase(session); }
  void schedule() {
    if (!block_time) return;
    timer.expires_at(next_block);
    timer.async_wait([this](ErrorCodeOf error) {
      if (error || closing) return;
      const Result<Block> made = node.make_block();
      if (!made) {
        const std::lock_guard lock(mutex);
        failure = made.error();
        return;
      }
      // Blocks that a busy machine missed are not made up for.
      next_block = std::max(next_block + *block_time, std::chrono::steady_clock::now());
      schedule();
    });
  }
  void notify(const BlockNotice& notice) {
    const std::set<std::shared_ptr<Session>> all = sessions;
    for (const auto& session : all) session->notify(notice);
  }
  void close_all() {
    closing = true;
    ErrorCodeOf ignored;
    acceptor.close(ignored);
    timer.cancel();
    const std::set<std::shared_ptr<Session>> all = sessions;
    for (const auto& session : all) session->stop();
  }

  Node& node;
  asio::io_context context;
  tcp::acceptor acceptor;
  asio::steady_timer timer;
  std::optional<std::chrono::milliseconds> block_time;
  std::chrono::steady_clock::time_point next_block;
  std::set<std::shared_ptr<Session>> sessions;
  // A handler that is queued when its operation is cancelled still runs, without an error.
  bool closing = false;
  mutable std::mutex mutex;
  std::optional<Error> failure;
  std::thread thread;
};

RpcServer::RpcServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<RpcServer>> RpcServer::start(Node& node, const RpcServerOptions& options) {
  auto impl = std::make_shared<Impl>(node);
  ADIT_TRY_VOID(impl->listen(options));
  impl->block_time = options.block_time;
  node.on_block([weak = std::weak_ptr<Impl>(impl)](const BlockNotice& notice) {
    const auto self = weak.lock();
    if (!self) return;
    asio::post(self->context, [weak, notice] {
      if (const auto still = weak.lock()) still->notify(notice);
    });
  });
  impl->accept();
  if (impl->block_time) {
    impl->next_block = std::chrono::steady_clock::now() + *impl->block_time;
    impl->schedule();
  }
  impl->thread = std::thread([raw = impl.get()] { raw->context.run(); });
  return std::unique_ptr<RpcServer>(new RpcServer(std::move(impl)));
}

RpcServer::~RpcServer() {
  impl_->node.on_block(nullptr);
  asio::post(impl_->context, [raw = impl_.get()] { raw->close_all(); });
  impl_->thread.join();
}

std::uint16_t RpcServer::port() const {
  ErrorCodeOf ignored;
  return impl_->acceptor.local_endpoint(ignored).port();
}

std::optional<Error> RpcServer::failure() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->failure;
}

}  // namespace adit::validator
