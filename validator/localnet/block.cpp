// SPDX-License-Identifier: MIT
#include "validator/localnet/block.hpp"

#include "common/crypto/hash.hpp"
#include "common/scale/decoder.hpp"
#include "common/scale/encoder.hpp"

namespace adit::validator {

Bytes Header::encode() const {
  scale::Encoder out;
  out.raw(parent);
  out.compact(number);
  out.raw(state_root);
  out.raw(extrinsics_root);
  // No digest items.
  out.compact(0);
  return out.take();
}

Result<Header> Header::decode(ByteView bytes) {
  scale::Decoder in(bytes);
  Header header;
  ADIT_TRY(header.parent, in.fixed<32>());
  ADIT_TRY(header.number, in.compact());
  ADIT_TRY(header.state_root, in.fixed<32>());
  ADIT_TRY(header.extrinsics_root, in.fixed<32>());
  ADIT_TRY(const std::uint64_t digests, in.compact());
  if (digests != 0 || !in.done())
    return invalid_argument("offset {}: expected an empty digest", in.offset());
  return header;
}

Hash256 Header::hash() const {
  return crypto::blake2b_256(encode());
}

Hash256 extrinsics_root(const std::vector<Bytes>& extrinsics) {
  scale::Encoder out;
  out.compact(extrinsics.size());
  for (const Bytes& extrinsic : extrinsics) out.bytes(extrinsic);
  return crypto::blake2b_256(out.take());
}

}  // namespace adit::validator
