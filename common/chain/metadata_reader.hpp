// SPDX-License-Identifier: MIT
// common/chain/metadata_reader.hpp
//
// Reads a metadata blob once, noting on the way where its prose lies. Internal to metadata.cpp and its
// tests.
//
// Out      parts: what Metadata holds. prose: byte ranges of the blob that hold docs or notes, rising, each
//          with the one byte that stands for "none" in its place.
// Errors   kInvalidArgument with the offset.
// Threads  one reader, one thread.
// Source   paritytech/frame-metadata: v14.rs, v15.rs, v16.rs; scale-info src/portable.rs
// Tests    tests/unit/common/chain/metadata_test.cpp, strip_metadata_test.cpp
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/chain/metadata.hpp"
#include "common/scale/decoder.hpp"

namespace adit::chain {

struct ProseRange {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::uint8_t replacement = 0;
};

struct MetadataParts {
  int version = 0;
  std::vector<Type> types;
  std::vector<Pallet> pallets;
  std::vector<Extension> extensions;
  std::vector<RuntimeApiMethod> runtime_apis;
  std::uint8_t extrinsic_version = 4;
  std::vector<ProseRange> prose;

  [[nodiscard]] static Metadata assemble(MetadataParts parts);
};

class MetadataReader {
 public:
  explicit MetadataReader(ByteView blob) : in_(blob) {}
  [[nodiscard]] Result<MetadataParts> read();

 private:
  Result<void> read_types();
  Result<Type> read_type();
  Result<TypeDef> read_type_def();
  Result<std::vector<Field>> read_fields();
  Result<Variant> read_variant();
  Result<void> read_pallets();
  Result<Pallet> read_pallet();
  Result<std::optional<TypeId>> read_pallet_enum();
  Result<void> read_storage(Pallet& pallet);
  Result<StorageEntry> read_storage_entry(const std::string& prefix);
  Result<Constant> read_constant();
  Result<void> read_view_function();
  Result<void> read_extrinsic();
  Result<void> read_extrinsic_v16();
  Result<void> read_extensions();
  Result<void> read_tail();
  Result<void> read_runtime_api();
  Result<void> resolve_keys();
  Result<void> check_type_ids() const;

  // A vector's length; refuses one that cannot fit in what is left or in the budget of items.
  Result<std::uint64_t> count(const char* what);
  Result<TypeId> type_id();
  Result<std::string> text(const char* what);
  Result<std::optional<std::string>> optional_text(const char* what);
  Result<std::uint8_t> byte(const char* what, std::uint8_t below);
  Result<void> docs();
  Result<void> deprecation();
  Result<void> enum_deprecation();
  Result<std::vector<Field>> params();
  [[nodiscard]] bool v15() const { return parts_.version >= 15; }
  [[nodiscard]] bool v16() const { return parts_.version >= 16; }

  scale::Decoder in_;
  MetadataParts parts_;
  std::uint64_t items_ = 0;
  TypeId type_id_max_ = 0;
  std::size_t type_id_max_at_ = 0;
};

}  // namespace adit::chain
