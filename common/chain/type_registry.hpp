// SPDX-License-Identifier: MIT
// common/chain/type_registry.hpp
//
// The types that a runtime's metadata describes, and how many bytes a value of each takes.
//
// In       TypeId: an index into the registry; ids that the metadata mentions are checked when it is
// decoded. Out      skip: moves the decoder past exactly one value. slice: the same, and gives its bytes.
// Errors   kInvalidArgument  unknown type id, value cut short, unknown variant index, nesting deeper than
//          limits::kScaleDepthMax, more than limits::kScaleItemsMax steps for one value.
// Threads  read-only after construction; any thread.
// Source   scale-info 2.x, PortableRegistry
// Tests    tests/unit/common/chain/type_registry_test.cpp
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/scale/decoder.hpp"

namespace adit::chain {

using TypeId = std::uint32_t;

enum class Primitive : std::uint8_t {
  kBool,
  kChar,
  kStr,
  kU8,
  kU16,
  kU32,
  kU64,
  kU128,
  kU256,
  kI8,
  kI16,
  kI32,
  kI64,
  kI128,
  kI256,
};
inline constexpr std::uint8_t kPrimitiveCount = 15;

struct Field {
  std::string name;  // empty: positional
  TypeId type = 0;
  std::string type_name;  // as written in the runtime's source; empty if not given
};
struct Variant {
  std::string name;
  std::uint8_t index = 0;
  std::vector<Field> fields;
};

struct CompositeDef {
  std::vector<Field> fields;
};
struct VariantDef {
  std::vector<Variant> variants;
  [[nodiscard]] const Variant* find(std::string_view name) const;
  [[nodiscard]] const Variant* find(std::uint8_t index) const;
};
struct SequenceDef {
  TypeId element = 0;
};
struct ArrayDef {
  std::uint32_t length = 0;
  TypeId element = 0;
};
struct TupleDef {
  std::vector<TypeId> elements;
};
struct CompactDef {
  TypeId inner = 0;
};
struct BitSequenceDef {
  TypeId store = 0;
  TypeId order = 0;
};
using TypeDef = std::variant<CompositeDef, VariantDef, SequenceDef, ArrayDef, TupleDef, Primitive,
                             CompactDef, BitSequenceDef>;

struct Type {
  std::vector<std::string> path;  // empty for built-in shapes
  TypeDef def;
};

class TypeRegistry {
 public:
  TypeRegistry() = default;
  explicit TypeRegistry(std::vector<Type> types) : types_(std::move(types)) {}

  [[nodiscard]] std::size_t size() const { return types_.size(); }
  // nullptr: no such type.
  [[nodiscard]] const Type* find(TypeId id) const { return id < types_.size() ? &types_[id] : nullptr; }
  // The variants of a type; nullptr when it is not an enum.
  [[nodiscard]] const VariantDef* variants(TypeId id) const;

  [[nodiscard]] Result<void> skip(TypeId id, scale::Decoder& in) const;
  [[nodiscard]] Result<Bytes> slice(TypeId id, scale::Decoder& in, ByteView whole) const;
  // True when every value of the type is encoded as no bytes at all.
  [[nodiscard]] bool is_zero_sized(TypeId id) const;
  // "NetUid", "(u16, u8)", "Vec<u16>", …: for messages and tests.
  [[nodiscard]] std::string describe(TypeId id) const;

 private:
  std::vector<Type> types_;
};

}  // namespace adit::chain
