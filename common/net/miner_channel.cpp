// SPDX-License-Identifier: MIT
#include "common/net/miner_channel.hpp"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/impl/rpc_method.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/sync_stream.h>

#include <utility>
#include <vector>

#include "common/base/limits.hpp"
#include "common/net/deadline.hpp"
#include "common/net/grpc_bytes.hpp"
#include "common/net/status.hpp"
#include "common/protocol/btauth.hpp"
#include "common/protocol/wire.hpp"

namespace adit::net {
namespace {

// Collects one stream and refuses whatever the protocol does not allow.
class StreamReader {
 public:
  explicit StreamReader(std::uint32_t max_tokens) : max_tokens_(max_tokens) {}

  // The new tokens of this message (empty for the receipt).
  Result<std::vector<TokenId>> take(ByteView message) {
    auto chunk = protocol::decode_chunk(message);
    if (!chunk) return data_loss("reply: {}", chunk.error().message);
    if (has_receipt_) return data_loss("reply: a message after the receipt");
    if (auto* receipt = std::get_if<protocol::Receipt>(&*chunk)) {
      if (receipt->core.ids != ids_) {
        return data_loss("reply: the receipt has other ids than the {} streamed ones", ids_.size());
      }
      receipt_ = std::move(*receipt);
      has_receipt_ = true;
      return std::vector<TokenId>{};
    }
    std::vector<TokenId> tokens = std::get<std::vector<TokenId>>(*std::move(chunk));
    if (tokens.size() > max_tokens_ - ids_.size()) {
      return data_loss("reply: more than the {} tokens asked for", max_tokens_);
    }
    ids_.insert(ids_.end(), tokens.begin(), tokens.end());
    return tokens;
  }
  Result<protocol::Receipt> finish() {
    if (!has_receipt_)
      return data_loss("reply: ended after {} tokens without a receipt", ids_.size());
    return std::move(receipt_);
  }

 private:
  const std::uint32_t max_tokens_;
  std::vector<TokenId> ids_;
  bool has_receipt_ = false;
  protocol::Receipt receipt_;
};

std::shared_ptr<grpc::ChannelCredentials> credentials(const std::optional<TlsTrust>& tls) {
  if (!tls) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = tls->roots_pem;
  return grpc::SslCredentials(ssl);
}

}  // namespace

struct MinerChannel::State {
  AccountId miner{};
  crypto::Signer& signer;
  protocol::NonceSource& nonces;
  const Clock& clock;
  std::shared_ptr<grpc::Channel> channel;

  Result<void> sign(grpc::ClientContext& context, const char* method, ByteView body,
                    std::chrono::milliseconds deadline) const {
    context.set_deadline(deadline_after(deadline));
    ADIT_TRY(const std::vector<protocol::Header> headers,
             protocol::seal(signer, miner, {"POST", method, body}, nonces.next()));
    for (const auto& [key, value] : headers) context.AddMetadata(key, value);
    return {};
  }
};

MinerChannel::MinerChannel(const Options& options, crypto::Signer& signer,
                           protocol::NonceSource& nonces, const Clock& clock)
    : state_(new State{.miner = options.miner,
                       .signer = signer,
                       .nonces = nonces,
                       .clock = clock,
                       .channel = nullptr}) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(limits::kRequestBytesMax));
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, static_cast<int>(limits::kMetadataHeaderBytesMax));
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  if (options.tls && !options.tls->server_name.empty()) {
    arguments.SetSslTargetNameOverride(options.tls->server_name);
  }
  const std::string scheme = options.endpoint.is_v6 ? "ipv6:" : "ipv4:";
  state_->channel = grpc::CreateCustomChannel(scheme + options.endpoint.text(),
                                              credentials(options.tls), arguments);
}

MinerChannel::~MinerChannel() = default;
MinerChannel::MinerChannel(MinerChannel&&) noexcept = default;

Result<protocol::Description> MinerChannel::describe(std::chrono::milliseconds deadline) {
  const Bytes body = protocol::encode_describe_request();
  grpc::ClientContext context;
  ADIT_TRY_VOID(state_->sign(context, kDescribeMethod, body, deadline));
  const grpc::internal::RpcMethod method(kDescribeMethod, grpc::internal::RpcMethod::NORMAL_RPC);
  grpc::ByteBuffer reply;
  const grpc::Status status = grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer>(
      state_->channel.get(), method, &context, to_buffer(body), &reply);
  if (!status.ok()) return tl::unexpected<Error>(from_status(status));
  ADIT_TRY(const Bytes bytes, from_buffer(reply));
  auto description = protocol::decode_description(bytes);
  if (!description) return data_loss("reply: {}", description.error().message);
  return description;
}

Result<GenerateReply> MinerChannel::generate(const protocol::GenerateRequest& request,
                                             std::chrono::milliseconds deadline,
                                             const OnTokens& on_tokens) {
  const Bytes body = protocol::encode_request(request);
  grpc::ClientContext context;
  ADIT_TRY_VOID(state_->sign(context, kGenerateMethod, body, deadline));
  const grpc::internal::RpcMethod method(kGenerateMethod,
                                         grpc::internal::RpcMethod::SERVER_STREAMING);
  const std::uint64_t start_ns = state_->clock.steady_ns();
  const std::unique_ptr<grpc::ClientReader<grpc::ByteBuffer>> reader(
      grpc::internal::ClientReaderFactory<grpc::ByteBuffer>::Create(state_->channel.get(), method,
                                                                    &context, to_buffer(body)));
  StreamReader stream(request.max_tokens);
  GenerateReply out;
  grpc::ByteBuffer message;
  while (reader->Read(&message)) {
    Result<Bytes> bytes = from_buffer(message);
    Result<std::vector<TokenId>> tokens =
        bytes ? stream.take(*bytes)
              : Result<std::vector<TokenId>>(tl::unexpected<Error>(bytes.error()));
    const bool go_on = tokens && (tokens->empty() || !on_tokens || on_tokens(*tokens));
    if (!go_on) {
      context.TryCancel();
      reader->Finish();
      if (!tokens) return tl::unexpected<Error>(tokens.error());
      return make_error(ErrorCode::kCancelled, "cancelled by the caller");
    }
    if (out.first_token_ns == 0) out.first_token_ns = state_->clock.steady_ns() - start_ns;
  }
  const grpc::Status status = reader->Finish();
  if (!status.ok()) return tl::unexpected<Error>(from_status(status));
  ADIT_TRY(out.receipt, stream.finish());
  out.total_ns = state_->clock.steady_ns() - start_ns;
  return out;
}

}  // namespace adit::net
