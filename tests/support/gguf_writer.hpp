// SPDX-License-Identifier: MIT
// tests/support/gguf_writer.hpp
//
// Writes GGUF bytes, right or wrong on purpose: each call appends one entry as given.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"

namespace adit::test {

class GgufWriter {
 public:
  std::uint32_t magic = 0x46554747;
  std::uint32_t version = 3;
  std::uint64_t alignment = 32;
  // Added to the true counts in the header.
  std::uint64_t extra_tensors = 0;
  std::uint64_t extra_keys = 0;

  void u32(std::string_view key, std::uint32_t value) { head(key, 4), append_le(keys_, value); }
  void u64(std::string_view key, std::uint64_t value) { head(key, 10), append_le(keys_, value); }
  void boolean(std::string_view key, std::uint8_t value) { head(key, 7), append_le(keys_, value); }
  void f32(std::string_view key, float value) {
    head(key, 6);
    raw(ByteView(reinterpret_cast<const std::uint8_t*>(&value), 4));
  }
  void string(std::string_view key, std::string_view value) { head(key, 8), text(keys_, value); }
  void strings(std::string_view key, const std::vector<std::string>& values) {
    array(key, 8, values.size());
    for (const std::string& value : values) text(keys_, value);
  }
  void i32s(std::string_view key, const std::vector<std::int32_t>& values) {
    array(key, 5, values.size());
    for (const std::int32_t value : values) append_le(keys_, value);
  }
  // The beginning of an array; items follow by raw().
  void array(std::string_view key, std::uint32_t kind, std::uint64_t count) {
    head(key, 9), append_le(keys_, kind), append_le(keys_, count);
  }
  // A key of any kind; its value follows by raw().
  void head(std::string_view key, std::uint32_t kind) {
    text(keys_, key), append_le(keys_, kind), ++key_count_;
  }
  void raw(ByteView bytes) { append(keys_, bytes); }

  // offset: where the table says the data lies; -1 is the true place.
  void tensor(std::string_view name, const std::vector<std::uint64_t>& dims, std::uint32_t type,
              ByteView data, std::int64_t offset = -1) {
    while (data_.size() % alignment != 0) data_.push_back(0);
    text(table_, name);
    append_le(table_, static_cast<std::uint32_t>(dims.size()));
    for (const std::uint64_t dim : dims) append_le(table_, dim);
    append_le(table_, type);
    append_le(table_, offset < 0 ? data_.size() : static_cast<std::uint64_t>(offset));
    append(data_, data);
    ++tensor_count_;
  }

  [[nodiscard]] Bytes finish() const {
    Bytes out;
    append_le(out, magic);
    append_le(out, version);
    append_le(out, tensor_count_ + extra_tensors);
    append_le(out, key_count_ + extra_keys);
    append(out, keys_);
    append(out, table_);
    while (out.size() % alignment != 0) out.push_back(0);
    append(out, data_);
    return out;
  }

 private:
  static void text(Bytes& to, std::string_view value) {
    append_le(to, static_cast<std::uint64_t>(value.size()));
    append(to, as_bytes(value));
  }

  Bytes keys_, table_, data_;
  std::uint64_t key_count_ = 0;
  std::uint64_t tensor_count_ = 0;
};

}  // namespace adit::test
