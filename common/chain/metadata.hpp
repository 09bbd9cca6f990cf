// SPDX-License-Identifier: MIT
// common/chain/metadata.hpp
//
// A runtime's description of itself: calls, events, errors, storage, constants, extensions, all found by
// name.
//
// In       blob: SCALE metadata, "meta" and a version byte first (what state_getMetadata answers), V14,
// V15, V16. Out      look-ups give pointers into the Metadata; they live as long as it does (moves
// included). Errors   decode: kInvalidArgument with the offset and what was expected there; trailing bytes
// are an error.
//          look-ups: kNotFound naming what was asked for.
// Threads  read-only after decode; any thread.
// Source   paritytech/frame-metadata: v14.rs, v15.rs, v16.rs
// Tests    tests/unit/common/chain/metadata_test.cpp, tests/fuzz/metadata_fuzz.cpp
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/chain/type_registry.hpp"

namespace adit::chain {

enum class Hasher : std::uint8_t {
  kBlake2_128,
  kBlake2_256,
  kBlake2_128Concat,
  kTwox128,
  kTwox256,
  kTwox64Concat,
  kIdentity,
};

struct StorageEntry {
  std::string prefix;  // the pallet's storage prefix, hashed first
  std::string name;
  bool optional = false;          // null means None; otherwise null means default_value
  std::vector<Hasher> hashers;    // empty: a plain value
  std::vector<TypeId> key_types;  // one for each hasher
  TypeId value_type = 0;
  Bytes default_value;
};
struct Constant {
  std::string name;
  TypeId type = 0;
  Bytes value;
};
struct Pallet {
  std::string name;
  std::uint8_t index = 0;
  std::optional<TypeId> calls, events, errors;
  std::vector<StorageEntry> storage;
  std::vector<Constant> constants;
};
// One transaction extension, in the order of the extrinsic.
struct Extension {
  std::string name;
  TypeId extra = 0;       // what stands in the extrinsic
  TypeId additional = 0;  // what is signed but not sent
};
struct RuntimeApiMethod {
  std::string api;
  std::string method;
  std::vector<Field> inputs;
  TypeId output = 0;
};
struct RuntimeVersion {
  std::string spec_name;
  std::uint32_t spec_version = 0;
  std::uint32_t transaction_version = 0;
};

// A call, event or error: the pallet it is of and its description.
struct ItemRef {
  const Pallet* pallet = nullptr;
  const Variant* variant = nullptr;
  // "SubtensorModule.set_weights"
  [[nodiscard]] std::string full_name() const { return pallet->name + "." + variant->name; }
};

class Metadata {
 public:
  using StorageEntry = chain::StorageEntry;

  [[nodiscard]] static Result<Metadata> decode(ByteView blob);

  // 14, 15 or 16.
  [[nodiscard]] int version() const { return version_; }
  [[nodiscard]] const TypeRegistry& types() const { return types_; }
  [[nodiscard]] const std::vector<Pallet>& pallets() const { return pallets_; }
  [[nodiscard]] const std::vector<Extension>& extensions() const { return extensions_; }
  [[nodiscard]] const std::vector<RuntimeApiMethod>& runtime_apis() const { return runtime_apis_; }
  // 4 for all runtimes so far; V16 lists several, the lowest is given.
  [[nodiscard]] std::uint8_t extrinsic_version() const { return extrinsic_version_; }

  [[nodiscard]] Result<const Pallet*> pallet(std::string_view name) const;
  [[nodiscard]] Result<const Pallet*> pallet(std::uint8_t index) const;
  [[nodiscard]] Result<ItemRef> call(std::string_view pallet, std::string_view name) const;
  [[nodiscard]] Result<ItemRef> call(std::uint8_t pallet, std::uint8_t index) const;
  [[nodiscard]] Result<ItemRef> event(std::string_view pallet, std::string_view name) const;
  [[nodiscard]] Result<ItemRef> event(std::uint8_t pallet, std::uint8_t index) const;
  [[nodiscard]] Result<ItemRef> error(std::string_view pallet, std::string_view name) const;
  [[nodiscard]] Result<ItemRef> error(std::uint8_t pallet, std::uint8_t index) const;
  [[nodiscard]] Result<const StorageEntry*> storage(std::string_view pallet, std::string_view name) const;
  [[nodiscard]] Result<const Constant*> constant(std::string_view pallet, std::string_view name) const;
  // V15 and V16 only.
  [[nodiscard]] Result<const RuntimeApiMethod*> runtime_api(std::string_view api,
                                                            std::string_view method) const;
  // From the constant System.Version.
  [[nodiscard]] Result<RuntimeVersion> runtime_version() const;

 private:
  friend struct MetadataParts;
  int version_ = 0;
  TypeRegistry types_;
  std::vector<Pallet> pallets_;
  std::vector<Extension> extensions_;
  std::vector<RuntimeApiMethod> runtime_apis_;
  std::uint8_t extrinsic_version_ = 4;
};

// The same metadata with every doc comment emptied and every deprecation note dropped: it decodes to the
// same types, calls, storage, events, errors and constants. Errors as Metadata::decode.
[[nodiscard]] Result<Bytes> strip_metadata(ByteView blob);

}  // namespace adit::chain
