// SPDX-License-Identifier: MIT
#include "common/protocol/messages.hpp"

#include "common/base/limits.hpp"
#include "common/crypto/hash.hpp"
#include "common/protocol/canonical.hpp"

namespace adit::protocol {
namespace {

constexpr std::uint32_t kFormVersion = 1;
constexpr std::string_view kReceiptDomain = "adit1.rcpt";

Result<void> check_ids(std::string_view field, const std::vector<TokenId>& ids) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= static_cast<TokenId>(limits::kVocabularyMax)) {
      return invalid_argument("{}[{}]: {}, expected a token id below {}", field, i, ids[i],
                              limits::kVocabularyMax);
    }
  }
  return {};
}

Result<void> check(const SamplingParams& sampling) {
  if (sampling.temperature_milli > limits::kTemperatureMilliMax) {
    return invalid_argument("temperature_milli: {}, expected at most {}",
                            sampling.temperature_milli, limits::kTemperatureMilliMax);
  }
  if (sampling.top_p_65536 == 0 || sampling.top_p_65536 > kOff65536) {
    return invalid_argument("top_p_65536: {}, expected 1 to {}", sampling.top_p_65536, kOff65536);
  }
  if (sampling.top_k > limits::kVocabularyMax) {
    return invalid_argument("top_k: {}, expected at most {}", sampling.top_k,
                            limits::kVocabularyMax);
  }
  if (sampling.min_p_65536 > kOff65536) {
    return invalid_argument("min_p_65536: {}, expected at most {}", sampling.min_p_65536,
                            kOff65536);
  }
  return {};
}

// "adit1.rcpt" || receipt hash: no other signed message of the hotkey has this form.
Bytes receipt_signing_bytes(const ReceiptCore& core) {
  Bytes out = to_bytes(as_bytes(kReceiptDomain));
  append(out, receipt_hash(core));
  return out;
}

}  // namespace

Result<void> check(const GenerateRequest& request) {
  if (request.prompt.empty() || request.prompt.size() > limits::kPromptTokensMax) {
    return invalid_argument("prompt: {} tokens, expected 1 to {}", request.prompt.size(),
                            limits::kPromptTokensMax);
  }
  if (request.max_tokens == 0 || request.max_tokens > limits::kNewTokensMax) {
    return invalid_argument("max_tokens: {}, expected 1 to {}", request.max_tokens,
                            limits::kNewTokensMax);
  }
  ADIT_TRY_VOID(check_ids("prompt", request.prompt));
  return check(request.sampling);
}

Bytes canonical_bytes(const GenerateRequest& request) {
  Bytes out;
  out.reserve(200 + 4 * request.prompt.size());
  append_le(out, kFormVersion);
  append(out, request.card);
  append(out, request.charter);
  append(out, request.block_hash);
  append_le(out, request.slot);
  append(out, request.nonce);
  append(out, request.audit_commitment);
  append_le(out, request.max_tokens);
  append_le(out, request.sampling.temperature_milli);
  append_le(out, request.sampling.top_p_65536);
  append_le(out, request.sampling.top_k);
  append_le(out, request.sampling.min_p_65536);
  append_le(out, static_cast<std::uint32_t>(request.prompt.size()));
  append_ids(out, request.prompt);
  return out;
}

Result<GenerateRequest> decode_generate_request(ByteView bytes) {
  CanonicalReader in("request", bytes);
  GenerateRequest out;
  ADIT_TRY_VOID(in.version(kFormVersion));
  ADIT_TRY(out.card, in.hash("card"));
  ADIT_TRY(out.charter, in.hash("charter"));
  ADIT_TRY(out.block_hash, in.hash("block hash"));
  ADIT_TRY(out.slot, in.u64("slot"));
  ADIT_TRY(out.nonce, in.hash("nonce"));
  ADIT_TRY(out.audit_commitment, in.hash("audit commitment"));
  ADIT_TRY(out.max_tokens, in.u32("max_tokens"));
  ADIT_TRY(out.sampling.temperature_milli, in.u32("temperature_milli"));
  ADIT_TRY(out.sampling.top_p_65536, in.u32("top_p_65536"));
  ADIT_TRY(out.sampling.top_k, in.u32("top_k"));
  ADIT_TRY(out.sampling.min_p_65536, in.u32("min_p_65536"));
  ADIT_TRY(const std::uint32_t n_p, in.count("n_p", limits::kPromptTokensMax));
  ADIT_TRY(out.prompt, in.ids("prompt", n_p));
  ADIT_TRY_VOID(in.finish());
  ADIT_TRY_VOID(check(out));
  return out;
}

Hash256 request_hash(const GenerateRequest& request) {
  return crypto::b2("adit1.req", canonical_bytes(request));
}

Hash256 audit_commitment(const Hash256& audit_randomness) {
  return crypto::b2("adit1.com", audit_randomness);
}

Hash256 seed_of(const SeedInputs& inputs) {
  Bytes out;
  append(out, inputs.charter);
  append(out, inputs.block_hash);
  append_le(out, inputs.slot);
  append(out, inputs.validator);
  append(out, inputs.miner);
  append(out, inputs.request_hash);
  append(out, inputs.nonce);
  return crypto::b2("adit1.seed", out);
}

Hash256 seed_of(const GenerateRequest& request, const AccountId& validator,
                const AccountId& miner) {
  return seed_of(SeedInputs{.charter = request.charter,
                            .block_hash = request.block_hash,
                            .slot = request.slot,
                            .validator = validator,
                            .miner = miner,
                            .request_hash = request_hash(request),
                            .nonce = request.nonce});
}

Bytes canonical_bytes(const ReceiptCore& core) {
  Bytes out;
  out.reserve(144 + 4 * core.ids.size());
  append_le(out, kFormVersion);
  append(out, core.card);
  append(out, core.request);
  append(out, core.seed);
  append_le(out, core.n_p);
  append_le(out, core.n_g);
  append_le(out, static_cast<std::uint32_t>(core.finish));
  append(out, core.trace_root);
  append_ids(out, core.ids);
  return out;
}

Result<ReceiptCore> decode_receipt_core(ByteView bytes) {
  CanonicalReader in("receipt core", bytes);
  ReceiptCore out;
  ADIT_TRY_VOID(in.version(kFormVersion));
  ADIT_TRY(out.card, in.hash("card"));
  ADIT_TRY(out.request, in.hash("request"));
  ADIT_TRY(out.seed, in.hash("seed"));
  ADIT_TRY(out.n_p, in.count("n_p", limits::kPromptTokensMax));
  ADIT_TRY(out.n_g, in.count("n_g", limits::kNewTokensMax));
  ADIT_TRY(const std::uint32_t finish, in.u32("finish reason"));
  if (finish != static_cast<std::uint32_t>(FinishReason::kStop) &&
      finish != static_cast<std::uint32_t>(FinishReason::kLength)) {
    return invalid_argument("receipt core: offset 108: finish reason {}, expected 1 or 2", finish);
  }
  out.finish = static_cast<FinishReason>(finish);
  ADIT_TRY(out.trace_root, in.hash("trace root"));
  ADIT_TRY(out.ids, in.ids("ids", out.n_g));
  ADIT_TRY_VOID(in.finish());
  return out;
}

Hash256 receipt_hash(const ReceiptCore& core) {
  return crypto::b2(kReceiptDomain, canonical_bytes(core));
}

Result<Receipt> sign_receipt(ReceiptCore core, crypto::Signer& signer) {
  ADIT_TRY(const crypto::Signature signature, signer.sign(receipt_signing_bytes(core)));
  return Receipt{.core = std::move(core),
                 .miner = signer.account(),
                 .scheme = signer.scheme(),
                 .signature = signature};
}

bool has_valid_signature(const Receipt& receipt) {
  return crypto::verify(receipt.scheme, receipt.miner, receipt_signing_bytes(receipt.core),
                        receipt.signature);
}

Bytes canonical_bytes(const Card& card) {
  Bytes out;
  append_le(out, kFormVersion);
  append_le(out, card.numerics);
  append_le(out, card.trace);
  append(out, card.base);
  append(out, card.adapter);
  append(out, card.tokenizer);
  append(out, card.chat_template);
  for (const std::uint32_t value : {card.sparsity, card.layers, card.hidden, card.ffn, card.heads,
                                    card.kv_heads, card.head_dim, card.vocabulary, card.context}) {
    append_le(out, value);
  }
  append_le(out, static_cast<std::uint32_t>(card.planes.size()));
  append(out, card.planes);
  append_le(out, static_cast<std::uint32_t>(card.stop_ids.size()));
  append_ids(out, card.stop_ids);
  return out;
}

namespace {

Result<void> check_card(const Card& card) {
  for (std::size_t i = 0; i < card.planes.size(); ++i) {
    if (card.planes[i] != 8 && card.planes[i] != 16) {
      return invalid_argument("card: planes[{}] is {}, expected 8 or 16", i, card.planes[i]);
    }
  }
  for (std::size_t i = 1; i < card.stop_ids.size(); ++i) {
    if (card.stop_ids[i - 1] >= card.stop_ids[i]) {
      return invalid_argument("card: stop_ids[{}] is {}, expected more than {}", i,
                              card.stop_ids[i], card.stop_ids[i - 1]);
    }
  }
  return {};
}

}  // namespace

Result<Card> decode_card(ByteView bytes) {
  CanonicalReader in("card", bytes);
  Card out;
  ADIT_TRY_VOID(in.version(kFormVersion));
  ADIT_TRY(out.numerics, in.u32("numerics"));
  ADIT_TRY(out.trace, in.u32("trace"));
  ADIT_TRY(out.base, in.hash("base"));
  ADIT_TRY(out.adapter, in.hash("adapter"));
  ADIT_TRY(out.tokenizer, in.hash("tokenizer"));
  ADIT_TRY(out.chat_template, in.hash("chat template"));
  ADIT_TRY(out.sparsity, in.u32("sparsity"));
  ADIT_TRY(out.layers, in.count("layers", limits::kLayersMax));
  ADIT_TRY(out.hidden, in.u32("hidden"));
  ADIT_TRY(out.ffn, in.u32("ffn"));
  ADIT_TRY(out.heads, in.u32("heads"));
  ADIT_TRY(out.kv_heads, in.u32("kv_heads"));
  ADIT_TRY(out.head_dim, in.u32("head_dim"));
  ADIT_TRY(out.vocabulary, in.count("vocabulary", limits::kVocabularyMax));
  ADIT_TRY(out.context, in.count("context", limits::kContextMax));
  ADIT_TRY(const std::uint32_t planes, in.count("planes", limits::kTensorCountMax));
  ADIT_TRY(const ByteView plane_bytes, in.take("planes", planes));
  out.planes.assign(plane_bytes.begin(), plane_bytes.end());
  ADIT_TRY(const std::uint32_t stops, in.count("stop ids", limits::kStopIdsMax));
  ADIT_TRY(out.stop_ids, in.ids("stop ids", stops));
  ADIT_TRY_VOID(in.finish());
  ADIT_TRY_VOID(check_card(out));
  return out;
}

Hash256 card_hash(const Card& card) {
  return crypto::b2("adit1.card", canonical_bytes(card));
}

}  // namespace adit::protocol
