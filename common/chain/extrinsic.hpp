// SPDX-License-Identifier: MIT
// common/chain/extrinsic.hpp
//
// Signed extrinsics, version 4: made, taken apart, and their signatures checked.
//
// In       call: an encoded call. Transaction extensions are taken from the metadata, in its order; one
// that is
//          not known here is accepted only if both its types are empty.
// Out      sign_extrinsic: compact length || 84 || 00 || account || scheme || signature || extra || call.
//          signing_payload: call || extra || additional. signing_message: the payload, or its blake2b-256
//          when it is longer than 256 bytes; this is what is signed.
// Units    Era: blocks.
// Errors   kUnimplemented  an unknown extension that is not empty (named); kInvalidArgument  bytes that are
// not a
//          signed extrinsic of ed25519 or sr25519, with the offset.
// Threads  pure; any thread.
// Source   docs.polkadot.com "Transactions", polkadot-sdk sp_runtime::generic::{Era, UncheckedExtrinsic}
// Tests    tests/unit/common/chain/extrinsic_test.cpp
#pragma once

#include <cstdint>
#include <optional>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/base/strong.hpp"
#include "common/chain/metadata.hpp"
#include "common/crypto/signer.hpp"
#include "common/scale/decoder.hpp"

namespace adit::chain {

// The span of blocks in which an extrinsic may be included. period 0: for ever.
struct Era {
  std::uint64_t period = 0;
  std::uint64_t phase = 0;

  [[nodiscard]] static Era immortal() { return {}; }
  // period is rounded up to a power of two in 4..65536.
  [[nodiscard]] static Era mortal(std::uint64_t period, BlockNumber current);
  [[nodiscard]] static Result<Era> decode(scale::Decoder& in);
  [[nodiscard]] Bytes encode() const;
  // The block whose hash is signed (0 for ever: genesis), seen from block `current`.
  [[nodiscard]] BlockNumber birth(BlockNumber current) const;
  // The first block that may not include it any more; none: never dies.
  [[nodiscard]] std::optional<BlockNumber> death(BlockNumber current) const;
  friend bool operator==(const Era&, const Era&) = default;
};

struct SigningContext {
  std::uint32_t spec_version = 0;
  std::uint32_t transaction_version = 0;
  Hash256 genesis{};
  Era era{};
  Hash256 era_hash{};  // of the era's birth block; genesis if immortal
  std::uint32_t nonce = 0;
  std::uint64_t tip = 0;  // rao
};

struct DecodedExtrinsic {
  AccountId signer{};
  crypto::Scheme scheme = crypto::Scheme::kSr25519;
  crypto::Signature signature{};
  Era era{};
  std::uint32_t nonce = 0;
  std::uint64_t tip = 0;
  Bytes call;
};

[[nodiscard]] Result<Bytes> signing_payload(const Metadata& metadata, ByteView call,
                                            const SigningContext& context);
[[nodiscard]] Bytes signing_message(ByteView payload);
[[nodiscard]] Result<Bytes> sign_extrinsic(const Metadata& metadata, ByteView call,
                                           const SigningContext& context, crypto::Signer& signer);
// xt: with its length prefix. The call is checked to be exactly one call of this runtime.
[[nodiscard]] Result<DecodedExtrinsic> decode_extrinsic(const Metadata& metadata, ByteView xt);
// Whether the signature holds on a chain with these spec_version, transaction_version, genesis and
// era_hash; era, nonce and tip are the extrinsic's own.
[[nodiscard]] Result<bool> verify_extrinsic(const Metadata& metadata, const DecodedExtrinsic& xt,
                                            SigningContext chain);
// blake2b-256 of the whole extrinsic with its length prefix.
[[nodiscard]] Hash256 extrinsic_hash(ByteView xt);

}  // namespace adit::chain
