// SPDX-License-Identifier: MIT
// common/protocol/canonical.hpp
//
// A reader over canonical bytes: little-endian, fixed sizes, nothing left over. Used by
// messages.cpp.
//
// Errors   kInvalidArgument: "<what>: offset N: expected M bytes of <field>, <left> left".
// Threads  one thread an object.
// Tests    tests/unit/common/protocol/messages_test.cpp
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/strong.hpp"

namespace adit::protocol {

class CanonicalReader {
 public:
  CanonicalReader(std::string_view what, ByteView bytes) : what_(what), bytes_(bytes) {}

  [[nodiscard]] Result<ByteView> take(std::string_view field, std::size_t count) {
    if (bytes_.size() - offset_ < count) {
      return invalid_argument("{}: offset {}: expected {} bytes of {}, {} left", what_, offset_,
                              count, field, bytes_.size() - offset_);
    }
    const ByteView out = bytes_.subspan(offset_, count);
    offset_ += count;
    return out;
  }
  [[nodiscard]] Result<std::uint32_t> u32(std::string_view field) {
    ADIT_TRY(const ByteView raw, take(field, 4));
    return load_le<std::uint32_t>(raw.data());
  }
  [[nodiscard]] Result<std::uint64_t> u64(std::string_view field) {
    ADIT_TRY(const ByteView raw, take(field, 8));
    return load_le<std::uint64_t>(raw.data());
  }
  [[nodiscard]] Result<Hash256> hash(std::string_view field) {
    ADIT_TRY(const ByteView raw, take(field, 32));
    Hash256 out;
    std::copy(raw.begin(), raw.end(), out.begin());
    return out;
  }
  // A count that the caller bounds, then so many ids below limits::kVocabularyMax.
  [[nodiscard]] Result<std::uint32_t> count(std::string_view field, std::uint32_t max);
  [[nodiscard]] Result<std::vector<TokenId>> ids(std::string_view field, std::uint32_t count);
  [[nodiscard]] Result<void> version(std::uint32_t expected);
  [[nodiscard]] Result<void> finish() const;

 private:
  const std::string_view what_;
  const ByteView bytes_;
  std::size_t offset_ = 0;
};

void append_ids(Bytes& out, const std::vector<TokenId>& ids);

}  // namespace adit::protocol
