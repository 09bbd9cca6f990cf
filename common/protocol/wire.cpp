// SPDX-License-Identifier: MIT
#include "common/protocol/wire.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "adit/v1/miner.pb.h"
#include "common/base/limits.hpp"

namespace adit::protocol {
namespace {

template <class Message>
Bytes serialize(const Message& message) {
  Bytes out(message.ByteSizeLong());
  message.SerializeToArray(out.data(), static_cast<int>(out.size()));
  return out;
}

bool has_unknown(const google::protobuf::Message& message) {
  return !message.GetReflection()->GetUnknownFields(message).empty();
}

template <class Message>
Result<Message> parse(std::string_view what, ByteView bytes) {
  if (bytes.size() > limits::kRequestBytesMax) {
    return invalid_argument("{}: {} bytes, expected at most {}", what, bytes.size(),
                            limits::kRequestBytesMax);
  }
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return invalid_argument("{}: {} bytes are not this protobuf message", what, bytes.size());
  }
  if (has_unknown(message))
    return invalid_argument("{}: has a field that this version does not know", what);
  return message;
}

// Names come from a peer and go to terminals.
bool is_name(const std::string& text) {
  return text.size() <= limits::kNameBytesMax && std::none_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
         });
}

std::string text_of(ByteView bytes) {
  return std::string(as_text(bytes));
}

template <std::size_t N>
Result<FixedBytes<N>> fixed(std::string_view field, const std::string& value) {
  if (value.size() != N) {
    return invalid_argument("{}: {} bytes, expected {}", field, value.size(), N);
  }
  FixedBytes<N> out;
  std::copy(value.begin(), value.end(), reinterpret_cast<char*>(out.data()));
  return out;
}

template <class Repeated>
Result<std::vector<TokenId>> ids(std::string_view field, const Repeated& values,
                                 std::uint32_t count_max) {
  if (values.size() > static_cast<int>(count_max)) {
    return invalid_argument("{}: {} ids, expected at most {}", field, values.size(), count_max);
  }
  std::vector<TokenId> out;
  out.reserve(static_cast<std::size_t>(values.size()));
  for (const std::uint32_t id : values) {
    if (id >= limits::kVocabularyMax) {
      return invalid_argument("{}[{}]: {}, expected a token id below {}", field, out.size(), id,
                              limits::kVocabularyMax);
    }
    out.push_back(static_cast<TokenId>(id));
  }
  return out;
}

Result<Receipt> receipt_from(const v1::Receipt& message) {
  if (has_unknown(message))
    return invalid_argument("receipt: has a field that this version does not know");
  Receipt out;
  ADIT_TRY(out.core, decode_receipt_core(as_bytes(message.core())));
  ADIT_TRY(out.miner, fixed<32>("receipt.miner", message.miner()));
  ADIT_TRY(out.signature, fixed<64>("receipt.signature", message.signature()));
  if (message.scheme() > static_cast<std::uint32_t>(crypto::Scheme::kSr25519)) {
    return invalid_argument("receipt.scheme: {}, expected 0 or 1", message.scheme());
  }
  out.scheme = static_cast<crypto::Scheme>(message.scheme());
  return out;
}

}  // namespace

Bytes encode_request(const GenerateRequest& request) {
  v1::GenerateRequest message;
  message.set_card(text_of(request.card));
  message.set_charter(text_of(request.charter));
  message.mutable_prompt()->Reserve(static_cast<int>(request.prompt.size()));
  for (const TokenId id : request.prompt) message.add_prompt(static_cast<std::uint32_t>(id));
  message.set_max_tokens(request.max_tokens);
  v1::Sampling& sampling = *message.mutable_sampling();
  sampling.set_temperature_milli(request.sampling.temperature_milli);
  sampling.set_top_p_65536(request.sampling.top_p_65536);
  sampling.set_top_k(request.sampling.top_k);
  sampling.set_min_p_65536(request.sampling.min_p_65536);
  message.set_block_hash(text_of(request.block_hash));
  message.set_slot(request.slot);
  message.set_nonce(text_of(request.nonce));
  message.set_audit_commitment(text_of(request.audit_commitment));
  return serialize(message);
}

Result<GenerateRequest> decode_request(ByteView bytes) {
  ADIT_TRY(const v1::GenerateRequest message, parse<v1::GenerateRequest>("request", bytes));
  if (!message.has_sampling() || has_unknown(message.sampling())) {
    return invalid_argument(
        "request.sampling: missing, or with a field that this version does not know");
  }
  GenerateRequest out;
  ADIT_TRY(out.card, fixed<32>("request.card", message.card()));
  ADIT_TRY(out.charter, fixed<32>("request.charter", message.charter()));
  ADIT_TRY(out.prompt, ids("request.prompt", message.prompt(), limits::kPromptTokensMax));
  out.max_tokens = message.max_tokens();
  out.sampling = {.temperature_milli = message.sampling().temperature_milli(),
                  .top_p_65536 = message.sampling().top_p_65536(),
                  .top_k = message.sampling().top_k(),
                  .min_p_65536 = message.sampling().min_p_65536()};
  ADIT_TRY(out.block_hash, fixed<32>("request.block_hash", message.block_hash()));
  out.slot = message.slot();
  ADIT_TRY(out.nonce, fixed<32>("request.nonce", message.nonce()));
  ADIT_TRY(out.audit_commitment, fixed<32>("request.audit_commitment", message.audit_commitment()));
  ADIT_TRY_VOID(check(out));
  return out;
}

Bytes encode_describe_request() {
  return serialize(v1::DescribeRequest{});
}

Result<void> decode_describe_request(ByteView bytes) {
  ADIT_TRY(const v1::DescribeRequest message,
           parse<v1::DescribeRequest>("describe request", bytes));
  static_cast<void>(message);
  return {};
}

Bytes encode_description(const Description& description) {
  v1::DescribeReply message;
  message.set_protocol(kProtocolVersion);
  message.set_card(text_of(canonical_bytes(description.card)));
  message.set_model_name(description.model_name);
  message.set_software(description.software);
  message.set_hotkey(text_of(description.hotkey));
  message.set_context(description.context);
  message.set_batch_max(description.batch_max);
  message.set_queue_max(description.queue_max);
  message.set_running(description.running);
  message.set_waiting(description.waiting);
  return serialize(message);
}

Result<Description> decode_description(ByteView bytes) {
  ADIT_TRY(const v1::DescribeReply message, parse<v1::DescribeReply>("description", bytes));
  if (message.protocol() != kProtocolVersion) {
    return invalid_argument("description.protocol: {}, expected {}", message.protocol(),
                            kProtocolVersion);
  }
  if (!is_name(message.model_name()) || !is_name(message.software())) {
    return invalid_argument(
        "description: model_name, software: expected at most {} bytes, no control characters",
        limits::kNameBytesMax);
  }
  Description out;
  ADIT_TRY(out.card, decode_card(as_bytes(message.card())));
  ADIT_TRY(out.hotkey, fixed<32>("description.hotkey", message.hotkey()));
  out.model_name = message.model_name();
  out.software = message.software();
  out.context = message.context();
  out.batch_max = message.batch_max();
  out.queue_max = message.queue_max();
  out.running = message.running();
  out.waiting = message.waiting();
  return out;
}

Bytes encode_chunk(const Chunk& chunk) {
  v1::GenerateChunk message;
  if (const auto* tokens = std::get_if<std::vector<TokenId>>(&chunk)) {
    v1::Tokens& part = *message.mutable_tokens();
    for (const TokenId id : *tokens) part.add_ids(static_cast<std::uint32_t>(id));
  } else {
    const Receipt& receipt = std::get<Receipt>(chunk);
    v1::Receipt& part = *message.mutable_receipt();
    part.set_core(text_of(canonical_bytes(receipt.core)));
    part.set_miner(text_of(receipt.miner));
    part.set_scheme(static_cast<std::uint32_t>(receipt.scheme));
    part.set_signature(text_of(receipt.signature));
  }
  return serialize(message);
}

Result<Chunk> decode_chunk(ByteView bytes) {
  ADIT_TRY(const v1::GenerateChunk message, parse<v1::GenerateChunk>("chunk", bytes));
  switch (message.part_case()) {
    case v1::GenerateChunk::kTokens: {
      if (has_unknown(message.tokens()))
        return invalid_argument("chunk.tokens: has an unknown field");
      ADIT_TRY(std::vector<TokenId> tokens,
               ids("chunk.tokens", message.tokens().ids(), limits::kNewTokensMax));
      return Chunk{std::move(tokens)};
    }
    case v1::GenerateChunk::kReceipt: {
      ADIT_TRY(Receipt receipt, receipt_from(message.receipt()));
      return Chunk{std::move(receipt)};
    }
    case v1::GenerateChunk::PART_NOT_SET:
      break;
  }
  return invalid_argument("chunk: expected tokens or a receipt, got neither");
}

}  // namespace adit::protocol
