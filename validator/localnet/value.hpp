// SPDX-License-Identifier: MIT
// validator/localnet/value.hpp
//
// Values without a layout, laid out by the metadata's types: what runtime APIs answer.
//
// In       records name fields; a field that a record does not name gets the zero of its type (0,
//          false, empty, None, the first variant). A list may be given for a sequence, a number for anything
//          numeric, compact or wrapped in newtypes; a value for an Option is Some of it.
// Out      encode_value: SCALE.
// Errors   kInternal naming the type when a value cannot have it, or a field that the type lacks.
// Threads  plain values; pure.
// Source   scale-info PortableRegistry
// Tests    tests/unit/validator/localnet/runtime_api_test.cpp
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "common/base/strong.hpp"
#include "common/chain/type_registry.hpp"
#include "validator/localnet/codec.hpp"

namespace adit::validator {

class Value;
using ValueList = std::vector<Value>;
using ValueRecord = std::map<std::string, Value, std::less<>>;

// None of an Option.
struct NoValue {};
// Bytes that are the encoding already.
struct Encoded {
  Bytes bytes;
};
// A variant by name, with its fields in order.
struct Named;

class Value {
 public:
  Value() : data_(NoValue{}) {}
  template <class T>
    requires std::is_integral_v<T>
  Value(T number) : data_(static_cast<std::uint64_t>(number)) {}  // NOLINT: a literal is a value
  Value(Wide number) : data_(number) {}
  Value(Encoded bytes) : data_(std::move(bytes)) {}
  Value(const AccountId& account) : data_(Encoded{to_bytes(account)}) {}
  Value(ValueList list) : data_(std::move(list)) {}
  Value(ValueRecord record) : data_(std::move(record)) {}
  Value(Named named);
  template <class T>
  Value(const std::vector<T>& items) : data_(ValueList()) {
    auto& list = std::get<ValueList>(data_);
    list.reserve(items.size());
    for (auto&& item : items) list.emplace_back(T(item));
  }

  template <class T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&data_);
  }
  [[nodiscard]] const Named* named() const { return named_.empty() ? nullptr : &named_.front(); }

 private:
  std::variant<NoValue, std::uint64_t, Wide, Encoded, ValueList, ValueRecord> data_;
  // Zero or one; a vector because Named holds Values.
  std::vector<Named> named_;
};

struct Named {
  std::string name;
  ValueList fields;
};
inline Value::Value(Named named) : data_(NoValue{}) {
  named_.push_back(std::move(named));
}

// A text as its bytes, for sequences of u8 and of Compact<u8>.
[[nodiscard]] Value text_value(std::string_view text);

[[nodiscard]] Result<Bytes> encode_value(const chain::TypeRegistry& types, chain::TypeId type,
                                         const Value& value);

}  // namespace adit::validator
