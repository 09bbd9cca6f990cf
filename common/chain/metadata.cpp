// SPDX-License-Identifier: MIT
#include "common/chain/metadata.hpp"

#include <utility>

#include "common/chain/metadata_reader.hpp"
#include "common/scale/decoder.hpp"

namespace adit::chain {
namespace {

// The item `key` (a name or an index) of one of a pallet's enums.
template <class Key>
Result<ItemRef> find_item(const Metadata& metadata, Result<const Pallet*> pallet,
                          std::optional<TypeId> Pallet::* kind, const char* what, const Key& key) {
  if (!pallet) return tl::unexpected<Error>(pallet.error());
  const std::optional<TypeId>& id = (*pallet)->*kind;
  const VariantDef* def = id ? metadata.types().variants(*id) : nullptr;
  const Variant* variant = def != nullptr ? def->find(key) : nullptr;
  if (variant == nullptr) return not_found("the runtime has no {} {}.{}", what, (*pallet)->name, key);
  return ItemRef{*pallet, variant};
}

}  // namespace

Result<Metadata> Metadata::decode(ByteView blob) {
  auto parts = MetadataReader(blob).read();
  if (!parts) return tl::unexpected<Error>(parts.error().context("metadata"));
  return MetadataParts::assemble(*std::move(parts));
}

Result<const Pallet*> Metadata::pallet(std::string_view name) const {
  for (const Pallet& pallet : pallets_) {
    if (pallet.name == name) return &pallet;
  }
  return not_found("the runtime has no pallet {}", name);
}

Result<const Pallet*> Metadata::pallet(std::uint8_t index) const {
  for (const Pallet& pallet : pallets_) {
    if (pallet.index == index) return &pallet;
  }
  return not_found("the runtime has no pallet with index {}", index);
}

Result<ItemRef> Metadata::call(std::string_view pallet_name, std::string_view name) const {
  return find_item(*this, pallet(pallet_name), &Pallet::calls, "call", name);
}
Result<ItemRef> Metadata::call(std::uint8_t pallet_index, std::uint8_t index) const {
  return find_item(*this, pallet(pallet_index), &Pallet::calls, "call", index);
}
Result<ItemRef> Metadata::event(std::string_view pallet_name, std::string_view name) const {
  return find_item(*this, pallet(pallet_name), &Pallet::events, "event", name);
}
Result<ItemRef> Metadata::event(std::uint8_t pallet_index, std::uint8_t index) const {
  return find_item(*this, pallet(pallet_index), &Pallet::events, "event", index);
}
Result<ItemRef> Metadata::error(std::string_view pallet_name, std::string_view name) const {
  return find_item(*this, pallet(pallet_name), &Pallet::errors, "error", name);
}
Result<ItemRef> Metadata::error(std::uint8_t pallet_index, std::uint8_t index) const {
  return find_item(*this, pallet(pallet_index), &Pallet::errors, "error", index);
}

Result<const StorageEntry*> Metadata::storage(std::string_view pallet_name, std::string_view name) const {
  ADIT_TRY(const Pallet* found, pallet(pallet_name));
  for (const chain::StorageEntry& entry : found->storage) {
    if (entry.name == name) return &entry;
  }
  return not_found("the runtime has no storage {}.{}", pallet_name, name);
}

Result<const Constant*> Metadata::constant(std::string_view pallet_name, std::string_view name) const {
  ADIT_TRY(const Pallet* found, pallet(pallet_name));
  for (const Constant& constant : found->constants) {
    if (constant.name == name) return &constant;
  }
  return not_found("the runtime has no constant {}.{}", pallet_name, name);
}

Result<const RuntimeApiMethod*> Metadata::runtime_api(std::string_view api, std::string_view method) const {
  for (const RuntimeApiMethod& candidate : runtime_apis_) {
    if (candidate.api == api && candidate.method == method) return &candidate;
  }
  return not_found("the runtime's metadata has no API {}_{}", api, method);
}

Result<RuntimeVersion> Metadata::runtime_version() const {
  ADIT_TRY(const Constant* constant, constant("System", "Version"));
  scale::Decoder in(constant->value);
  RuntimeVersion version;
  ADIT_TRY(const ByteView spec_name, in.bytes());
  version.spec_name = std::string(as_text(spec_name));
  ADIT_TRY_VOID(in.bytes());  // impl_name
  ADIT_TRY_VOID(in.u32());    // authoring_version
  ADIT_TRY(version.spec_version, in.u32());
  ADIT_TRY_VOID(in.u32());  // impl_version
  ADIT_TRY(const std::uint64_t apis, in.compact());
  if (apis > in.remaining())
    return invalid_argument("System.Version: {} APIs in {} bytes", apis, in.remaining());
  ADIT_TRY_VOID(in.raw(apis * 12));
  ADIT_TRY(version.transaction_version, in.u32());
  return version;
}

Result<Bytes> strip_metadata(ByteView blob) {
  auto parts = MetadataReader(blob).read();
  if (!parts) return tl::unexpected<Error>(parts.error().context("metadata"));
  Bytes out;
  std::size_t from = 0;
  for (const ProseRange& range : parts->prose) {
    append(out, blob.subspan(from, range.begin - from));
    out.push_back(range.replacement);
    from = range.end;
  }
  append(out, blob.subspan(from));
  return out;
}

}  // namespace adit::chain
