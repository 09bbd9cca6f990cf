// SPDX-License-Identifier: MIT
//
// First byte chooses: 0 a block's events, 1 an extrinsic, 2 a call, 3 a dispatch error. What is accepted is
// stable: events re-encode to bytes that decode to the same; a call's arguments join up to the call again.
#include "common/base/check.hpp"
#include "common/chain/calls.hpp"
#include "common/chain/events.hpp"
#include "common/chain/extrinsic.hpp"
#include "common/chain/localnet_metadata.hpp"
#include "common/chain/metadata.hpp"

namespace {

using adit::Bytes;
using adit::ByteView;

const adit::chain::Metadata& metadata() {
  static const adit::chain::Metadata decoded =
      *adit::chain::Metadata::decode(adit::chain::localnet_metadata());
  return decoded;
}

void events(ByteView input) {
  const auto decoded = adit::chain::decode_events(metadata(), input);
  if (!decoded) return;
  const auto encoded = adit::chain::encode_events(metadata(), *decoded);
  ADIT_CHECK(encoded.has_value());
  const auto again = adit::chain::decode_events(metadata(), *encoded);
  ADIT_CHECK(again.has_value() && again->size() == decoded->size());
}

void call(ByteView input) {
  const auto decoded = adit::chain::decode_call(metadata(), input);
  if (!decoded) return;
  Bytes joined = {input[0], input[1]};
  for (const auto& argument : decoded->arguments) adit::append(joined, argument.value);
  ADIT_CHECK(joined == adit::to_bytes(input));
  (void)adit::chain::decode_serve_axon(*decoded);
  (void)adit::chain::decode_weight_row(*decoded);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView input(data + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      events(input);
      break;
    case 1:
      (void)adit::chain::decode_extrinsic(metadata(), input);
      break;
    case 2:
      call(input);
      break;
    default:
      (void)adit::chain::dispatch_error_text(metadata(), input);
      break;
  }
  return 0;
}
