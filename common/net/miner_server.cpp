// SPDX-License-Identifier: MIT
#include "common/net/miner_server.hpp"

#include <grpcpp/impl/rpc_service_method.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/method_handler.h>
#include <grpcpp/support/sync_stream.h>

#include <utility>
#include <vector>

#include "common/base/files.hpp"
#include "common/net/deadline.hpp"
#include "common/net/grpc_bytes.hpp"
#include "common/net/status.hpp"
#include "common/protocol/wire.hpp"

namespace adit::net {
namespace {

constexpr int kKeepaliveMs = 30'000;
constexpr int kKeepaliveTimeoutMs = 10'000;
constexpr int kPingIntervalMinMs = 10'000;
constexpr int kConnectionIdleMs = 600'000;

class WriterSink final : public TokenSink {
 public:
  WriterSink(grpc::ServerContext& context, grpc::ServerWriter<grpc::ByteBuffer>& writer)
      : context_(context), writer_(writer) {}
  bool send(std::span<const TokenId> ids) override {
    if (ids.empty()) return !cancelled();
    const protocol::Chunk chunk{std::vector<TokenId>(ids.begin(), ids.end())};
    return writer_.Write(to_buffer(protocol::encode_chunk(chunk)));
  }
  [[nodiscard]] bool cancelled() const override { return context_.IsCancelled(); }

 private:
  grpc::ServerContext& context_;
  grpc::ServerWriter<grpc::ByteBuffer>& writer_;
};

// adit.v1.Miner over raw message bytes: generated code would hand us a parsed message and drop
// what was signed.
class ByteService final : public grpc::Service {
 public:
  ByteService(const ServerOptions& options, const AccountId& receiver, MinerHandler& handler,
              const Clock& clock)
      : policy_{.receiver = receiver, .scheme = options.scheme},
        handler_(handler),
        clock_(clock),
        rate_(options.rate) {
    using grpc::internal::RpcMethod;
    using grpc::internal::RpcServiceMethod;
    AddMethod(new RpcServiceMethod(
        kDescribeMethod, RpcMethod::NORMAL_RPC,
        new grpc::internal::RpcMethodHandler<ByteService, grpc::ByteBuffer, grpc::ByteBuffer>(
            [](ByteService* self, grpc::ServerContext* context, const grpc::ByteBuffer* request,
               grpc::ByteBuffer* reply) { return self->describe(*context, *request, *reply); },
            this)));
    AddMethod(new RpcServiceMethod(
        kGenerateMethod, RpcMethod::SERVER_STREAMING,
        new grpc::internal::ServerStreamingHandler<ByteService, grpc::ByteBuffer, grpc::ByteBuffer>(
            [](ByteService* self, grpc::ServerContext* context, const grpc::ByteBuffer* request,
               grpc::ServerWriter<grpc::ByteBuffer>* writer) {
              return self->generate(*context, *request, *writer);
            },
            this)));
  }

 private:
  struct Opened {
    Caller caller;
    Bytes body;
  };

  Result<Opened> open_call(const grpc::ServerContext& context, const char* method,
                           const grpc::ByteBuffer& request, std::uint32_t& retry_after_ms) {
    ADIT_TRY(Bytes body, from_buffer(request));
    std::vector<protocol::Header> headers;
    for (const auto& [key, value] : context.client_metadata()) {
      headers.emplace_back(std::string(key.data(), key.size()),
                           std::string(value.data(), value.size()));
    }
    const std::uint64_t now_ns = clock_.now_ns();
    ADIT_TRY(const protocol::OpenedCall call,
             protocol::open(policy_, headers, {"POST", method, body}, now_ns));
    Caller caller{.hotkey = call.sender, .peer = context.peer()};
    ADIT_TRY_VOID(handler_.admit(caller));
    ADIT_TRY_VOID(replay_.record(call.sender, call.nonce, now_ns));
    retry_after_ms = rate_.take(call.sender, clock_.steady_ns());
    if (retry_after_ms != 0)
      return resource_exhausted("over the rate; again in {} ms", retry_after_ms);
    return Opened{.caller = std::move(caller), .body = std::move(body)};
  }

  grpc::Status refuse(grpc::ServerContext& context, const Error& error,
                      std::uint32_t retry_after_ms) const {
    if (error.code == ErrorCode::kResourceExhausted) {
      const std::uint32_t wait_ms =
          retry_after_ms != 0 ? retry_after_ms : handler_.retry_after_ms();
      context.AddTrailingMetadata(kRetryAfterKey, std::to_string(wait_ms));
    }
    return to_status(error);
  }

  grpc::Status describe(grpc::ServerContext& context, const grpc::ByteBuffer& request,
                        grpc::ByteBuffer& reply) {
    std::uint32_t retry_after_ms = 0;
    const auto opened = open_call(context, kDescribeMethod, request, retry_after_ms);
    if (!opened) return refuse(context, opened.error(), retry_after_ms);
    if (const auto decoded = protocol::decode_describe_request(opened->body); !decoded) {
      return refuse(context, decoded.error(), 0);
    }
    const auto description = handler_.describe(opened->caller);
    if (!description) return refuse(context, description.error(), 0);
    reply = to_buffer(protocol::encode_description(*description));
    return grpc::Status::OK;
  }

  grpc::Status generate(grpc::ServerContext& context, const grpc::ByteBuffer& request,
                        grpc::ServerWriter<grpc::ByteBuffer>& writer) {
    std::uint32_t retry_after_ms = 0;
    const auto opened = open_call(context, kGenerateMethod, request, retry_after_ms);
    if (!opened) return refuse(context, opened.error(), retry_after_ms);
    const auto decoded = protocol::decode_request(opened->body);
    if (!decoded) return refuse(context, decoded.error(), 0);
    WriterSink sink(context, writer);
    auto receipt = handler_.generate(opened->caller, *decoded, sink);
    if (!receipt) return refuse(context, receipt.error(), 0);
    const protocol::Chunk last{*std::move(receipt)};
    if (!writer.Write(to_buffer(protocol::encode_chunk(last)))) {
      return {grpc::StatusCode::CANCELLED, "the caller is gone"};
    }
    return grpc::Status::OK;
  }

  const protocol::OpenPolicy policy_;
  MinerHandler& handler_;
  const Clock& clock_;
  protocol::ReplayWindow replay_;
  RateLimiter rate_;
};

Result<std::shared_ptr<grpc::ServerCredentials>> credentials(const ServerOptions& options) {
  if (!options.tls) {
    if (!options.bind.is_loopback() && !options.allow_insecure) {
      return failed_precondition(
          "{} is not a loopback address and no TLS certificate is configured: configure one, or "
          "set "
          "allow_insecure: true",
          options.bind.text());
    }
    return grpc::InsecureServerCredentials();
  }
  ADIT_TRY(const Bytes certificate,
           read_file(options.tls->certificate_path, limits::kCertificateBytesMax));
  ADIT_TRY(const Bytes key, read_file(options.tls->key_path, limits::kCertificateBytesMax));
  if (as_text(certificate).find("-----BEGIN CERTIFICATE-----") == std::string_view::npos) {
    return invalid_argument("{}: expected a PEM certificate", options.tls->certificate_path);
  }
  if (as_text(key).find("PRIVATE KEY-----") == std::string_view::npos) {
    return invalid_argument("{}: expected a PEM private key", options.tls->key_path);
  }
  grpc::SslServerCredentialsOptions ssl(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  ssl.pem_key_cert_pairs.push_back({std::string(as_text(key)), std::string(as_text(certificate))});
  return grpc::SslServerCredentials(ssl);
}

void set_limits(grpc::ServerBuilder& builder, const ServerOptions& options) {
  builder.SetMaxReceiveMessageSize(static_cast<int>(options.request_bytes_max));
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MAX_POLLERS, 2);
  grpc::ResourceQuota quota("adit-miner");
  quota.SetMaxThreads(options.threads_max);
  builder.SetResourceQuota(quota);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.streams_per_connection_max);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE,
                             static_cast<int>(limits::kMetadataHeaderBytesMax));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kConnectionIdleMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kPingIntervalMinMs);
}

}  // namespace

struct MinerServer::State {
  State(const ServerOptions& options, const AccountId& receiver, MinerHandler& handler,
        const Clock& clock)
      : service(options, receiver, handler, clock) {}
  ByteService service;
  std::unique_ptr<grpc::Server> server;
  int port = 0;
};

MinerServer::MinerServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

MinerServer::~MinerServer() {
  stop(std::chrono::milliseconds(0));
}

Result<std::unique_ptr<MinerServer>> MinerServer::start(const ServerOptions& options,
                                                        const AccountId& receiver,
                                                        MinerHandler& handler, const Clock& clock) {
  ADIT_TRY(const auto server_credentials, credentials(options));
  // gRPC reports a failed bind without a reason; ask the system first.
  ADIT_TRY_VOID(check_can_listen(options.bind));
  auto state = std::make_unique<State>(options, receiver, handler, clock);
  grpc::ServerBuilder builder;
  set_limits(builder, options);
  builder.AddListeningPort(options.bind.text(), server_credentials, &state->port);
  builder.RegisterService(&state->service);
  state->server = builder.BuildAndStart();
  if (state->server == nullptr || state->port == 0) {
    if (state->server != nullptr) state->server->Shutdown();
    return unavailable("cannot serve on {}: gRPC refused the address, the certificate or the key",
                       options.bind.text());
  }
  return std::unique_ptr<MinerServer>(new MinerServer(std::move(state)));
}

std::uint16_t MinerServer::port() const {
  return static_cast<std::uint16_t>(state_->port);
}

void MinerServer::stop(std::chrono::milliseconds grace) {
  if (state_ == nullptr || state_->server == nullptr) return;
  state_->server->Shutdown(deadline_after(grace));
  state_->server->Wait();
  state_->server.reset();
}

}  // namespace adit::net
