// SPDX-License-Identifier: MIT
// common/model/stored_tensors.hpp
//
// The tensors of a published model, whichever files and containers they lie in.
//
// Shapes   rows x columns, row-major; a vector is one row. Rows of more dimensions are counted through.
// Errors   kInvalidArgument naming the first column that is not finite.
// Threads  const after filling; any thread may read.
// Source   F8_E4M3: Micikevicius et al. 2022, "FP8 Formats for Deep Learning"; scales: DeepSeek-V3
//          inference/fp8_cast_bf16.py (one f32 a block of 128 x 128, multiplied)
// Tests    tests/unit/common/model/source_formats_test.cpp
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/model/gguf.hpp"

namespace adit::model {

struct StoredTensor {
  std::string name;
  // Absent for F8_E4M3 and for what is not read.
  std::optional<GgufType> type;
  std::string_view type_name;
  bool is_f8 = false;
  int dimensions = 0;
  std::uint64_t rows = 1;
  std::uint64_t columns = 1;
  ByteView data;
  // Where `data` lies.
  std::string_view file;
  std::uint64_t offset = 0;
  // F8: f32 [ceil(rows / 128)][ceil(columns / 128)], little-endian.
  const StoredTensor* scales = nullptr;

  [[nodiscard]] ByteView row(std::uint64_t index) const {
    const std::uint64_t size = data.size() / rows;
    return data.subspan(index * size, size);
  }
};

// out: [columns]
[[nodiscard]] Result<void> decode_row(const StoredTensor& tensor, std::uint64_t row, float* out);

class StoredTensors {
 public:
  // False if there is one of this name.
  [[nodiscard]] bool add(StoredTensor tensor);
  [[nodiscard]] const StoredTensor* find(std::string_view name) const;
  [[nodiscard]] StoredTensor* find(std::string_view name);
  // In the order of adding.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::unordered_map<std::string, StoredTensor, Hash, std::equal_to<>> tensors_;
  std::vector<std::string> names_;
};

}  // namespace adit::model
