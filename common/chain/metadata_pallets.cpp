// SPDX-License-Identifier: MIT
//
// MetadataReader, second half: pallets, extrinsic, runtime APIs.
#include <algorithm>
#include <utility>

#include "common/chain/metadata_reader.hpp"

namespace adit::chain {

Result<void> MetadataReader::read_pallets() {
  ADIT_TRY(const std::uint64_t pallets, count("pallets"));
  for (std::uint64_t i = 0; i < pallets; ++i) {
    ADIT_TRY(Pallet pallet, read_pallet());
    parts_.pallets.push_back(std::move(pallet));
  }
  return {};
}

Result<Pallet> MetadataReader::read_pallet() {
  Pallet pallet;
  ADIT_TRY(pallet.name, text("pallet name"));
  ADIT_TRY_VOID(read_storage(pallet));
  ADIT_TRY(pallet.calls, read_pallet_enum());
  ADIT_TRY(pallet.events, read_pallet_enum());
  ADIT_TRY(const std::uint64_t constants, count("constants"));
  for (std::uint64_t i = 0; i < constants; ++i) {
    ADIT_TRY(Constant constant, read_constant());
    pallet.constants.push_back(std::move(constant));
  }
  ADIT_TRY(pallet.errors, read_pallet_enum());
  if (v16()) {
    ADIT_TRY(const std::uint64_t associated, count("associated types"));
    for (std::uint64_t i = 0; i < associated; ++i) {
      ADIT_TRY_VOID(text("associated type"));
      ADIT_TRY_VOID(type_id());
      ADIT_TRY_VOID(docs());
    }
    ADIT_TRY(const std::uint64_t views, count("view functions"));
    for (std::uint64_t i = 0; i < views; ++i) ADIT_TRY_VOID(read_view_function());
  }
  ADIT_TRY(pallet.index, in_.u8());
  if (v15()) ADIT_TRY_VOID(docs());
  ADIT_TRY_VOID(deprecation());
  return pallet;
}

// Calls, events and errors are each an optional enum type.
Result<std::optional<TypeId>> MetadataReader::read_pallet_enum() {
  ADIT_TRY(const std::uint8_t some, byte("option", 2));
  if (some == 0) return std::optional<TypeId>{};
  ADIT_TRY(const TypeId id, type_id());
  ADIT_TRY_VOID(enum_deprecation());
  return std::optional<TypeId>(id);
}

Result<void> MetadataReader::read_view_function() {
  ADIT_TRY_VOID(in_.raw(32));
  ADIT_TRY_VOID(text("view function"));
  ADIT_TRY_VOID(params());
  ADIT_TRY_VOID(type_id());
  ADIT_TRY_VOID(docs());
  return deprecation();
}

Result<void> MetadataReader::read_storage(Pallet& pallet) {
  ADIT_TRY(const std::uint8_t some, byte("option", 2));
  if (some == 0) return {};
  ADIT_TRY(const std::string prefix, text("storage prefix"));
  ADIT_TRY(const std::uint64_t entries, count("storage entries"));
  for (std::uint64_t i = 0; i < entries; ++i) {
    ADIT_TRY(StorageEntry entry, read_storage_entry(prefix));
    pallet.storage.push_back(std::move(entry));
  }
  return {};
}

// A map's key_types holds its one key type here; resolve_keys splits it once all types are known.
Result<StorageEntry> MetadataReader::read_storage_entry(const std::string& prefix) {
  StorageEntry entry;
  entry.prefix = prefix;
  ADIT_TRY(entry.name, text("storage entry name"));
  ADIT_TRY(const std::uint8_t modifier, byte("storage modifier", 3));
  entry.optional = modifier == 0;
  ADIT_TRY(const std::uint8_t map, byte("kind of storage", 2));
  if (map == 1) {
    ADIT_TRY(const std::uint64_t hashers, count("hashers"));
    for (std::uint64_t i = 0; i < hashers; ++i) {
      ADIT_TRY(const std::uint8_t hasher, byte("hasher", 7));
      entry.hashers.push_back(static_cast<Hasher>(hasher));
    }
    ADIT_TRY(const TypeId key, type_id());
    entry.key_types.push_back(key);
  }
  ADIT_TRY(entry.value_type, type_id());
  ADIT_TRY(const ByteView default_value, in_.bytes());
  entry.default_value = to_bytes(default_value);
  ADIT_TRY_VOID(docs());
  ADIT_TRY_VOID(deprecation());
  return entry;
}

// One hasher hashes the whole key; several hash the parts of a tuple.
Result<void> MetadataReader::resolve_keys() {
  for (Pallet& pallet : parts_.pallets) {
    for (StorageEntry& entry : pallet.storage) {
      if (entry.hashers.size() == 1 || entry.key_types.empty()) continue;
      const auto* tuple = std::get_if<TupleDef>(&parts_.types[entry.key_types.front()].def);
      if (tuple == nullptr || tuple->elements.size() != entry.hashers.size()) {
        return invalid_argument("storage {}.{}: {} hashers do not fit its key type", pallet.name,
                                entry.name, entry.hashers.size());
      }
      entry.key_types = tuple->elements;
    }
  }
  return {};
}

Result<Constant> MetadataReader::read_constant() {
  Constant constant;
  ADIT_TRY(constant.name, text("constant name"));
  ADIT_TRY(constant.type, type_id());
  ADIT_TRY(const ByteView value, in_.bytes());
  constant.value = to_bytes(value);
  ADIT_TRY_VOID(docs());
  ADIT_TRY_VOID(deprecation());
  return constant;
}

Result<void> MetadataReader::read_extrinsic() {
  if (!v15()) ADIT_TRY_VOID(type_id());
  ADIT_TRY(parts_.extrinsic_version, in_.u8());
  if (v15()) {
    // address, call, signature, extra
    for (int i = 0; i < 4; ++i) ADIT_TRY_VOID(type_id());
  }
  ADIT_TRY_VOID(read_extensions());
  return {};
}

Result<void> MetadataReader::read_extensions() {
  ADIT_TRY(const std::uint64_t extensions, count("extensions"));
  for (std::uint64_t i = 0; i < extensions; ++i) {
    Extension extension;
    ADIT_TRY(extension.name, text("extension name"));
    ADIT_TRY(extension.extra, type_id());
    ADIT_TRY(extension.additional, type_id());
    parts_.extensions.push_back(std::move(extension));
  }
  return {};
}

// V16 lists extrinsic versions, and for each of them which extensions it uses, in what order.
Result<void> MetadataReader::read_extrinsic_v16() {
  const std::size_t at = in_.offset();
  ADIT_TRY(const ByteView versions, in_.bytes());
  if (versions.empty()) return invalid_argument("offset {}: no extrinsic version", at);
  parts_.extrinsic_version = *std::min_element(versions.begin(), versions.end());
  // address, call, signature
  for (int i = 0; i < 3; ++i) ADIT_TRY_VOID(type_id());
  ADIT_TRY(const std::uint64_t sets, count("extension sets"));
  std::vector<std::vector<std::uint64_t>> order;
  for (std::uint64_t i = 0; i < sets; ++i) {
    ADIT_TRY_VOID(in_.u8());
    ADIT_TRY(const std::uint64_t members, count("extensions of a version"));
    order.emplace_back();
    for (std::uint64_t k = 0; k < members; ++k) {
      ADIT_TRY(const std::uint64_t index, in_.compact());
      order.back().push_back(index);
    }
  }
  ADIT_TRY_VOID(read_extensions());
  if (order.empty()) return {};
  // The map is keyed by the extension version; version 0 comes first and is what a version 4 extrinsic
  // uses.
  std::vector<Extension> chosen;
  for (const std::uint64_t index : order.front()) {
    if (index >= parts_.extensions.size()) {
      return invalid_argument("offset {}: extension {} of {}", at, index, parts_.extensions.size());
    }
    chosen.push_back(parts_.extensions[index]);
  }
  parts_.extensions = std::move(chosen);
  return {};
}

Result<void> MetadataReader::read_tail() {
  if (!v16()) ADIT_TRY_VOID(type_id());  // the runtime's own type
  if (!v15()) return {};
  ADIT_TRY(const std::uint64_t apis, count("runtime APIs"));
  for (std::uint64_t i = 0; i < apis; ++i) ADIT_TRY_VOID(read_runtime_api());
  // Outer enums: call, event, error.
  for (int i = 0; i < 3; ++i) ADIT_TRY_VOID(type_id());
  ADIT_TRY(const std::uint64_t custom, count("custom values"));
  for (std::uint64_t i = 0; i < custom; ++i) {
    ADIT_TRY_VOID(text("custom name"));
    ADIT_TRY_VOID(type_id());
    ADIT_TRY_VOID(in_.bytes());
  }
  return {};
}

Result<void> MetadataReader::read_runtime_api() {
  ADIT_TRY(const std::string api, text("runtime API name"));
  ADIT_TRY(const std::uint64_t methods, count("methods"));
  for (std::uint64_t i = 0; i < methods; ++i) {
    RuntimeApiMethod method;
    method.api = api;
    ADIT_TRY(method.method, text("method name"));
    ADIT_TRY(method.inputs, params());
    ADIT_TRY(method.output, type_id());
    ADIT_TRY_VOID(docs());
    ADIT_TRY_VOID(deprecation());
    parts_.runtime_apis.push_back(std::move(method));
  }
  ADIT_TRY_VOID(docs());
  if (v16()) ADIT_TRY_VOID(in_.compact());  // the API's version
  return deprecation();
}

}  // namespace adit::chain
