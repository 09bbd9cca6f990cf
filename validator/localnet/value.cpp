// SPDX-License-Identifier: MIT
#include "validator/localnet/value.hpp"

#include "common/base/limits.hpp"
#include "common/scale/encoder.hpp"

namespace adit::validator {
namespace {

std::size_t primitive_bytes(chain::Primitive primitive) {
  switch (primitive) {
    case chain::Primitive::kBool:
    case chain::Primitive::kU8:
    case chain::Primitive::kI8:
      return 1;
    case chain::Primitive::kU16:
    case chain::Primitive::kI16:
      return 2;
    case chain::Primitive::kChar:
    case chain::Primitive::kU32:
    case chain::Primitive::kI32:
      return 4;
    case chain::Primitive::kU64:
    case chain::Primitive::kI64:
      return 8;
    case chain::Primitive::kU128:
    case chain::Primitive::kI128:
      return 16;
    case chain::Primitive::kU256:
    case chain::Primitive::kI256:
      return 32;
    case chain::Primitive::kStr:
      return 0;
  }
  return 0;
}

bool is_option(const chain::Type& type) {
  return !type.path.empty() && type.path.back() == "Option";
}

class Writer {
 public:
  Writer(const chain::TypeRegistry& types, scale::Encoder& out) : types_(types), out_(out) {}

  Result<void> write(chain::TypeId id, const Value& value, std::uint32_t depth) {
    const chain::Type* type = types_.find(id);
    if (type == nullptr || depth > limits::kScaleDepthMax) return wrong(id);
    if (const auto* encoded_value = value.as<Encoded>()) {
      out_.raw(encoded_value->bytes);
      return {};
    }
    if (is_option(*type)) return write_option(*std::get_if<chain::VariantDef>(&type->def), value, depth);
    return std::visit([&](const auto& def) { return write_def(id, def, value, depth + 1); }, type->def);
  }

 private:
  tl::unexpected<Error> wrong(chain::TypeId id) const {
    return internal_error("a value does not fit {}", types_.describe(id));
  }

  Result<void> write_option(const chain::VariantDef& def, const Value& value, std::uint32_t depth) {
    const chain::Variant* some = def.find("Some");
    if (value.as<NoValue>() != nullptr && value.named() == nullptr) {
      out_.u8(0);
      return {};
    }
    out_.u8(1);
    return write(some->fields.front().type, value, depth + 1);
  }
  Result<void> write_def(chain::TypeId id, const chain::CompositeDef& def, const Value& value,
                         std::uint32_t depth) {
    const auto* record = value.as<ValueRecord>();
    if (record == nullptr && value.as<NoValue>() == nullptr) {
      // A newtype around what the value is.
      if (def.fields.size() != 1) return wrong(id);
      return write(def.fields.front().type, value, depth);
    }
    std::size_t used = 0;
    for (const chain::Field& field : def.fields) {
      const Value zero;
      const Value* member = &zero;
      if (record != nullptr) {
        const auto found = record->find(field.name);
        if (found != record->end()) {
          member = &found->second;
          ++used;
        }
      }
      const Result<void> written = write(field.type, *member, depth);
      if (!written) return tl::unexpected<Error>(written.error().context(field.name));
    }
    return record == nullptr || used == record->size() ? Result<void>() : wrong(id);
  }
  Result<void> write_def(chain::TypeId id, const chain::VariantDef& def, const Value& value,
                         std::uint32_t depth) {
    const Named* named = value.named();
    if (named == nullptr && value.as<NoValue>() == nullptr) return wrong(id);
    const chain::Variant* variant = named == nullptr ? &def.variants.front() : def.find(named->name);
    if (variant == nullptr || (named != nullptr && named->fields.size() != variant->fields.size())) {
      return wrong(id);
    }
    out_.u8(variant->index);
    for (std::size_t i = 0; i < variant->fields.size(); ++i) {
      ADIT_TRY_VOID(write(variant->fields[i].type, named == nullptr ? Value() : named->fields[i], depth));
    }
    return {};
  }
  Result<void> write_def(chain::TypeId id, const chain::SequenceDef& def, const Value& value,
                         std::uint32_t depth) {
    const auto* list = value.as<ValueList>();
    if (list == nullptr && value.as<NoValue>() == nullptr) return wrong(id);
    out_.compact(list == nullptr ? 0 : list->size());
    if (list == nullptr) return {};
    for (const Value& item : *list) ADIT_TRY_VOID(write(def.element, item, depth));
    return {};
  }
  Result<void> write_def(chain::TypeId id, const chain::ArrayDef& def, const Value& value,
                         std::uint32_t depth) {
    if (value.as<NoValue>() == nullptr) return wrong(id);
    for (std::uint32_t i = 0; i < def.length; ++i) ADIT_TRY_VOID(write(def.element, value, depth));
    return {};
  }
  Result<void> write_def(chain::TypeId id, const chain::TupleDef& def, const Value& value,
                         std::uint32_t depth) {
    const auto* list = value.as<ValueList>();
    if (list == nullptr ? value.as<NoValue>() == nullptr : list->size() != def.elements.size())
      return wrong(id);
    for (std::size_t i = 0; i < def.elements.size(); ++i) {
      ADIT_TRY_VOID(write(def.elements[i], list == nullptr ? Value() : (*list)[i], depth));
    }
    return {};
  }
  Result<void> write_def(chain::TypeId id, const chain::Primitive& primitive, const Value& value,
                         std::uint32_t) {
    const Wide number = number_of(value);
    if (!is_number(value)) return wrong(id);
    if (primitive == chain::Primitive::kStr) {
      out_.compact(0);
      return {};
    }
    const std::size_t bytes = primitive_bytes(primitive);
    for (std::size_t i = 0; i < bytes; ++i) {
      out_.u8(i < 16 ? static_cast<std::uint8_t>(number[i / 8] >> (8 * (i % 8))) : 0);
    }
    return {};
  }
  Result<void> write_def(chain::TypeId id, const chain::CompactDef&, const Value& value, std::uint32_t) {
    if (!is_number(value)) return wrong(id);
    const Wide number = number_of(value);
    out_.compact_u128(number[0], number[1]);
    return {};
  }
  Result<void> write_def(chain::TypeId id, const chain::BitSequenceDef&, const Value& value,
                         std::uint32_t) {
    if (value.as<NoValue>() == nullptr) return wrong(id);
    out_.compact(0);
    return {};
  }

  static bool is_number(const Value& value) {
    return value.as<NoValue>() != nullptr || value.as<std::uint64_t>() != nullptr ||
           value.as<Wide>() != nullptr;
  }
  static Wide number_of(const Value& value) {
    if (const auto* number = value.as<std::uint64_t>()) return {*number, 0};
    if (const auto* number = value.as<Wide>()) return *number;
    return {0, 0};
  }

  const chain::TypeRegistry& types_;
  scale::Encoder& out_;
};

}  // namespace

Value text_value(std::string_view text) {
  ValueList bytes;
  for (const char c : text) bytes.emplace_back(static_cast<std::uint8_t>(c));
  return Value(std::move(bytes));
}

Result<Bytes> encode_value(const chain::TypeRegistry& types, chain::TypeId type, const Value& value) {
  scale::Encoder out;
  Writer writer(types, out);
  ADIT_TRY_VOID(writer.write(type, value, 0));
  return out.take();
}

}  // namespace adit::validator
