// SPDX-License-Identifier: MIT
// Key files: whatever is accepted must be a key that signs, and its public file must be read as the same
// account. The text of an error never holds a line break.
#include <cstdint>
#include <cstdlib>

#include "common/base/rng.hpp"
#include "common/crypto/keyfile.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const adit::ByteView content(data, size);
  const auto pair = adit::crypto::parse_keyfile(content);
  const auto account = adit::crypto::parse_public(content);
  if (pair && account && pair->public_key() != *account) std::abort();
  if (!pair && pair.error().message.find('\n') != std::string::npos) std::abort();
  if (!account && account.error().message.find('\n') != std::string::npos) std::abort();
  if (pair) {
    adit::SeededRng rng(1);
    const auto signature = pair->sign(content, rng);
    if (!adit::crypto::verify(pair->scheme(), pair->public_key(), content, signature)) std::abort();
  }
  return 0;
}
