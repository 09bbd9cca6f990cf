// SPDX-License-Identifier: MIT
// Any bytes as a tokenizer.json: refused, or a tokenizer that encodes and decodes without a fault.
#include <cstdlib>
#include <string>
#include <string_view>

#include "common/base/bytes.hpp"
#include "common/model/tokenizer.hpp"
#include "common/model/unicode_classes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using adit::model::StreamDecoder;
  using adit::model::Tokenizer;
  const std::string_view text = adit::as_text({data, size});
  const auto tokenizer = Tokenizer::from_blob(text);
  if (!tokenizer) {
    if (tokenizer.error().message.empty()) std::abort();
    return 0;
  }
  for (const bool special : {false, true}) {
    const auto ids = tokenizer->encode(text.substr(0, 4096), special);
    if (!ids) std::abort();
    const std::string decoded = tokenizer->decode(*ids);
    if (!adit::model::is_valid_utf8(decoded)) std::abort();
    StreamDecoder stream(*tokenizer, false);
    std::string streamed;
    for (const adit::TokenId id : *ids) streamed += stream.push(id);
    if (streamed + stream.finish() != decoded) std::abort();
  }
  return 0;
}
