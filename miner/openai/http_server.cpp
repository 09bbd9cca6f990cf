// SPDX-License-Identifier: MIT
#include "miner/openai/http_server.hpp"

#include <atomic>
#include <functional>
#include <thread>
#include <utility>

#include <fmt/core.h>
#include <httplib.h>
#include <sys/socket.h>

#include "common/base/limits.hpp"
#include "common/crypto/hash.hpp"
#include "common/log/log.hpp"
#include "miner/openai/generation.hpp"
#include "miner/openai/peer_watch.hpp"
#include "miner/openai/response.hpp"

namespace adit::miner::openai {
namespace {

constexpr std::chrono::milliseconds kLook{20};
constexpr std::size_t kRequestsOfConnectionMax = 1000;
constexpr time_t kIdleSeconds = 5;
constexpr time_t kReadSeconds = 10;
constexpr time_t kWriteSeconds = 30;
constexpr const char* kJson = "application/json";

void reply(httplib::Response& response, const ApiError& error) {
  response.status = error.status;
  response.set_content(error.body(), kJson);
}

ApiError stopping() {
  return {.status = 503, .message = "this server is stopping", .type = "server_error", .code = "unavailable"};
}

bool send_event(httplib::DataSink& sink, std::string_view text) {
  const std::string event = fmt::format("data: {}\n\n", text);
  return sink.write(event.data(), event.size());
}

bool names_this_machine(std::string_view host) {
  if (host.starts_with("[::1]")) return true;
  const std::string_view name = host.substr(0, host.find(':'));
  return name == "localhost" || name.starts_with("127.");
}

ApiError of_status(int status) {
  switch (status) {
    case 404:
      return {.status = status, .message = "no such path, or another method is needed", .code = "not_found"};
    case 413:
      return {.status = status,
              .message = fmt::format("the body is larger than {} bytes", limits::kRequestBytesMax)};
    default:
      return {.status = status, .message = "the request was not understood"};
  }
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(const HttpOptions& options, const Service& service)
      : options_(options), service_(service), key_hash_(crypto::blake2b_256(as_bytes(options.api_key))) {}

  Result<void> start();
  void stop(std::chrono::milliseconds drain);
  [[nodiscard]] net::Endpoint bound() const {
    net::Endpoint out = options_.listen;
    out.port = port_;
    return out;
  }

 private:
  // Counts one request while it lives; a stream's goes on after its handler.
  struct Visit {
    explicit Visit(std::atomic<int>& visits) : count(visits) { ++count; }
    ~Visit() { --count; }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    std::atomic<int>& count;
  };
  struct Stream {
    std::shared_ptr<Visit> visit;
    std::unique_ptr<Generation> generation;
    ResponseWriter writer;
    bool include_usage;
  };
  using Handler = std::function<void(const httplib::Request&, httplib::Response&)>;

  void set_up();
  [[nodiscard]] Handler checked(Handler handler);
  [[nodiscard]] std::optional<ApiError> refusal(const httplib::Request& request) const;
  void generate(Endpoint endpoint, const httplib::Request& request, httplib::Response& response);
  void answer_whole(const ApiRequest& asked, Generation& generation, const httplib::Request& request,
                    httplib::Response& response);
  [[nodiscard]] bool stream(Stream& stream, httplib::DataSink& sink) const;

  const HttpOptions options_;
  const Service& service_;
  const Hash256 key_hash_;
  httplib::Server server_;
  std::uint16_t port_ = 0;
  std::atomic<int> visits_ = 0;
  std::atomic<bool> draining_ = false;
  // What still runs must end now.
  std::atomic<bool> cut_ = false;
  std::thread thread_;
};

Result<void> HttpServer::Impl::start() {
  if (options_.api_key.empty() && !options_.listen.is_loopback()) {
    return failed_precondition("listen: {} is not loopback; an API key is needed", options_.listen.text());
  }
  set_up();
  const std::string host = options_.listen.host();
  if (options_.listen.port == 0) {
    const int port = server_.bind_to_any_port(host);
    port_ = port > 0 ? static_cast<std::uint16_t>(port) : 0;
  } else if (server_.bind_to_port(host, options_.listen.port)) {
    port_ = options_.listen.port;
  }
  if (port_ == 0) {
    ADIT_TRY_VOID(net::check_can_listen(options_.listen));
    return unavailable("listen: {} cannot be bound", options_.listen.text());
  }
  thread_ = std::thread([this] { server_.listen_after_bind(); });
  while (!server_.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return {};
}

void HttpServer::Impl::stop(std::chrono::milliseconds drain) {
  if (!thread_.joinable()) return;
  draining_ = true;
  const auto end = std::chrono::steady_clock::now() + drain;
  while (visits_ > 0 && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(kLook);
  cut_ = true;
  server_.stop();
  thread_.join();
}

void HttpServer::Impl::set_up() {
  server_.new_task_queue = [this] {
    return new httplib::ThreadPool(static_cast<std::size_t>(options_.threads));
  };
  // SO_REUSEPORT, the library's choice, would let two servers silently share a port.
  server_.set_socket_options([](int socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  server_.set_tcp_nodelay(true);
  server_.set_payload_max_length(limits::kRequestBytesMax);
  server_.set_keep_alive_max_count(kRequestsOfConnectionMax);
  server_.set_keep_alive_timeout(kIdleSeconds);
  server_.set_read_timeout(kReadSeconds);
  server_.set_write_timeout(kWriteSeconds);
  server_.set_pre_routing_handler([](const httplib::Request& request, httplib::Response& response) {
    if (!request.has_header("Content-Encoding")) return httplib::Server::HandlerResponse::Unhandled;
    reply(response, {.status = 415, .message = "compressed bodies are not accepted"});
    return httplib::Server::HandlerResponse::Handled;
  });
  server_.set_error_handler([](const httplib::Request&, httplib::Response& response) {
    if (response.body.empty()) reply(response, of_status(response.status));
  });
  server_.set_exception_handler([](const httplib::Request&, httplib::Response& response, std::exception_ptr) {
    reply(response, {.status = 500, .message = "internal error", .type = "server_error"});
  });
  server_.Get("/health", [this](const httplib::Request&, httplib::Response& response) {
    if (draining_) return reply(response, stopping());
    response.set_content(R"({"status":"ok"})", kJson);
  });
  server_.Get("/v1/models", checked([this](const auto&, httplib::Response& response) {
                response.set_content(models_body(service_), kJson);
              }));
  server_.Get(
      R"(/v1/models/(.+))", checked([this](const httplib::Request& request, httplib::Response& response) {
        if (const ServedModel* served = service_.find(request.matches[1].str()))
          return response.set_content(model_body(service_, *served), kJson);
        reply(response,
              {.status = 404, .message = "no such model", .param = "model", .code = "model_not_found"});
      }));
  server_.Post("/v1/chat/completions",
               checked([this](const httplib::Request& request, httplib::Response& response) {
                 generate(Endpoint::kChat, request, response);
               }));
  server_.Post("/v1/completions",
               checked([this](const httplib::Request& request, httplib::Response& response) {
                 generate(Endpoint::kCompletions, request, response);
               }));
}

HttpServer::Impl::Handler HttpServer::Impl::checked(Handler handler) {
  return [this, handler = std::move(handler)](const httplib::Request& request, httplib::Response& response) {
    if (const auto error = refusal(request)) return reply(response, *error);
    handler(request, response);
  };
}

std::optional<ApiError> HttpServer::Impl::refusal(const httplib::Request& request) const {
  if (options_.api_key.empty()) {
    if (!names_this_machine(request.get_header_value("Host"))) {
      return ApiError{.status = 403, .message = "the Host header does not name this machine"};
    }
  } else {
    const std::string given = request.get_header_value("Authorization");
    const bool is_bearer = given.starts_with("Bearer ");
    // Hashes are compared, so that the time says nothing about the key.
    if (!is_bearer || crypto::blake2b_256(as_bytes(std::string_view(given).substr(7))) != key_hash_) {
      return ApiError{.status = 401, .message = "the API key is missing or wrong", .code = "invalid_api_key"};
    }
  }
  if (draining_) return stopping();
  if (request.method == "POST" && !request.get_header_value("Content-Type").starts_with(kJson)) {
    return ApiError{.status = 415, .message = "expected Content-Type: application/json"};
  }
  return std::nullopt;
}

void HttpServer::Impl::generate(Endpoint endpoint, const httplib::Request& request,
                                httplib::Response& response) {
  auto visit = std::make_shared<Visit>(visits_);
  const auto asked = parse_request(endpoint, request.body);
  if (!asked) return reply(response, asked.error());
  auto generation = Generation::start(service_, *asked);
  if (!generation) return reply(response, generation.error());
  if (!asked->stream) return answer_whole(*asked, **generation, request, response);
  response.set_header("Cache-Control", "no-cache");
  const auto state = std::make_shared<Stream>(Stream{std::move(visit), *std::move(generation),
                                                     ResponseWriter(service_, *asked), asked->include_usage});
  response.set_chunked_content_provider(
      "text/event-stream",
      [this, state](std::size_t, httplib::DataSink& sink) { return stream(*state, sink); });
}

void HttpServer::Impl::answer_whole(const ApiRequest& asked, Generation& generation,
                                    const httplib::Request& request, httplib::Response& response) {
  const PeerWatch peer(request.remote_addr, request.remote_port);
  ResponseWriter writer(service_, asked);
  while (!generation.done()) {
    const auto updates = generation.next();
    if (!updates) return reply(response, updates.error());
    for (const Update& update : *updates) writer.collect(update);
    if (cut_) return reply(response, stopping());
    // Nobody reads the answer: it only ends the connection's turn, and the generation with it.
    if (peer.gone()) return reply(response, {.status = 499, .message = "the client is gone"});
  }
  response.set_content(writer.body(generation.usage()), kJson);
}

// The whole stream in one call: between calls the library would cut it at stop().
bool HttpServer::Impl::stream(Stream& stream, httplib::DataSink& sink) const {
  const auto send_all = [&](const std::vector<std::string>& events) {
    for (const std::string& event : events) {
      if (!send_event(sink, event)) return false;
    }
    return true;
  };
  const auto fail = [&](const ApiError& error) {
    if (send_event(sink, error.body())) sink.done();
    return true;
  };
  if (!send_all(stream.writer.first_chunks(stream.generation->answers()))) return false;
  while (!stream.generation->done()) {
    const auto updates = stream.generation->next();
    if (!updates) return fail(updates.error());
    for (const Update& update : *updates) {
      if (!send_all(stream.writer.chunks(update))) return false;
    }
    if (cut_) return fail(stopping());
    if (!sink.is_writable()) return false;
  }
  if (stream.include_usage && !send_event(sink, stream.writer.usage_chunk(stream.generation->usage())))
    return false;
  if (!send_event(sink, "[DONE]")) return false;
  sink.done();
  return true;
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpOptions& options, const Service& service) {
  auto impl = std::make_unique<Impl>(options, service);
  ADIT_TRY_VOID(impl->start());
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() {
  impl_->stop(std::chrono::milliseconds(0));
}
net::Endpoint HttpServer::bound() const {
  return impl_->bound();
}
void HttpServer::stop(std::chrono::milliseconds drain) {
  impl_->stop(drain);
}

}  // namespace adit::miner::openai
