// SPDX-License-Identifier: MIT
// common/protocol/messages.hpp
//
// What a validator and a miner say to each other, as plain values, with their canonical bytes and
// hashes.
//
// Out      canonical_bytes: one byte form for one value, little-endian, grammar in proto/README.md;
//          decode_*: accept exactly that form and nothing else (decode(canonical_bytes(x)) == x).
// Units    temperature in 1/1000; top_p, min_p in 1/65536; lengths in tokens.
// Errors   decode_*: kInvalidArgument with offset and what was expected; check: kInvalidArgument
//          naming the field and its bounds.
// Threads  plain values.
// Source   design: receipts and audit ("Objects"); B2 = personalised BLAKE2b-256
// Tests    tests/unit/common/protocol/messages_test.cpp, tests/vectors/protocol/messages.json
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/base/strong.hpp"
#include "common/crypto/keypair.hpp"
#include "common/crypto/signer.hpp"

namespace adit::protocol {

inline constexpr std::uint32_t kProtocolVersion = 1;
inline constexpr std::uint32_t kOff65536 = 65536;

struct SamplingParams {
  std::uint32_t temperature_milli = 0;    // 0 = greedy
  std::uint32_t top_p_65536 = kOff65536;  // 65536 = off
  std::uint32_t top_k = 0;                // 0 = off
  std::uint32_t min_p_65536 = 0;          // 0 = off
  friend bool operator==(const SamplingParams&, const SamplingParams&) = default;
};

struct GenerateRequest {
  Hash256 card{};
  Hash256 charter{};
  std::vector<TokenId> prompt;
  std::uint32_t max_tokens = 0;
  SamplingParams sampling;
  Hash256 block_hash{};
  std::uint64_t slot = 0;
  Hash256 nonce{};
  Hash256 audit_commitment{};
  friend bool operator==(const GenerateRequest&, const GenerateRequest&) = default;
};

// Field bounds that need no knowledge of the model.
[[nodiscard]] Result<void> check(const GenerateRequest& request);
[[nodiscard]] Bytes canonical_bytes(const GenerateRequest& request);
[[nodiscard]] Result<GenerateRequest> decode_generate_request(ByteView bytes);
// B2("adit1.req", canonical bytes).
[[nodiscard]] Hash256 request_hash(const GenerateRequest& request);

// B2("adit1.com", r): the commitment C to the audit randomness r.
[[nodiscard]] Hash256 audit_commitment(const Hash256& audit_randomness);

struct SeedInputs {
  Hash256 charter{};
  Hash256 block_hash{};
  std::uint64_t slot = 0;
  AccountId validator{};
  AccountId miner{};
  Hash256 request_hash{};
  Hash256 nonce{};
};
// B2("adit1.seed", the fields in order).
[[nodiscard]] Hash256 seed_of(const SeedInputs& inputs);
// The same, with charter, block hash, slot, nonce and hash taken from the request.
[[nodiscard]] Hash256 seed_of(const GenerateRequest& request, const AccountId& validator,
                              const AccountId& miner);

enum class FinishReason : std::uint8_t { kStop = 1, kLength = 2 };

// Timings stay outside: a recomputed core is identical.
struct ReceiptCore {
  Hash256 card{};
  Hash256 request{};
  Hash256 seed{};
  std::uint32_t n_p = 0;
  std::uint32_t n_g = 0;
  std::vector<TokenId> ids;  // generated ones only, n_g of them; a stop id counts
  FinishReason finish = FinishReason::kLength;
  Hash256 trace_root{};
  friend bool operator==(const ReceiptCore&, const ReceiptCore&) = default;
};

[[nodiscard]] Bytes canonical_bytes(const ReceiptCore& core);
[[nodiscard]] Result<ReceiptCore> decode_receipt_core(ByteView bytes);
// B2("adit1.rcpt", canonical bytes).
[[nodiscard]] Hash256 receipt_hash(const ReceiptCore& core);

struct Receipt {
  ReceiptCore core;
  AccountId miner{};
  crypto::Scheme scheme = crypto::Scheme::kSr25519;
  crypto::Signature signature{};
  friend bool operator==(const Receipt&, const Receipt&) = default;
};

// Signs "adit1.rcpt" || receipt hash.
[[nodiscard]] Result<Receipt> sign_receipt(ReceiptCore core, crypto::Signer& signer);
// Whether the signature is by receipt.miner over receipt.core.
[[nodiscard]] bool has_valid_signature(const Receipt& receipt);

// The declaration of a model: whatever changes an answer is in here.
struct Card {
  std::uint32_t numerics = 1;
  std::uint32_t trace = 1;
  Hash256 base{};              // content hash of the pack
  Hash256 adapter{};           // zero = none
  Hash256 tokenizer{};         // BLAKE2b-256 of the canonical tokenizer blob
  Hash256 chat_template{};     // BLAKE2b-256 of its text
  std::uint32_t sparsity = 0;  // declared pattern; 0 = dense
  std::uint32_t layers = 0;
  std::uint32_t hidden = 0;
  std::uint32_t ffn = 0;
  std::uint32_t heads = 0;
  std::uint32_t kv_heads = 0;
  std::uint32_t head_dim = 0;
  std::uint32_t vocabulary = 0;
  std::uint32_t context = 0;
  // Activation form of each linear layer in forward order (16 = A16, 8 = A8g32).
  std::vector<std::uint8_t> planes;
  // Strictly ascending.
  std::vector<TokenId> stop_ids;
  friend bool operator==(const Card&, const Card&) = default;
};

[[nodiscard]] Bytes canonical_bytes(const Card& card);
[[nodiscard]] Result<Card> decode_card(ByteView bytes);
// B2("adit1.card", canonical bytes).
[[nodiscard]] Hash256 card_hash(const Card& card);

// What Describe answers.
struct Description {
  Card card;
  std::string model_name;
  std::string software;
  AccountId hotkey{};
  std::uint32_t context = 0;
  std::uint32_t batch_max = 0;
  std::uint32_t queue_max = 0;
  std::uint32_t running = 0;
  std::uint32_t waiting = 0;
  friend bool operator==(const Description&, const Description&) = default;
};

}  // namespace adit::protocol
