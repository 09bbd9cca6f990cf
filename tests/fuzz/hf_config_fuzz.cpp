// SPDX-License-Identifier: MIT
#include <cstdint>
#include <string_view>

#include "common/model/hf_model.hpp"
#include "common/model/model_parts.hpp"

// config.json, generation_config.json and tokenizer_config.json, a zero byte between them: an error, or a
// configuration whose parts can be listed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t first = text.find('\0');
  const std::size_t second = first == text.npos ? text.npos : text.find('\0', first + 1);
  const auto part = [&](std::size_t begin, std::size_t end) {
    return begin > size ? std::string_view() : text.substr(begin, end - begin);
  };
  const auto config = adit::model::parse_hf_config(
      {.config = text.substr(0, first),
       .generation = first == text.npos ? std::string_view() : part(first + 1, second),
       .tokenizer = second == text.npos ? std::string_view() : part(second + 1, size)},
      "fuzz/");
  if (config) (void)adit::model::model_parts(*config);
  return 0;
}
