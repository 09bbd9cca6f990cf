// SPDX-License-Identifier: MIT
#include "common/chain/websocket.hpp"

#include <chrono>
#include <deque>
#include <optional>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include "common/base/limits.hpp"

namespace adit::chain {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using Tcp = asio::ip::tcp;
using boost::system::error_code;
using PlainStream = websocket::stream<beast::tcp_stream>;
using TlsStream = websocket::stream<beast::ssl_stream<beast::tcp_stream>>;
using std::chrono::milliseconds;

// The context outlives the stream that uses it.
struct TlsContext {
  asio::ssl::context context{asio::ssl::context::tls_client};
  TlsContext() {
    error_code ignored;
    context.set_default_verify_paths(ignored);
    context.set_verify_mode(asio::ssl::verify_peer);
  }
};

template <class Stream>
class Connection final : public WebSocket, public std::enable_shared_from_this<Connection<Stream>> {
 public:
  Connection(asio::io_context& io, Url url, WebSocketTimes times, WebSocketHandlers handlers)
      : resolver_(io), deadline_(io), url_(std::move(url)), times_(times), handlers_(std::move(handlers)) {
    if constexpr (kTls) {
      tls_.emplace();
      stream_.emplace(io, tls_->context);
    } else {
      stream_.emplace(io);
    }
  }

  void start() override {
    deadline_.expires_after(milliseconds(times_.connect_timeout_ms));
    deadline_.async_wait([self = this->shared_from_this()](error_code error) {
      if (!error) self->fail(fmt::format("no connection after {} ms", self->times_.connect_timeout_ms));
    });
    resolver_.async_resolve(url_.host, url_.port,
                            [self = this->shared_from_this()](error_code error, auto endpoints) {
                              if (error) return self->fail(error.message());
                              self->connect(endpoints);
                            });
  }

  void send(std::string message) override {
    if (closed_) return;
    out_.push_back(std::move(message));
    if (open_ && out_.size() == 1) write_next();
  }

  void close() override {
    if (closed_) return;
    closed_ = true;
    release();
  }

 private:
  static constexpr bool kTls = std::is_same_v<Stream, TlsStream>;

  beast::tcp_stream& tcp() { return beast::get_lowest_layer(*stream_); }

  void connect(const Tcp::resolver::results_type& endpoints) {
    if (closed_) return;
    tcp().async_connect(endpoints, [self = this->shared_from_this()](error_code error, const auto&) {
      if (error) return self->fail(error.message());
      error_code ignored;
      self->tcp().socket().set_option(Tcp::no_delay(true), ignored);
      if constexpr (kTls) {
        self->tls_handshake();
      } else {
        self->handshake();
      }
    });
  }

  void tls_handshake()
    requires kTls
  {
    auto& tls = stream_->next_layer();
    error_code not_an_address;
    (void)asio::ip::make_address(url_.host, not_an_address);
    // SSL_set_tlsext_host_name, written out because the macro holds a C cast. Addresses are not sent.
    if (not_an_address && SSL_ctrl(tls.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME,
                                   TLSEXT_NAMETYPE_host_name, url_.host.data()) != 1) {
      return fail("the host name cannot be sent");
    }
    tls.set_verify_callback(asio::ssl::host_name_verification(url_.host));
    tls.async_handshake(asio::ssl::stream_base::client,
                        [self = this->shared_from_this()](error_code error) {
                          if (error) return self->fail("TLS: " + error.message());
                          self->handshake();
                        });
  }

  void handshake() {
    if (closed_) return;
    websocket::stream_base::timeout waits{};
    waits.handshake_timeout = milliseconds(times_.connect_timeout_ms);
    waits.idle_timeout = milliseconds(times_.idle_timeout_ms);
    waits.keep_alive_pings = true;
    stream_->set_option(waits);
    stream_->read_message_max(limits::kRpcMessageBytesMax);
    stream_->async_handshake(url_.host + ":" + url_.port, url_.path,
                             [self = this->shared_from_this()](error_code error) {
                               if (error) return self->fail("WebSocket handshake: " + error.message());
                               self->opened();
                             });
  }

  void opened() {
    if (closed_) return;
    deadline_.cancel();
    // What on_open sends is queued, and written from here.
    handlers_.on_open();
    open_ = true;
    if (!out_.empty()) write_next();
    read_next();
  }

  void read_next() {
    if (closed_) return;
    stream_->async_read(in_, [self = this->shared_from_this()](error_code error, std::size_t) {
      if (error) return self->fail(error.message());
      if (self->closed_) return;
      std::string message = beast::buffers_to_string(self->in_.data());
      self->in_.consume(self->in_.size());
      self->handlers_.on_message(std::move(message));
      self->read_next();
    });
  }

  void write_next() {
    stream_->text(true);
    stream_->async_write(asio::buffer(out_.front()),
                         [self = this->shared_from_this()](error_code error, std::size_t) {
                           if (error) return self->fail(error.message());
                           if (self->closed_) return;
                           self->out_.pop_front();
                           if (!self->out_.empty()) self->write_next();
                         });
  }

  void fail(std::string reason) {
    if (closed_) return;
    closed_ = true;
    release();
    handlers_.on_closed(std::move(reason));
  }

  // Closing the socket makes every operation under way end with an error; each holds the object alive.
  void release() {
    deadline_.cancel();
    resolver_.cancel();
    error_code ignored;
    tcp().socket().close(ignored);
  }

  Tcp::resolver resolver_;
  asio::steady_timer deadline_;
  std::optional<TlsContext> tls_;
  std::optional<Stream> stream_;
  Url url_;
  const WebSocketTimes times_;
  const WebSocketHandlers handlers_;
  beast::flat_buffer in_;
  std::deque<std::string> out_;
  bool open_ = false;
  bool closed_ = false;
};

}  // namespace

std::shared_ptr<WebSocket> make_websocket(asio::io_context& io, Url url, WebSocketTimes times,
                                          WebSocketHandlers handlers) {
  if (url.tls)
    return std::make_shared<Connection<TlsStream>>(io, std::move(url), times, std::move(handlers));
  return std::make_shared<Connection<PlainStream>>(io, std::move(url), times, std::move(handlers));
}

}  // namespace adit::chain
