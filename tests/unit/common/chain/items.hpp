// SPDX-License-Identifier: MIT
// tests/unit/common/chain/items.hpp
//
// Our decoded metadata written as the lines of tests/vectors/chain/*-items.txt.
#pragma once

#include <string>
#include <vector>

#include "common/chain/metadata.hpp"

namespace adit::chain {

inline std::string hasher_name(Hasher hasher) {
  static constexpr const char* kNames[] = {"Blake2_128", "Blake2_256",   "Blake2_128Concat", "Twox128",
                                           "Twox256",    "Twox64Concat", "Identity"};
  return kNames[static_cast<std::size_t>(hasher)];
}
template <class Range, class Text>
std::string joined(const Range& range, Text text) {
  std::string out;
  for (const auto& item : range) out += (out.empty() ? "" : ",") + text(item);
  return out;
}
inline std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}
inline std::string field_text(const Field& field) {
  return field.name + ":" + std::to_string(field.type);
}

inline void list_enum(const Metadata& metadata, const Pallet& pallet, const std::optional<TypeId>& id,
                      const std::string& kind, std::vector<std::string>& lines) {
  if (!id) return;
  for (const Variant& v : metadata.types().variants(*id)->variants) {
    lines.push_back(fmt::format("{} {}.{} {} {} ", kind, pallet.name, v.name, pallet.index, v.index) +
                    joined(v.fields, field_text));
  }
}

inline std::string storage_line(const Pallet& pallet, const StorageEntry& entry, bool with_keys) {
  std::string line =
      fmt::format("storage {}.{} {} {} {} ", pallet.name, entry.name, entry.prefix,
                  entry.optional ? "Optional" : "Default", or_dash(joined(entry.hashers, hasher_name)));
  if (with_keys)
    line += or_dash(joined(entry.key_types, [](TypeId id) { return std::to_string(id); })) + " ";
  return line + std::to_string(entry.value_type) + " " + or_dash(to_hex(entry.default_value));
}

// As the V14 and V16 lists.
inline std::vector<std::string> item_lines(const Metadata& metadata) {
  std::vector<std::string> lines;
  for (const Pallet& pallet : metadata.pallets()) {
    list_enum(metadata, pallet, pallet.calls, "calls", lines);
    list_enum(metadata, pallet, pallet.events, "event", lines);
    list_enum(metadata, pallet, pallet.errors, "error", lines);
    for (const StorageEntry& entry : pallet.storage) lines.push_back(storage_line(pallet, entry, false));
    for (const Constant& constant : pallet.constants) {
      lines.push_back(fmt::format("constant {}.{} {} {}", pallet.name, constant.name, constant.type,
                                  or_dash(to_hex(constant.value))));
    }
  }
  for (const Extension& extension : metadata.extensions()) {
    lines.push_back(
        fmt::format("extension {} {} {}", extension.name, extension.extra, extension.additional));
  }
  return lines;
}

// As the V15 list.
inline std::vector<std::string> item_lines_v15(const Metadata& metadata) {
  std::vector<std::string> lines;
  for (const Pallet& pallet : metadata.pallets()) {
    if (pallet.errors) {
      for (const Variant& v : metadata.types().variants(*pallet.errors)->variants) {
        lines.push_back(fmt::format("error {}.{} {} {}", pallet.name, v.name, pallet.index, v.index));
      }
    }
    for (const StorageEntry& entry : pallet.storage) lines.push_back(storage_line(pallet, entry, true));
  }
  for (const Extension& extension : metadata.extensions()) lines.push_back("extension " + extension.name);
  for (const RuntimeApiMethod& api : metadata.runtime_apis()) {
    lines.push_back(fmt::format("api {} {} {} {}", api.api, api.method,
                                or_dash(joined(api.inputs, field_text)), api.output));
  }
  return lines;
}

}  // namespace adit::chain
