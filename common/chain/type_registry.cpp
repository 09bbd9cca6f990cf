// SPDX-License-Identifier: MIT
#include "common/chain/type_registry.hpp"

#include <array>
#include <optional>

#include "common/base/limits.hpp"

namespace adit::chain {
namespace {

constexpr std::array<std::string_view, kPrimitiveCount> kPrimitiveNames = {
    "bool", "char", "str", "u8",  "u16", "u32",  "u64", "u128",
    "u256", "i8",   "i16", "i32", "i64", "i128", "i256"};
// Bytes of a value; 0 for str, which carries its length.
constexpr std::array<std::size_t, kPrimitiveCount> kPrimitiveBytes = {1,  4, 0, 1, 2, 4,  8, 16,
                                                                      32, 1, 2, 4, 8, 16, 32};

std::size_t bytes_of(Primitive primitive) {
  return kPrimitiveBytes[static_cast<std::size_t>(primitive)];
}

// Walks one value. The step budget bounds time for hostile metadata (a tuple of itself twice, arrays of
// nothing) as the depth bounds the stack.
class Skipper {
 public:
  Skipper(const TypeRegistry& types, scale::Decoder& in) : types_(types), in_(in) {}

  Result<void> skip(TypeId id, std::uint32_t depth) {
    const Type* type = types_.find(id);
    if (type == nullptr) return invalid_argument("type id {} of {}", id, types_.size());
    if (depth > limits::kScaleDepthMax) {
      return invalid_argument("offset {}: nested deeper than {}", in_.offset(), limits::kScaleDepthMax);
    }
    ADIT_TRY_VOID(spend(1));
    return std::visit([&](const auto& def) { return skip_def(def, depth + 1); }, type->def);
  }

 private:
  Result<void> spend(std::uint64_t steps) {
    steps_ += steps;
    if (steps_ > limits::kScaleItemsMax) {
      return invalid_argument("offset {}: more than {} parts in one value", in_.offset(),
                              limits::kScaleItemsMax);
    }
    return {};
  }
  Result<void> skip_bytes(std::uint64_t count) {
    if (count > in_.remaining()) {
      return invalid_argument("offset {}: expected {} bytes, {} left", in_.offset(), count,
                              in_.remaining());
    }
    ADIT_TRY_VOID(in_.raw(static_cast<std::size_t>(count)));
    return {};
  }
  Result<void> skip_fields(const std::vector<Field>& fields, std::uint32_t depth) {
    for (const Field& field : fields) ADIT_TRY_VOID(skip(field.type, depth));
    return {};
  }
  // `count` values of one type; plain numbers are stepped over at once.
  Result<void> skip_many(TypeId element, std::uint64_t count, std::uint32_t depth) {
    const Type* type = types_.find(element);
    if (type == nullptr) return invalid_argument("type id {} of {}", element, types_.size());
    if (const auto* primitive = std::get_if<Primitive>(&type->def);
        primitive != nullptr && bytes_of(*primitive) > 0) {
      return skip_bytes(count * bytes_of(*primitive));
    }
    ADIT_TRY_VOID(spend(count));
    for (std::uint64_t i = 0; i < count; ++i) ADIT_TRY_VOID(skip(element, depth));
    return {};
  }

  Result<void> skip_def(const CompositeDef& def, std::uint32_t depth) {
    return skip_fields(def.fields, depth);
  }
  Result<void> skip_def(const VariantDef& def, std::uint32_t depth) {
    const std::size_t at = in_.offset();
    ADIT_TRY(const std::uint8_t index, in_.u8());
    const Variant* variant = def.find(index);
    if (variant == nullptr) return invalid_argument("offset {}: no variant with index {}", at, index);
    return skip_fields(variant->fields, depth);
  }
  Result<void> skip_def(const SequenceDef& def, std::uint32_t depth) {
    ADIT_TRY(const std::uint64_t count, in_.compact());
    if (count > limits::kRpcMessageBytesMax) {
      return invalid_argument("offset {}: a sequence of {} items", in_.offset(), count);
    }
    return skip_many(def.element, count, depth);
  }
  Result<void> skip_def(const ArrayDef& def, std::uint32_t depth) {
    return skip_many(def.element, def.length, depth);
  }
  Result<void> skip_def(const TupleDef& def, std::uint32_t depth) {
    for (const TypeId element : def.elements) ADIT_TRY_VOID(skip(element, depth));
    return {};
  }
  Result<void> skip_def(const Primitive& primitive, std::uint32_t) {
    if (primitive == Primitive::kStr) {
      ADIT_TRY_VOID(in_.bytes());
      return {};
    }
    return skip_bytes(bytes_of(primitive));
  }
  // Compact numbers of any width, also those wider than 64 bits, and Compact<()>, which is empty.
  Result<void> skip_def(const CompactDef& def, std::uint32_t) {
    if (types_.is_zero_sized(def.inner)) return {};
    ADIT_TRY(const std::uint8_t first, in_.u8());
    constexpr std::array<std::uint8_t, 3> kMore = {0, 1, 3};
    const std::uint8_t mode = first & 3u;
    return skip_bytes(mode < 3 ? kMore[mode] : (first >> 2) + 4u);
  }
  Result<void> skip_def(const BitSequenceDef& def, std::uint32_t) {
    ADIT_TRY(const std::uint64_t bits, in_.compact());
    const Type* store = types_.find(def.store);
    const Primitive* primitive = store != nullptr ? std::get_if<Primitive>(&store->def) : nullptr;
    if (primitive == nullptr || bytes_of(*primitive) == 0) {
      return invalid_argument("type id {}: not a store of bits", def.store);
    }
    if (bits / 8 > in_.remaining())
      return invalid_argument("offset {}: {} bits do not fit", in_.offset(), bits);
    const std::uint64_t unit = bytes_of(*primitive) * 8;
    return skip_bytes((bits + unit - 1) / unit * (unit / 8));
  }

  const TypeRegistry& types_;
  scale::Decoder& in_;
  std::uint64_t steps_ = 0;
};

// Depth and a step budget, as above; what is not proven empty within them counts as not empty.
class EmptyCheck {
 public:
  explicit EmptyCheck(const TypeRegistry& types) : types_(types) {}
  bool empty(TypeId id, std::uint32_t depth = 0) {
    const Type* type = types_.find(id);
    if (type == nullptr || depth > limits::kScaleDepthMax || ++steps_ > kStepsMax) return false;
    if (const auto* composite = std::get_if<CompositeDef>(&type->def)) {
      for (const Field& field : composite->fields) {
        if (!empty(field.type, depth + 1)) return false;
      }
      return true;
    }
    if (const auto* tuple = std::get_if<TupleDef>(&type->def)) {
      for (const TypeId element : tuple->elements) {
        if (!empty(element, depth + 1)) return false;
      }
      return true;
    }
    if (const auto* array = std::get_if<ArrayDef>(&type->def)) {
      return array->length == 0 || empty(array->element, depth + 1);
    }
    return false;
  }

 private:
  static constexpr int kStepsMax = 4096;
  const TypeRegistry& types_;
  int steps_ = 0;
};

std::string describe_at(const TypeRegistry& types, TypeId id, int depth) {
  const Type* type = types.find(id);
  if (type == nullptr) return "?";
  if (!type->path.empty()) return type->path.back();
  if (depth > 4) return "…";
  if (const auto* primitive = std::get_if<Primitive>(&type->def)) {
    return std::string(kPrimitiveNames[static_cast<std::size_t>(*primitive)]);
  }
  if (const auto* sequence = std::get_if<SequenceDef>(&type->def)) {
    return "Vec<" + describe_at(types, sequence->element, depth + 1) + ">";
  }
  if (const auto* array = std::get_if<ArrayDef>(&type->def)) {
    return fmt::format("[{}; {}]", describe_at(types, array->element, depth + 1), array->length);
  }
  if (const auto* compact = std::get_if<CompactDef>(&type->def)) {
    return "Compact<" + describe_at(types, compact->inner, depth + 1) + ">";
  }
  if (const auto* tuple = std::get_if<TupleDef>(&type->def)) {
    std::string text = "(";
    for (std::size_t i = 0; i < tuple->elements.size() && i < 16; ++i) {
      text += (i == 0 ? "" : ", ") + describe_at(types, tuple->elements[i], depth + 1);
    }
    return text + ")";
  }
  return std::holds_alternative<BitSequenceDef>(type->def) ? "BitVec" : "struct";
}

}  // namespace

const Variant* VariantDef::find(std::string_view name) const {
  for (const Variant& variant : variants) {
    if (variant.name == name) return &variant;
  }
  return nullptr;
}

const Variant* VariantDef::find(std::uint8_t index) const {
  for (const Variant& variant : variants) {
    if (variant.index == index) return &variant;
  }
  return nullptr;
}

const VariantDef* TypeRegistry::variants(TypeId id) const {
  const Type* type = find(id);
  return type != nullptr ? std::get_if<VariantDef>(&type->def) : nullptr;
}

Result<void> TypeRegistry::skip(TypeId id, scale::Decoder& in) const {
  return Skipper(*this, in).skip(id, 0);
}

Result<Bytes> TypeRegistry::slice(TypeId id, scale::Decoder& in, ByteView whole) const {
  const std::size_t begin = in.offset();
  ADIT_TRY_VOID(skip(id, in));
  if (in.offset() > whole.size()) return internal_error("slice: the view is not the decoder's");
  return to_bytes(whole.subspan(begin, in.offset() - begin));
}

bool TypeRegistry::is_zero_sized(TypeId id) const {
  return EmptyCheck(*this).empty(id);
}

std::string TypeRegistry::describe(TypeId id) const {
  return describe_at(*this, id, 0);
}

}  // namespace adit::chain
