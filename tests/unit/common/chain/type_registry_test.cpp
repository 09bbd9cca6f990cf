// SPDX-License-Identifier: MIT
#include "common/chain/type_registry.hpp"

#include "tests/unit/common/chain/vectors.hpp"

namespace adit::chain {
namespace {

Result<std::size_t> skipped(const TypeRegistry& types, TypeId id, ByteView bytes) {
  scale::Decoder in(bytes);
  ADIT_TRY_VOID(types.skip(id, in));
  return in.offset();
}

TypeRegistry registry(std::vector<TypeDef> defs) {
  std::vector<Type> types;
  for (TypeDef& def : defs) types.push_back(Type{{}, std::move(def)});
  return TypeRegistry(std::move(types));
}

VariantDef option_of(TypeId inner) {
  return VariantDef{{Variant{"None", 0, {}}, Variant{"Some", 1, {Field{"", inner, ""}}}}};
}

TEST(TypeRegistry, skips_each_shape_exactly) {
  const TypeRegistry types = registry({
      TypeDef(Primitive::kU16),       // 0
      TypeDef(SequenceDef{0}),        // 1: Vec<u16>
      TypeDef(TupleDef{{0, 1}}),      // 2: (u16, Vec<u16>)
      TypeDef(CompactDef{0}),         // 3
      TypeDef(option_of(2)),          // 4
      TypeDef(Primitive::kStr),       // 5
      TypeDef(ArrayDef{3, 4}),        // 6
      TypeDef(Primitive::kU8),        // 7
      TypeDef(BitSequenceDef{7, 7}),  // 8
  });
  EXPECT_EQ(skipped(types, 0, hex("0102ff")).value(), 2u);
  EXPECT_EQ(skipped(types, 1, hex("080100020099")).value(), 5u);
  EXPECT_EQ(skipped(types, 2, hex("aaaa040100ff")).value(), 5u);
  EXPECT_EQ(skipped(types, 3, hex("04")).value(), 1u);
  EXPECT_EQ(skipped(types, 3, hex("0101")).value(), 2u);
  EXPECT_EQ(skipped(types, 3, hex("02000100")).value(), 4u);
  EXPECT_EQ(skipped(types, 3,
                    hex("33"
                        "000102030405060708090a0b0c0d0e0f"))
                .value(),
            17u);
  EXPECT_EQ(skipped(types, 4, hex("01aaaa00")).value(), 4u);
  EXPECT_EQ(skipped(types, 5, hex("0c616263ff")).value(), 4u);
  EXPECT_EQ(skipped(types, 6,
                    hex("0000"
                        "01aaaa00"
                        "ee"))
                .value(),
            6u);
  EXPECT_EQ(skipped(types, 8, hex("24ffff00")).value(), 3u);  // 9 bits in two bytes
}

TEST(TypeRegistry, says_where_a_value_breaks) {
  const TypeRegistry types =
      registry({TypeDef(VariantDef{{Variant{"A", 3, {}}}}), TypeDef(Primitive::kU32)});
  EXPECT_EQ(skipped(types, 0, hex("04")).error().message, "offset 0: no variant with index 4");
  EXPECT_EQ(skipped(types, 1, hex("010203")).error().message, "offset 0: expected 4 bytes, 3 left");
  EXPECT_FALSE(skipped(types, 9, hex("00")).has_value());
}

// A type that holds itself twice, arrays and sequences of nothing, a tower of pairs: bounded in time and
// stack.
TEST(TypeRegistry, bounds_hostile_types) {
  const TypeRegistry loops = registry({TypeDef(TupleDef{{0, 0}})});
  EXPECT_FALSE(skipped(loops, 0, {}).has_value());
  EXPECT_FALSE(loops.is_zero_sized(0));
  const TypeRegistry empty =
      registry({TypeDef(TupleDef{}), TypeDef(ArrayDef{UINT32_MAX, 0}), TypeDef(SequenceDef{0})});
  EXPECT_FALSE(skipped(empty, 1, {}).has_value());
  EXPECT_FALSE(skipped(empty, 2, hex("02093d0f")).has_value());
  std::vector<TypeDef> doubling = {TypeDef(TupleDef{})};
  for (TypeId i = 0; i < 60; ++i) doubling.emplace_back(TupleDef{{i, i}});
  const TypeRegistry tower = registry(std::move(doubling));
  EXPECT_FALSE(skipped(tower, 60, {}).has_value());
  EXPECT_FALSE(tower.is_zero_sized(60));
}

TEST(TypeRegistry, knows_empty_types) {
  const TypeRegistry types =
      registry({TypeDef(TupleDef{}), TypeDef(CompositeDef{}),
                TypeDef(CompositeDef{{Field{"a", 0, ""}, Field{"b", 1, ""}}}), TypeDef(Primitive::kBool),
                TypeDef(CompositeDef{{Field{"c", 3, ""}}})});
  EXPECT_TRUE(types.is_zero_sized(0));
  EXPECT_TRUE(types.is_zero_sized(2));
  EXPECT_FALSE(types.is_zero_sized(3));
  EXPECT_FALSE(types.is_zero_sized(4));
  EXPECT_FALSE(types.is_zero_sized(99));
}

// Every constant and every storage default of a real runtime is exactly one value of its declared type.
TEST(TypeRegistry, skips_every_constant_and_default_of_a_real_runtime) {
  int checked = 0;
  const auto expect_whole = [&checked](TypeId type, const Bytes& value, const std::string& name) {
    const auto size = skipped(spec461().types(), type, value);
    ASSERT_TRUE(size.has_value()) << name << ": " << size.error().message;
    ASSERT_EQ(*size, value.size()) << name;
    ++checked;
  };
  for (const Pallet& pallet : spec461().pallets()) {
    for (const Constant& constant : pallet.constants)
      expect_whole(constant.type, constant.value, constant.name);
    for (const StorageEntry& entry : pallet.storage) {
      if (!entry.optional) expect_whole(entry.value_type, entry.default_value, entry.name);
    }
  }
  EXPECT_GT(checked, 400);
}

}  // namespace
}  // namespace adit::chain
