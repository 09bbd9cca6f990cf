// SPDX-License-Identifier: MIT
// common/protocol/btauth.hpp
//
// btauth/1, the signed call of Bittensor's SDK v11, in its strict profile: who calls, whom, with
// which bytes.
//
// In       headers: (name, value) pairs as received; names compare without regard to case. gRPC
//          carries them as lower-case metadata, METHOD "POST", target "/package.Service/Method",
//          body = message bytes as sent.
// Out      seal: the headers to send. open: the sender and its nonce, once shape, receiver,
//          freshness and signature are right, checked in this order. Replay is the caller's next
//          step (ReplayWindow), after it knows that the sender may call at all.
// Strict   one header of a name; no unknown x-bittensor-* but the two reserved drand ones; ss58 of
//          prefix 42 and exactly 48 characters, checked before base58; nonce [0-9]{1,20} below
//          2^64; signature "0x" + 128 lower-case hex digits; receiver required; weak public keys
//          (by crypto::verify) and <Bytes>-wrapped signatures refused; the scheme is pinned by the
//          caller, never chosen by the header.
// Errors   kInvalidArgument: shape. kPermissionDenied: another receiver. kUnauthenticated: stale,
//          from the future, weak key or bad signature. Messages never contain signature or key
//          bytes.
// Units    nonce: unix nanoseconds.
// Threads  pure; any thread.
// Source   github.com/RaoFoundation/subtensor docs/guides/signed-requests.mdx; taowire 0.1.0a2
//          (strict profile)
// Tests    tests/unit/common/protocol/btauth_test.cpp, tests/vectors/btauth1.json,
//          tests/fuzz/envelope_fuzz.cpp
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/limits.hpp"
#include "common/base/result.hpp"
#include "common/base/strong.hpp"
#include "common/crypto/keypair.hpp"
#include "common/crypto/signer.hpp"

namespace adit::protocol {

using Header = std::pair<std::string, std::string>;

// What the signature covers besides the headers.
struct CallBytes {
  std::string_view method;  // upper case
  std::string_view target;  // as sent, percent-encoded path and query
  ByteView body;
};

struct OpenPolicy {
  AccountId receiver{};
  crypto::Scheme scheme = crypto::Scheme::kSr25519;
  std::uint64_t age_ns_max = limits::kEnvelopeAgeNsMax;
  std::uint64_t skew_ns_max = limits::kEnvelopeSkewNsMax;
};

struct OpenedCall {
  AccountId sender{};
  std::uint64_t nonce = 0;
};

// The eight lines that are signed.
[[nodiscard]] std::string btauth_payload(crypto::Scheme scheme, const CallBytes& call,
                                         std::string_view nonce, std::string_view sender,
                                         std::string_view receiver);

// Lower-case names. The caller chooses a nonce that it never used for this receiver (NonceSource).
[[nodiscard]] Result<std::vector<Header>> seal(crypto::Signer& signer, const AccountId& receiver,
                                               const CallBytes& call, std::uint64_t nonce);

[[nodiscard]] Result<OpenedCall> open(const OpenPolicy& policy, std::span<const Header> headers,
                                      const CallBytes& call, std::uint64_t now_ns);

}  // namespace adit::protocol
