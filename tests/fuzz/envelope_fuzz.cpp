// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "common/crypto/ss58.hpp"
#include "common/protocol/btauth.hpp"

// Input: scheme byte, then "Name: value" lines, an empty line, the body. The receiver and the time
// are those of tests/vectors/btauth1.json, so that the corpus opens; a mutation that still opens
// must have changed nothing that counts: its headers, put through the strict grammar, are the
// accepted text itself.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const adit::AccountId receiver =
      adit::crypto::ss58_decode("5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty").value();
  if (size == 0) return 0;
  const adit::protocol::OpenPolicy policy{
      .receiver = receiver,
      .scheme = data[0] == '1' ? adit::crypto::Scheme::kSr25519 : adit::crypto::Scheme::kEd25519};
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::vector<adit::protocol::Header> headers;
  while (!text.empty() && headers.size() < 64) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.empty()) break;
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
  }
  const adit::protocol::CallBytes call{"POST", "/generate?stream=false", adit::as_bytes(text)};
  const auto opened = adit::protocol::open(policy, headers, call, 1752076800000001000ULL);
  if (opened && text != R"({"prompt": "hello"})") std::abort();
  if (opened && opened->nonce != 1752076800000000000ULL) std::abort();
  if (!opened && opened.error().message.empty()) std::abort();
  return 0;
}
