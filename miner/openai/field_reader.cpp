// SPDX-License-Identifier: MIT
#include "miner/openai/field_reader.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

namespace adit::miner::openai {
namespace {

bool says_nothing(const Json& value) {
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_number()) return value.get<double>() == 0;
  if (value.is_string()) return value.get_ref<const std::string&>().empty();
  return value.empty();
}

}  // namespace

FieldReader::FieldReader(const Json& object, std::string path, std::optional<ApiError>& error)
    : object_(object), path_(std::move(path)), error_(error) {
  if (!object_.is_object() && !error_) {
    error_ = ApiError{.message = path_.empty() ? "expected a JSON object" : path_ + ": expected an object"};
    if (!path_.empty()) error_->param = path_;
  }
}

std::string FieldReader::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

void FieldReader::fail(std::string_view key, std::string message) {
  if (!error_) error_ = wrong_field(path_of(key), std::move(message));
}

const Json* FieldReader::find(std::string_view key) {
  known_.push_back(key);
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(std::string(key));
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::optional<double> FieldReader::number(std::string_view key, double min, double max) {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  const double got = value->is_number() ? value->get<double>() : min - 1;
  if (!(got >= min && got <= max)) {
    fail(key, fmt::format("expected a number in {}..{}", min, max));
    return std::nullopt;
  }
  return got;
}

std::optional<std::int64_t> FieldReader::integer(std::string_view key, std::int64_t min, std::int64_t max) {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  const bool too_large = value->is_number_unsigned() && value->get<std::uint64_t>() > INT64_MAX;
  if (!value->is_number_integer() || too_large || value->get<std::int64_t>() < min ||
      value->get<std::int64_t>() > max) {
    fail(key, fmt::format("expected an integer in {}..{}", min, max));
    return std::nullopt;
  }
  return value->get<std::int64_t>();
}

std::optional<bool> FieldReader::boolean(std::string_view key) {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_boolean()) {
    fail(key, "expected true or false");
    return std::nullopt;
  }
  return value->get<bool>();
}

std::optional<std::string> FieldReader::text(std::string_view key) {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) {
    fail(key, "expected a string");
    return std::nullopt;
  }
  return value->get<std::string>();
}

void FieldReader::ignore(std::initializer_list<std::string_view> keys) {
  known_.insert(known_.end(), keys.begin(), keys.end());
}

void FieldReader::refuse(std::string_view key, std::string_view reason) {
  const Json* value = find(key);
  if (value != nullptr && !says_nothing(*value)) fail(key, fmt::format("not supported: {}", reason));
}

void FieldReader::finish() {
  if (!object_.is_object()) return;
  for (const auto& [key, value] : object_.items()) {
    if (std::find(known_.begin(), known_.end(), key) == known_.end() && !value.is_null()) {
      fail(key, "this field is not known here");
    }
  }
}

}  // namespace adit::miner::openai
