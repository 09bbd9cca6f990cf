// SPDX-License-Identifier: MIT
#include "common/protocol/canonical.hpp"

#include "common/base/limits.hpp"

namespace adit::protocol {

Result<std::uint32_t> CanonicalReader::count(std::string_view field, std::uint32_t max) {
  const std::size_t at = offset_;
  ADIT_TRY(const std::uint32_t value, u32(field));
  if (value > max) {
    return invalid_argument("{}: offset {}: {} is {}, expected at most {}", what_, at, field, value,
                            max);
  }
  return value;
}

Result<std::vector<TokenId>> CanonicalReader::ids(std::string_view field, std::uint32_t count) {
  const std::size_t at = offset_;
  ADIT_TRY(const ByteView raw, take(field, std::size_t{4} * count));
  std::vector<TokenId> out(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto id = load_le<std::uint32_t>(raw.data() + std::size_t{4} * i);
    if (id >= limits::kVocabularyMax) {
      return invalid_argument("{}: offset {}: {} [{}] is {}, expected a token id below {}", what_,
                              at + std::size_t{4} * i, field, i, id, limits::kVocabularyMax);
    }
    out[i] = static_cast<TokenId>(id);
  }
  return out;
}

Result<void> CanonicalReader::version(std::uint32_t expected) {
  ADIT_TRY(const std::uint32_t value, u32("version"));
  if (value != expected) {
    return invalid_argument("{}: offset 0: version {}, expected {}", what_, value, expected);
  }
  return {};
}

Result<void> CanonicalReader::finish() const {
  if (offset_ != bytes_.size()) {
    return invalid_argument("{}: offset {}: expected the end, {} bytes left", what_, offset_,
                            bytes_.size() - offset_);
  }
  return {};
}

void append_ids(Bytes& out, const std::vector<TokenId>& ids) {
  for (const TokenId id : ids) append_le(out, static_cast<std::uint32_t>(id));
}

}  // namespace adit::protocol
