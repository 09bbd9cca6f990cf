// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdint>
#include <vector>

#include "common/model/gguf.hpp"

// Whatever the bytes are: parse gives an error, or a file whose every key and row can be read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = adit::model::Gguf::parse({data, size}, "fuzz");
  if (!file) return 0;
  for (const std::string& key : file->keys()) {
    (void)file->unsigned_at(key);
    (void)file->number_at(key);
    (void)file->bool_at(key);
    (void)file->string_at(key);
    (void)file->strings_at(key);
    (void)file->integers_at(key);
  }
  std::vector<float> row;
  for (const auto& tensor : file->tensors()) {
    if (tensor.row_values() > (1u << 20)) continue;
    row.resize(tensor.row_values());
    for (std::uint64_t r = 0; r < std::min<std::uint64_t>(tensor.rows, 16); ++r) {
      (void)file->dequantize(tensor, tensor.rows - 1 - r, 1, row.data());
    }
  }
  return 0;
}
