// SPDX-License-Identifier: MIT
// common/model/gguf.hpp
//
// Reads GGUF files (versions 2 and 3, little-endian): metadata, the tensor table, tensor data.
//
// In       a path (mapped) or bytes (borrowed; must outlive the Gguf).
// Out      checked before use: every tensor lies inside the file, aligned, of a known type, named once.
// Shapes   dims as in the file: dims[0] is the row length (fastest), dims[1] the number of rows.
// Errors   "<file>: offset N: <key or tensor>: what was found, what was expected"; kInvalidArgument, or
//          kUnimplemented for a tensor type that is known but not read here (the message names it).
// Threads  const after opening; any thread may read.
// Source   github.com/ggml-org/ggml docs/gguf.md
// Tests    tests/unit/common/model/gguf_test.cpp, tests/fuzz/gguf_fuzz.cpp
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/files.hpp"
#include "common/base/result.hpp"

namespace adit::model {

// Storage types of tensors whose values we read. Others exist (gguf_types.cpp) and are refused by name.
enum class GgufType : std::uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ4K = 12,
  kQ5K = 13,
  kQ6K = 14,
  kIq4Nl = 20,
  kBF16 = 30,
  kMxfp4 = 39,
};

struct GgufTypeInfo {
  std::string_view name;
  std::uint32_t block_values;
  std::uint32_t block_bytes;
};
// nullptr for a number that names no type.
[[nodiscard]] const GgufTypeInfo* gguf_type_info(std::uint32_t type);

// Kinds of metadata values, numbered as in the file.
enum class GgufKind : std::uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};

struct GgufTensor {
  std::string name;
  std::uint32_t type = 0;
  std::vector<std::uint64_t> dims;
  // From the beginning of the file.
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  // Product of dims[1..].
  std::uint64_t rows = 0;
  [[nodiscard]] std::uint64_t row_values() const { return dims[0]; }
};

class Gguf {
 public:
  [[nodiscard]] static Result<Gguf> open(const std::filesystem::path& path);
  // `label` stands for the file in messages.
  [[nodiscard]] static Result<Gguf> parse(ByteView bytes, std::string label);

  [[nodiscard]] const std::string& label() const { return label_; }
  [[nodiscard]] std::uint32_t version() const { return version_; }
  [[nodiscard]] const std::vector<GgufTensor>& tensors() const { return tensors_; }
  [[nodiscard]] const GgufTensor* find_tensor(std::string_view name) const;
  // As find_tensor, an absent one is kNotFound.
  [[nodiscard]] Result<const GgufTensor*> tensor(std::string_view name) const;

  [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }
  [[nodiscard]] std::vector<std::string> keys() const;
  // Typed reads of one key; an absent key is kNotFound, another kind kInvalidArgument.
  [[nodiscard]] Result<std::uint64_t> unsigned_at(std::string_view key) const;
  [[nodiscard]] Result<double> number_at(std::string_view key) const;
  [[nodiscard]] Result<bool> bool_at(std::string_view key) const;
  [[nodiscard]] Result<std::string> string_at(std::string_view key) const;
  [[nodiscard]] Result<std::vector<std::string>> strings_at(std::string_view key) const;
  [[nodiscard]] Result<std::vector<std::int64_t>> integers_at(std::string_view key) const;
  // An array of floating point numbers.
  [[nodiscard]] Result<std::vector<double>> numbers_at(std::string_view key) const;

  // The raw blocks of all rows.
  [[nodiscard]] ByteView data(const GgufTensor& tensor) const {
    return bytes_.subspan(tensor.offset, tensor.bytes);
  }
  // The raw blocks of one row.
  [[nodiscard]] ByteView row_bytes(const GgufTensor& tensor, std::uint64_t row) const;
  // out: [count * row_values]. Refuses types other than GgufType and values that are not finite.
  [[nodiscard]] Result<void> dequantize(const GgufTensor& tensor, std::uint64_t row_begin,
                                        std::uint64_t count, float* out) const;

 private:
  struct Value {
    std::string key;
    GgufKind kind = GgufKind::kU8;
    // Kind and number of the elements, for an array.
    GgufKind item_kind = GgufKind::kU8;
    std::uint64_t count = 1;
    // Offset of the first byte of the (first) value.
    std::uint64_t offset = 0;
  };
  class Parser;
  explicit Gguf(std::string label) : label_(std::move(label)) {}
  [[nodiscard]] const Value* find(std::string_view key) const;
  [[nodiscard]] Result<const Value*> value(std::string_view key) const;
  [[nodiscard]] tl::unexpected<Error> wrong_kind(const Value& value, std::string_view expected) const;

  std::string label_;
  std::unique_ptr<MappedFile> file_;
  ByteView bytes_;
  std::uint32_t version_ = 0;
  std::vector<Value> values_;
  std::vector<GgufTensor> tensors_;
  std::unordered_map<std::string, std::size_t> value_index_;
  std::unordered_map<std::string, std::size_t> tensor_index_;
};

}  // namespace adit::model
