// SPDX-License-Identifier: MIT
// A ledger may come from anybody: each row decodes to what encodes to the same bytes, or is refused.
#include <cstdlib>

#include "validator/store/rows.hpp"

namespace {

using adit::ByteView;

template <class Row>
void check(const adit::Result<Row>& row, ByteView body) {
  if (row && adit::validator::encode_row(*row).body != adit::to_bytes(body)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView body(data + 1, size - 1);
  switch (data[0] % 5) {
    case 0: check(adit::validator::decode_plan(body), body); break;
    case 1: check(adit::validator::decode_asked(body), body); break;
    case 2: check(adit::validator::decode_judged(body), body); break;
    case 3: check(adit::validator::decode_weights(body), body); break;
    default: check(adit::validator::decode_submitted(body), body); break;
  }
  return 0;
}
