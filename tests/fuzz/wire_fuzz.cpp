// SPDX-License-Identifier: MIT
#include <cstdint>
#include <cstdlib>

#include "common/protocol/wire.hpp"

namespace protocol = adit::protocol;

namespace {

// Whatever decodes has one value: encoding it and decoding again gives it back.
template <class Decoded, class Encode, class Decode>
void round_trip(const Decoded& decoded, Encode encode, Decode decode) {
  if (!decoded) return;
  const auto again = decode(encode(*decoded));
  if (!again || !(*again == *decoded)) std::abort();
}

// Canonical forms are stricter: there is no second text for a value.
template <class Decoded>
void exact(const Decoded& decoded, adit::ByteView bytes) {
  if (decoded && protocol::canonical_bytes(*decoded) != adit::to_bytes(bytes)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const adit::ByteView bytes(data, size);
  round_trip(protocol::decode_request(bytes), protocol::encode_request, protocol::decode_request);
  round_trip(protocol::decode_chunk(bytes), protocol::encode_chunk, protocol::decode_chunk);
  round_trip(protocol::decode_description(bytes), protocol::encode_description,
             protocol::decode_description);
  exact(protocol::decode_generate_request(bytes), bytes);
  exact(protocol::decode_receipt_core(bytes), bytes);
  exact(protocol::decode_card(bytes), bytes);
  return 0;
}
