// SPDX-License-Identifier: MIT
//
// Any bytes: Metadata::decode and strip_metadata agree on whether they are metadata; what is stripped
// decodes to as many types, pallets and extensions; every type can be skipped over any bytes.
#include <algorithm>

#include "common/base/check.hpp"
#include "common/chain/metadata.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const adit::ByteView input(data, size);
  const auto metadata = adit::chain::Metadata::decode(input);
  const auto stripped = adit::chain::strip_metadata(input);
  ADIT_CHECK(metadata.has_value() == stripped.has_value());
  if (!metadata) return 0;
  ADIT_CHECK(stripped->size() <= size);
  const auto again = adit::chain::Metadata::decode(*stripped);
  ADIT_CHECK(again.has_value());
  ADIT_CHECK(again->types().size() == metadata->types().size());
  ADIT_CHECK(again->pallets().size() == metadata->pallets().size());
  ADIT_CHECK(again->extensions().size() == metadata->extensions().size());
  const auto types = static_cast<adit::chain::TypeId>(std::min<std::size_t>(metadata->types().size(), 64));
  for (adit::chain::TypeId id = 0; id < types; ++id) {
    adit::scale::Decoder in(input);
    (void)metadata->types().skip(id, in);
    (void)metadata->types().describe(id);
    (void)metadata->types().is_zero_sized(id);
  }
  (void)metadata->runtime_version();
  return 0;
}
