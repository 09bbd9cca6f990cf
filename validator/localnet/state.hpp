// SPDX-License-Identifier: MIT
// validator/localnet/state.hpp
//
// Storage by name, as one block sees it: reads fall through to the state of the parent block, writes stay in
// the overlay until the block is made.
//
// In       items by (pallet, name); keys and values are plain C++ types of codec.hpp, whose SCALE must be
//          that of the metadata's types.
// Out      get gives the metadata's default when nothing is stored; find gives none.
// Errors   none: an item that the metadata lacks, or a stored value of another shape, is a bug and aborts
//          (the metadata is compiled in and the state root is checked on load).
// Threads  one.
// Source   docs.polkadot.com "Storage data structures"
// Tests    tests/unit/validator/localnet/state_test.cpp
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/check.hpp"
#include "common/chain/metadata.hpp"
#include "validator/localnet/codec.hpp"
#include "validator/localnet/versioned_map.hpp"

namespace adit::validator {

struct Item {
  std::string_view pallet;
  std::string_view name;
};
// An item of SubtensorModule, where nearly all of them are.
[[nodiscard]] constexpr Item subtensor(std::string_view name) {
  return {"SubtensorModule", name};
}

class State {
 public:
  // base and metadata outlive the state; `at` is the block whose state is read through.
  State(const chain::Metadata& metadata, const VersionedMap& base, BlockNumber at)
      : metadata_(metadata), base_(base), at_(at) {}

  template <class... Keys>
  [[nodiscard]] Bytes key(Item item, const Keys&... keys) const {
    const std::vector<Bytes> parts = {encoded(keys)...};
    return make_key(item, parts);
  }
  [[nodiscard]] std::optional<Bytes> raw(ByteView key) const;
  void set_raw(const Bytes& key, std::optional<Bytes> value);

  template <class T, class... Keys>
  [[nodiscard]] std::optional<T> find(Item item, const Keys&... keys) const {
    const std::optional<Bytes> stored = raw(key(item, keys...));
    if (!stored) return std::nullopt;
    return as<T>(*stored);
  }
  template <class T, class... Keys>
  [[nodiscard]] T get(Item item, const Keys&... keys) const {
    const std::optional<Bytes> stored = raw(key(item, keys...));
    return as<T>(stored ? *stored : default_of(item));
  }
  // put(item, value, keys...)
  template <class T, class... Keys>
  void put(Item item, const T& value, const Keys&... keys) {
    set_raw(key(item, keys...), encoded(value));
  }
  template <class... Keys>
  void remove(Item item, const Keys&... keys) {
    set_raw(key(item, keys...), std::nullopt);
  }
  // Every stored key of the item under the given first keys.
  [[nodiscard]] std::vector<Bytes> keys_under(const Bytes& prefix) const;

  // What happens between begin and rollback never happened. Nests.
  void begin() { marks_.push_back(journal_.size()); }
  void commit();
  void rollback();

  [[nodiscard]] const Changes& changes() const { return changes_; }
  [[nodiscard]] const chain::Metadata& metadata() const { return metadata_; }

 private:
  template <class T>
  static T as(const Bytes& stored) {
    Result<T> value = decoded<T>(stored);
    ADIT_CHECK(value.has_value());
    return *std::move(value);
  }
  [[nodiscard]] Bytes make_key(Item item, const std::vector<Bytes>& parts) const;
  [[nodiscard]] Bytes default_of(Item item) const;

  struct Undo {
    Bytes key;
    bool was_changed = false;
    std::optional<Bytes> value;
  };

  const chain::Metadata& metadata_;
  const VersionedMap& base_;
  BlockNumber at_;
  Changes changes_;
  std::vector<Undo> journal_;
  std::vector<std::size_t> marks_;
};

}  // namespace adit::validator
