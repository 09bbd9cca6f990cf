// SPDX-License-Identifier: MIT
#include <cstdint>
#include <cstring>
#include <memory>

#include "common/model/pack.hpp"

// Whatever the bytes are: parse gives an error, or a pack whose every array can be read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  struct Free {
    void operator()(std::uint8_t* memory) const { std::free(memory); }
  };
  const std::size_t padded = (size + 64) / 64 * 64;
  const std::unique_ptr<std::uint8_t, Free> aligned(
      static_cast<std::uint8_t*>(std::aligned_alloc(64, padded)));
  if (size != 0) std::memcpy(aligned.get(), data, size);
  const auto pack = adit::model::Pack::parse({aligned.get(), size}, "fuzz");
  if (pack) (void)pack->verify_content_hash();
  return 0;
}
