// SPDX-License-Identifier: MIT
// common/model/safetensors.hpp
//
// The safetensors container: a JSON table of tensors, then their bytes without gaps.
//
// In       parse: the bytes of a whole file, borrowed. Writer: the table first, the bytes in its order.
// Out      every tensor lies inside the file, has the size that its shape and type say, and no byte belongs
//          to none or two. The writer makes data begin, and every tensor start, on a multiple of 64 bytes;
//          where that needs filling it adds a U8 tensor named fill.N.
// Errors   "<file>: offset N: tensor T: …"; kResourceExhausted for a full disk.
// Threads  File: const after parse. Writer: one thread.
// Source   github.com/huggingface/safetensors README.md, "Format"
// Tests    tests/unit/common/model/pack_test.cpp, tests/fuzz/pack_fuzz.cpp
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"

namespace adit::model::safetensors {

// Ours are U8, U16, I16, U64, F32 and F64; the others occur in what others publish.
enum class Dtype : std::uint8_t {
  kU8,
  kU16,
  kI16,
  kF32,
  kF64,
  kBool,
  kI8,
  kF8E4M3,
  kF8E5M2,
  kF8E8M0,
  kF16,
  kBF16,
  kI32,
  kU32,
  kI64,
  kU64,
};
[[nodiscard]] std::string_view dtype_name(Dtype dtype);
[[nodiscard]] std::uint64_t dtype_bytes(Dtype dtype);

struct Tensor {
  std::string name;
  Dtype dtype = Dtype::kU8;
  std::vector<std::uint64_t> shape;
  // From the beginning of the data.
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

using Metadata = std::map<std::string, std::string, std::less<>>;

struct File {
  Metadata metadata;
  std::map<std::string, Tensor, std::less<>> tensors;
  // Offset of the data in the file.
  std::uint64_t data_offset = 0;
  [[nodiscard]] static Result<File> parse(ByteView bytes, std::string_view label);
};

// Gives every tensor its offset and adds the fill tensors.
[[nodiscard]] std::vector<Tensor> place(std::vector<Tensor> tensors);
// Length field, table and blanks: everything before the data, at least `least` bytes. Refuses text that is
// not UTF-8.
[[nodiscard]] Result<Bytes> header_bytes(const std::vector<Tensor>& placed, const Metadata& metadata,
                                         std::size_t least = 0);

// Writes `path`.tmp.<pid>; commit() puts it at `path`; destroyed before that, it removes it.
class Writer {
 public:
  // header: of the final size; its content may change until commit.
  [[nodiscard]] static Result<Writer> create(const std::filesystem::path& path, std::size_t header_size);
  Writer(Writer&& other) noexcept;
  Writer& operator=(Writer&& other) = delete;
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer();
  // The next bytes of the data.
  [[nodiscard]] Result<void> append(ByteView bytes);
  // Zeros up to the next multiple of 64.
  [[nodiscard]] Result<void> align();
  [[nodiscard]] Result<void> write_header(ByteView header);
  [[nodiscard]] Result<void> commit();
  [[nodiscard]] std::uint64_t data_written() const { return written_; }
  [[nodiscard]] const std::filesystem::path& temporary() const { return temporary_; }

 private:
  Writer(std::filesystem::path path, std::filesystem::path temporary, int fd, std::size_t header_size)
      : path_(std::move(path)), temporary_(std::move(temporary)), fd_(fd), header_size_(header_size) {}
  [[nodiscard]] Result<void> write_at(std::uint64_t offset, ByteView bytes);

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int fd_ = -1;
  std::size_t header_size_ = 0;
  std::uint64_t written_ = 0;
};

}  // namespace adit::model::safetensors
