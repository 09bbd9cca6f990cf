// SPDX-License-Identifier: MIT
#include <cmath>

#include "common/model/gguf.hpp"
#include "common/model/gguf_blocks.hpp"

namespace adit::model {
namespace {

bool is_integer(GgufKind kind) {
  switch (kind) {
    case GgufKind::kU8:
    case GgufKind::kI8:
    case GgufKind::kU16:
    case GgufKind::kI16:
    case GgufKind::kU32:
    case GgufKind::kI32:
    case GgufKind::kU64:
    case GgufKind::kI64:
      return true;
    case GgufKind::kF32:
    case GgufKind::kF64:
    case GgufKind::kBool:
    case GgufKind::kString:
    case GgufKind::kArray:
      return false;
  }
  return false;
}

std::int64_t load_integer(GgufKind kind, const std::uint8_t* from) {
  switch (kind) {
    case GgufKind::kU8:
      return load_le<std::uint8_t>(from);
    case GgufKind::kI8:
      return load_le<std::int8_t>(from);
    case GgufKind::kU16:
      return load_le<std::uint16_t>(from);
    case GgufKind::kI16:
      return load_le<std::int16_t>(from);
    case GgufKind::kU32:
      return load_le<std::uint32_t>(from);
    case GgufKind::kI32:
      return load_le<std::int32_t>(from);
    case GgufKind::kU64:
    case GgufKind::kI64:
      return load_le<std::int64_t>(from);
    case GgufKind::kF32:
    case GgufKind::kF64:
    case GgufKind::kBool:
    case GgufKind::kString:
    case GgufKind::kArray:
      return 0;
  }
  return 0;
}

std::size_t integer_size(GgufKind kind) {
  switch (kind) {
    case GgufKind::kU8:
    case GgufKind::kI8:
      return 1;
    case GgufKind::kU16:
    case GgufKind::kI16:
      return 2;
    case GgufKind::kU32:
    case GgufKind::kI32:
      return 4;
    case GgufKind::kU64:
    case GgufKind::kI64:
      return 8;
    case GgufKind::kF32:
    case GgufKind::kF64:
    case GgufKind::kBool:
    case GgufKind::kString:
    case GgufKind::kArray:
      return 0;
  }
  return 0;
}

}  // namespace

std::vector<std::string> Gguf::keys() const {
  std::vector<std::string> out;
  for (const Value& value : values_) out.push_back(value.key);
  return out;
}

Result<std::uint64_t> Gguf::unsigned_at(std::string_view key) const {
  ADIT_TRY(const Value* found, value(key));
  if (!is_integer(found->kind)) return wrong_kind(*found, "an unsigned integer");
  const std::int64_t number = load_integer(found->kind, bytes_.data() + found->offset);
  if (number < 0) {
    return invalid_argument("{}: offset {}: key {}: {}, expected 0..2^63-1", label_, found->offset, key,
                            number);
  }
  return static_cast<std::uint64_t>(number);
}

Result<double> Gguf::number_at(std::string_view key) const {
  ADIT_TRY(const Value* found, value(key));
  const std::uint8_t* from = bytes_.data() + found->offset;
  double number = 0;
  if (found->kind == GgufKind::kF32) {
    number = static_cast<double>(load_le<float>(from));
  } else if (found->kind == GgufKind::kF64) {
    number = load_le<double>(from);
  } else if (is_integer(found->kind)) {
    number = static_cast<double>(load_integer(found->kind, from));
  } else {
    return wrong_kind(*found, "a number");
  }
  if (!std::isfinite(number)) {
    return invalid_argument("{}: offset {}: key {}: not a finite number", label_, found->offset, key);
  }
  return number;
}

Result<bool> Gguf::bool_at(std::string_view key) const {
  ADIT_TRY(const Value* found, value(key));
  if (found->kind != GgufKind::kBool) return wrong_kind(*found, "bool");
  return bytes_[found->offset] != 0;
}

Result<std::string> Gguf::string_at(std::string_view key) const {
  ADIT_TRY(const Value* found, value(key));
  if (found->kind != GgufKind::kString) return wrong_kind(*found, "string");
  const auto length = load_le<std::uint64_t>(bytes_.data() + found->offset);
  return std::string(as_text(bytes_.subspan(found->offset + 8, length)));
}

Result<std::vector<std::string>> Gguf::strings_at(std::string_view key) const {
  ADIT_TRY(const Value* found, value(key));
  if (found->kind != GgufKind::kArray || found->item_kind != GgufKind::kString) {
    return wrong_kind(*found, "an array of strings");
  }
  std::vector<std::string> out;
  out.reserve(found->count);
  std::uint64_t at = found->offset;
  for (std::uint64_t i = 0; i < found->count; ++i) {
    const auto length = load_le<std::uint64_t>(bytes_.data() + at);
    out.emplace_back(as_text(bytes_.subspan(at + 8, length)));
    at += 8 + length;
  }
  return out;
}

Result<std::vector<double>> Gguf::numbers_at(std::string_view key) const {
  ADIT_TRY(const Value* found, value(key));
  const bool wide = found->item_kind == GgufKind::kF64;
  if (found->kind != GgufKind::kArray || (!wide && found->item_kind != GgufKind::kF32)) {
    return wrong_kind(*found, "an array of floating point numbers");
  }
  std::vector<double> out;
  out.reserve(found->count);
  for (std::uint64_t i = 0; i < found->count; ++i) {
    const std::uint8_t* from = bytes_.data() + found->offset + i * (wide ? 8 : 4);
    out.push_back(wide ? load_le<double>(from) : static_cast<double>(load_le<float>(from)));
  }
  return out;
}

Result<std::vector<std::int64_t>> Gguf::integers_at(std::string_view key) const {
  ADIT_TRY(const Value* found, value(key));
  if (found->kind != GgufKind::kArray || !is_integer(found->item_kind)) {
    return wrong_kind(*found, "an array of integers");
  }
  const std::size_t size = integer_size(found->item_kind);
  std::vector<std::int64_t> out;
  out.reserve(found->count);
  for (std::uint64_t i = 0; i < found->count; ++i) {
    out.push_back(load_integer(found->item_kind, bytes_.data() + found->offset + i * size));
  }
  return out;
}

ByteView Gguf::row_bytes(const GgufTensor& tensor, std::uint64_t row) const {
  const std::uint64_t size = tensor.bytes / tensor.rows;
  return bytes_.subspan(tensor.offset + row * size, size);
}

Result<void> Gguf::dequantize(const GgufTensor& tensor, std::uint64_t row_begin, std::uint64_t count,
                              float* out) const {
  const auto type = static_cast<GgufType>(tensor.type);
  if (!gguf_is_read(tensor.type)) {
    return unimplemented("{}: tensor {}: type {} is not read", label_, tensor.name,
                         gguf_type_info(tensor.type)->name);
  }
  if (row_begin > tensor.rows || count > tensor.rows - row_begin) {
    return make_error(ErrorCode::kOutOfRange, "{}: tensor {}: rows {}..{}, it has {}", label_, tensor.name,
                      row_begin, row_begin + count, tensor.rows);
  }
  const std::uint64_t values = tensor.row_values();
  for (std::uint64_t r = 0; r < count; ++r) {
    const auto decoded = gguf_decode_row(type, row_bytes(tensor, row_begin + r), values, out + r * values);
    if (decoded) continue;
    return tl::unexpected<Error>(decoded.error().context(fmt::format(
        "{}: offset {}: tensor {}: row {}", label_,
        tensor.offset + (row_begin + r) * (tensor.bytes / tensor.rows), tensor.name, row_begin + r)));
  }
  return {};
}

}  // namespace adit::model
