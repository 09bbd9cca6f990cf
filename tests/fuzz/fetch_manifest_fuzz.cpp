// SPDX-License-Identifier: MIT
// Any bytes as what fetch remembers: an error, or a value that is written and read back the same.
#include <cstdlib>

#include "miner/fetch/manifest.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using adit::miner::manifest_text;
  using adit::miner::parse_manifest;
  using adit::miner::parse_part_state;
  using adit::miner::part_state_text;
  if (const auto manifest = parse_manifest({data, size})) {
    const std::string text = manifest_text(*manifest);
    const auto back = parse_manifest(adit::as_bytes(text));
    if (!back || manifest_text(*back) != text) std::abort();
  }
  if (const auto state = parse_part_state({data, size})) {
    const auto back = parse_part_state(adit::as_bytes(part_state_text(*state)));
    if (!back || back->etag != state->etag || back->size != state->size || back->digest != state->digest) {
      std::abort();
    }
  }
  return 0;
}
