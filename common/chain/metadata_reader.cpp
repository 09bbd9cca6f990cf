// SPDX-License-Identifier: MIT
#include "common/chain/metadata_reader.hpp"

#include <utility>

#include "common/base/limits.hpp"

namespace adit::chain {

Metadata MetadataParts::assemble(MetadataParts parts) {
  Metadata metadata;
  metadata.version_ = parts.version;
  metadata.types_ = TypeRegistry(std::move(parts.types));
  metadata.pallets_ = std::move(parts.pallets);
  metadata.extensions_ = std::move(parts.extensions);
  metadata.runtime_apis_ = std::move(parts.runtime_apis);
  metadata.extrinsic_version_ = parts.extrinsic_version;
  return metadata;
}

Result<MetadataParts> MetadataReader::read() {
  if (in_.remaining() > limits::kMetadataBytesMax) {
    return invalid_argument("{} bytes, at most {}", in_.remaining(), limits::kMetadataBytesMax);
  }
  ADIT_TRY(const std::uint32_t magic, in_.u32());
  constexpr std::uint32_t kMagic = 0x6174656d;  // "meta"
  if (magic != kMagic) return invalid_argument("offset 0: expected \"meta\", got {:08x}", magic);
  ADIT_TRY(const std::uint8_t version, in_.u8());
  if (version < 14 || version > 16)
    return invalid_argument("offset 4: version {}, expected 14, 15 or 16", version);
  parts_.version = version;
  ADIT_TRY_VOID(read_types());
  ADIT_TRY_VOID(read_pallets());
  ADIT_TRY_VOID(v16() ? read_extrinsic_v16() : read_extrinsic());
  ADIT_TRY_VOID(read_tail());
  if (!in_.done()) return invalid_argument("offset {}: {} bytes too many", in_.offset(), in_.remaining());
  ADIT_TRY_VOID(check_type_ids());
  ADIT_TRY_VOID(resolve_keys());
  return std::move(parts_);
}

// ---- small parts

Result<std::uint64_t> MetadataReader::count(const char* what) {
  const std::size_t at = in_.offset();
  ADIT_TRY(const std::uint64_t n, in_.compact());
  items_ += n;
  if (n > in_.remaining() || items_ > limits::kMetadataItemsMax) {
    return invalid_argument("offset {}: {} {} in {} bytes", at, n, what, in_.remaining());
  }
  return n;
}

Result<TypeId> MetadataReader::type_id() {
  const std::size_t at = in_.offset();
  ADIT_TRY(const std::uint64_t id, in_.compact());
  if (id > UINT32_MAX) return invalid_argument("offset {}: type id {}", at, id);
  if (id >= type_id_max_) {
    type_id_max_ = static_cast<TypeId>(id);
    type_id_max_at_ = at;
  }
  return static_cast<TypeId>(id);
}

Result<std::string> MetadataReader::text(const char* what) {
  const std::size_t at = in_.offset();
  const auto bytes = in_.bytes();
  if (!bytes) return invalid_argument("offset {}: expected {}: {}", at, what, bytes.error().message);
  return std::string(as_text(*bytes));
}

Result<std::uint8_t> MetadataReader::byte(const char* what, std::uint8_t below) {
  const std::size_t at = in_.offset();
  ADIT_TRY(const std::uint8_t value, in_.u8());
  if (value >= below)
    return invalid_argument("offset {}: {} {}, expected less than {}", at, what, value, below);
  return value;
}

Result<std::optional<std::string>> MetadataReader::optional_text(const char* what) {
  ADIT_TRY(const std::uint8_t some, byte("option", 2));
  if (some == 0) return std::optional<std::string>{};
  ADIT_TRY(std::string value, text(what));
  return std::optional<std::string>(std::move(value));
}

Result<void> MetadataReader::docs() {
  const std::size_t begin = in_.offset();
  ADIT_TRY(const std::uint64_t lines, count("lines of docs"));
  for (std::uint64_t i = 0; i < lines; ++i) ADIT_TRY_VOID(in_.bytes());
  parts_.prose.push_back({begin, in_.offset(), 0});
  return {};
}

// Not deprecated 0, without a note 1, with note and optional "since" 2.
Result<void> MetadataReader::deprecation() {
  if (!v16()) return {};
  const std::size_t begin = in_.offset();
  ADIT_TRY(const std::uint8_t kind, byte("deprecation", 3));
  if (kind != 2) return {};
  ADIT_TRY_VOID(in_.bytes());
  ADIT_TRY_VOID(optional_text("version"));
  parts_.prose.push_back({begin, in_.offset(), 1});
  return {};
}

Result<void> MetadataReader::enum_deprecation() {
  if (!v16()) return {};
  ADIT_TRY(const std::uint64_t variants, count("deprecated variants"));
  for (std::uint64_t i = 0; i < variants; ++i) {
    ADIT_TRY_VOID(in_.u8());
    ADIT_TRY_VOID(deprecation());
  }
  return {};
}

Result<std::vector<Field>> MetadataReader::params() {
  ADIT_TRY(const std::uint64_t inputs, count("parameters"));
  std::vector<Field> fields;
  for (std::uint64_t i = 0; i < inputs; ++i) {
    Field field;
    ADIT_TRY(field.name, text("parameter name"));
    ADIT_TRY(field.type, type_id());
    fields.push_back(std::move(field));
  }
  return fields;
}

// ---- types

Result<void> MetadataReader::read_types() {
  ADIT_TRY(const std::uint64_t types, count("types"));
  for (std::uint64_t i = 0; i < types; ++i) {
    const std::size_t at = in_.offset();
    ADIT_TRY(const TypeId id, type_id());
    if (id != i) return invalid_argument("offset {}: type id {}, expected {}", at, id, i);
    ADIT_TRY(Type type, read_type());
    parts_.types.push_back(std::move(type));
  }
  return {};
}

Result<Type> MetadataReader::read_type() {
  Type type;
  ADIT_TRY(const std::uint64_t segments, count("path segments"));
  for (std::uint64_t i = 0; i < segments; ++i) {
    ADIT_TRY(std::string segment, text("path segment"));
    type.path.push_back(std::move(segment));
  }
  ADIT_TRY(const std::uint64_t parameters, count("type parameters"));
  for (std::uint64_t i = 0; i < parameters; ++i) {
    ADIT_TRY_VOID(text("type parameter"));
    ADIT_TRY(const std::uint8_t some, byte("option", 2));
    if (some == 1) ADIT_TRY_VOID(type_id());
  }
  ADIT_TRY(type.def, read_type_def());
  ADIT_TRY_VOID(docs());
  return type;
}

Result<TypeDef> MetadataReader::read_type_def() {
  ADIT_TRY(const std::uint8_t kind, byte("kind of type", 8));
  switch (kind) {
    case 0: {
      ADIT_TRY(std::vector<Field> fields, read_fields());
      return TypeDef(CompositeDef{std::move(fields)});
    }
    case 1: {
      VariantDef def;
      ADIT_TRY(const std::uint64_t variants, count("variants"));
      for (std::uint64_t i = 0; i < variants; ++i) {
        ADIT_TRY(Variant variant, read_variant());
        def.variants.push_back(std::move(variant));
      }
      return TypeDef(std::move(def));
    }
    case 2: {
      ADIT_TRY(const TypeId element, type_id());
      return TypeDef(SequenceDef{element});
    }
    case 3: {
      ADIT_TRY(const std::uint32_t length, in_.u32());
      ADIT_TRY(const TypeId element, type_id());
      return TypeDef(ArrayDef{length, element});
    }
    case 4: {
      TupleDef def;
      ADIT_TRY(const std::uint64_t elements, count("tuple elements"));
      for (std::uint64_t i = 0; i < elements; ++i) {
        ADIT_TRY(const TypeId element, type_id());
        def.elements.push_back(element);
      }
      return TypeDef(std::move(def));
    }
    case 5: {
      ADIT_TRY(const std::uint8_t primitive, byte("primitive", kPrimitiveCount));
      return TypeDef(static_cast<Primitive>(primitive));
    }
    case 6: {
      ADIT_TRY(const TypeId inner, type_id());
      return TypeDef(CompactDef{inner});
    }
    default: {
      ADIT_TRY(const TypeId store, type_id());
      ADIT_TRY(const TypeId order, type_id());
      return TypeDef(BitSequenceDef{store, order});
    }
  }
}

Result<std::vector<Field>> MetadataReader::read_fields() {
  ADIT_TRY(const std::uint64_t n, count("fields"));
  std::vector<Field> fields;
  for (std::uint64_t i = 0; i < n; ++i) {
    Field field;
    ADIT_TRY(const std::optional<std::string> name, optional_text("field name"));
    field.name = name.value_or("");
    ADIT_TRY(field.type, type_id());
    ADIT_TRY(const std::optional<std::string> type_name, optional_text("type name"));
    field.type_name = type_name.value_or("");
    ADIT_TRY_VOID(docs());
    fields.push_back(std::move(field));
  }
  return fields;
}

Result<Variant> MetadataReader::read_variant() {
  Variant variant;
  ADIT_TRY(variant.name, text("variant name"));
  ADIT_TRY(variant.fields, read_fields());
  ADIT_TRY(variant.index, in_.u8());
  ADIT_TRY_VOID(docs());
  return variant;
}

Result<void> MetadataReader::check_type_ids() const {
  if (type_id_max_ >= parts_.types.size()) {
    return invalid_argument("offset {}: type id {} of {}", type_id_max_at_, type_id_max_,
                            parts_.types.size());
  }
  return {};
}

}  // namespace adit::chain
