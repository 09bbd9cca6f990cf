// SPDX-License-Identifier: MIT
#include "common/chain/extrinsic.hpp"

#include <utility>

#include "common/chain/calls.hpp"
#include "common/crypto/hash.hpp"
#include "common/scale/encoder.hpp"

namespace adit::chain {
namespace {

constexpr std::uint8_t kSignedV4 = 0x84;
constexpr std::uint8_t kUnsignedV4 = 0x04;
constexpr std::size_t kPayloadBytesMax = 256;

struct ExtensionBytes {
  Bytes extra;
  Bytes additional;
};

// `bytes` must be exactly one value of the type that the metadata gives.
Result<void> check_shape(const Metadata& metadata, const Extension& extension, TypeId type,
                         ByteView bytes) {
  scale::Decoder in(bytes);
  if (metadata.types().skip(type, in) && in.done()) return {};
  return make_error(ErrorCode::kUnimplemented,
                    "extension {}: expected its bytes to be {}, the runtime says {}", extension.name,
                    to_hex(bytes), metadata.types().describe(type));
}

// One extension's bytes; none for a name that is not known here.
std::optional<ExtensionBytes> known_extension(std::string_view name, const SigningContext& context) {
  scale::Encoder extra;
  scale::Encoder additional;
  if (name == "CheckSpecVersion") {
    additional.u32(context.spec_version);
  } else if (name == "CheckTxVersion") {
    additional.u32(context.transaction_version);
  } else if (name == "CheckGenesis") {
    additional.raw(context.genesis);
  } else if (name == "CheckMortality" || name == "CheckEra") {
    extra.raw(context.era.encode());
    additional.raw(context.era_hash);
  } else if (name == "CheckNonce") {
    extra.compact(context.nonce);
  } else if (name == "ChargeTransactionPayment") {
    extra.compact(context.tip);
  } else if (name == "CheckMetadataHash") {
    extra.u8(0);
    additional.u8(0);
  } else {
    return std::nullopt;
  }
  return ExtensionBytes{extra.take(), additional.take()};
}

Result<ExtensionBytes> encode_extensions(const Metadata& metadata, const SigningContext& context) {
  ExtensionBytes all;
  for (const Extension& extension : metadata.extensions()) {
    const std::optional<ExtensionBytes> known = known_extension(extension.name, context);
    if (!known) {
      if (metadata.types().is_zero_sized(extension.extra) &&
          metadata.types().is_zero_sized(extension.additional)) {
        continue;
      }
      return unimplemented("transaction extension {} is not known and not empty: refusing to sign",
                           extension.name);
    }
    ADIT_TRY_VOID(check_shape(metadata, extension, extension.extra, known->extra));
    ADIT_TRY_VOID(check_shape(metadata, extension, extension.additional, known->additional));
    append(all.extra, known->extra);
    append(all.additional, known->additional);
  }
  return all;
}

Result<void> check_version(const Metadata& metadata) {
  if (metadata.extrinsic_version() == 4) return {};
  return unimplemented("extrinsic version {}, expected 4", metadata.extrinsic_version());
}

Bytes joined_payload(ByteView call, const ExtensionBytes& extensions) {
  Bytes payload = to_bytes(call);
  append(payload, extensions.extra);
  append(payload, extensions.additional);
  return payload;
}

Result<void> decode_extra(const Metadata& metadata, scale::Decoder& in, DecodedExtrinsic& xt) {
  for (const Extension& extension : metadata.extensions()) {
    const std::size_t at = in.offset();
    if (extension.name == "CheckMortality" || extension.name == "CheckEra") {
      ADIT_TRY(xt.era, Era::decode(in));
    } else if (extension.name == "CheckNonce") {
      ADIT_TRY(const std::uint64_t nonce, in.compact());
      if (nonce > UINT32_MAX) return invalid_argument("offset {}: nonce {}", at, nonce);
      xt.nonce = static_cast<std::uint32_t>(nonce);
    } else if (extension.name == "ChargeTransactionPayment") {
      ADIT_TRY(xt.tip, in.compact());
    } else if (extension.name == "CheckMetadataHash") {
      ADIT_TRY(const std::uint8_t mode, in.u8());
      if (mode != 0) return invalid_argument("offset {}: metadata hash mode {}, expected 0", at, mode);
    } else {
      ADIT_TRY_VOID(metadata.types().skip(extension.extra, in));
    }
  }
  return {};
}

Result<void> decode_signer(scale::Decoder& in, DecodedExtrinsic& xt) {
  std::size_t at = in.offset();
  ADIT_TRY(const std::uint8_t version, in.u8());
  if (version == kUnsignedV4) return invalid_argument("offset {}: an extrinsic without a signature", at);
  if (version != kSignedV4) return invalid_argument("offset {}: version {:02x}, expected 84", at, version);
  at = in.offset();
  ADIT_TRY(const std::uint8_t address, in.u8());
  if (address != 0)
    return invalid_argument("offset {}: address form {}, expected 0 (account id)", at, address);
  ADIT_TRY(xt.signer, in.fixed<32>());
  at = in.offset();
  ADIT_TRY(const std::uint8_t scheme, in.u8());
  if (scheme > 1) return invalid_argument("offset {}: signature scheme {}, expected 0 or 1", at, scheme);
  xt.scheme = static_cast<crypto::Scheme>(scheme);
  ADIT_TRY(xt.signature, in.fixed<64>());
  return {};
}

Result<DecodedExtrinsic> decode_parts(const Metadata& metadata, ByteView xt) {
  scale::Decoder in(xt);
  ADIT_TRY(const std::uint64_t length, in.compact());
  if (length != in.remaining()) {
    return invalid_argument("offset 0: length {}, but {} bytes follow", length, in.remaining());
  }
  DecodedExtrinsic out;
  ADIT_TRY_VOID(decode_signer(in, out));
  ADIT_TRY_VOID(decode_extra(metadata, in, out));
  out.call = to_bytes(xt.subspan(in.offset()));
  ADIT_TRY_VOID(decode_call(metadata, out.call));
  return out;
}

}  // namespace

Result<Bytes> signing_payload(const Metadata& metadata, ByteView call, const SigningContext& context) {
  ADIT_TRY_VOID(check_version(metadata));
  ADIT_TRY(const ExtensionBytes extensions, encode_extensions(metadata, context));
  return joined_payload(call, extensions);
}

Bytes signing_message(ByteView payload) {
  return payload.size() > kPayloadBytesMax ? to_bytes(crypto::blake2b_256(payload)) : to_bytes(payload);
}

Result<Bytes> sign_extrinsic(const Metadata& metadata, ByteView call, const SigningContext& context,
                             crypto::Signer& signer) {
  ADIT_TRY_VOID(check_version(metadata));
  ADIT_TRY(const ExtensionBytes extensions, encode_extensions(metadata, context));
  ADIT_TRY(const crypto::Signature signature,
           signer.sign(signing_message(joined_payload(call, extensions))));
  scale::Encoder body;
  body.u8(kSignedV4);
  body.u8(0);
  body.raw(signer.account());
  body.u8(static_cast<std::uint8_t>(signer.scheme()));
  body.raw(signature);
  body.raw(extensions.extra);
  body.raw(call);
  scale::Encoder out;
  out.bytes(body.take());
  return out.take();
}

Result<DecodedExtrinsic> decode_extrinsic(const Metadata& metadata, ByteView xt) {
  auto decoded = decode_parts(metadata, xt);
  if (!decoded) return tl::unexpected<Error>(decoded.error().context("extrinsic"));
  return decoded;
}

Result<bool> verify_extrinsic(const Metadata& metadata, const DecodedExtrinsic& xt, SigningContext chain) {
  chain.era = xt.era;
  chain.nonce = xt.nonce;
  chain.tip = xt.tip;
  ADIT_TRY(const Bytes payload, signing_payload(metadata, xt.call, chain));
  return crypto::verify(xt.scheme, xt.signer, signing_message(payload), xt.signature);
}

Hash256 extrinsic_hash(ByteView xt) {
  return crypto::blake2b_256(xt);
}

}  // namespace adit::chain
