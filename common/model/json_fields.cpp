// SPDX-License-Identifier: MIT
#include "common/model/json_fields.hpp"

#include <cmath>
#include <utility>

#include <climits>

#include "common/base/bytes.hpp"
#include "common/base/files.hpp"

namespace adit::model {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kListMax = 65536;

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 80)) out += (c >= 0x20 && c < 0x7f) ? c : '?';
  return out;
}

bool is_off(const Json& value) {
  return value.is_null() || (value.is_boolean() && !value.get<bool>()) ||
         ((value.is_object() || value.is_array()) && value.empty()) ||
         (value.is_string() && value.get_ref<const std::string&>().empty());
}

}  // namespace

Result<JsonFields> JsonFields::open(const std::filesystem::path& path, std::uint64_t bytes_max) {
  ADIT_TRY(const Bytes bytes, read_file(path, bytes_max));
  return parse(as_text(bytes), path.string());
}

Result<JsonFields> JsonFields::parse(std::string_view text, std::string label) {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return invalid_argument("{}: not JSON", label);
  if (!json.is_object()) return invalid_argument("{}: not a JSON object", label);
  return JsonFields(std::move(json), std::move(label), "");
}

bool JsonFields::has(const std::string& key) const {
  const auto found = json_.find(key);
  return found != json_.end() && !found->is_null();
}

const Json* JsonFields::find(const std::string& key) {
  known_.insert(key);
  const auto found = json_.find(key);
  return found == json_.end() || found->is_null() ? nullptr : &*found;
}

std::string JsonFields::shown(const std::string& key) const {
  const auto found = json_.find(key);
  if (found == json_.end()) return "absent";
  return printable(found->dump(-1, ' ', true, Json::error_handler_t::replace));
}

tl::unexpected<Error> JsonFields::wrong(const std::string& key, std::string_view expected) const {
  return invalid_argument("{}: key {}{}: {}, expected {}", label_, prefix_, printable(key), shown(key),
                          expected);
}

tl::unexpected<Error> JsonFields::not_supported(const std::string& key, std::string_view expected) const {
  return unimplemented("{}: key {}{}: {}, expected {}", label_, prefix_, printable(key), shown(key),
                       expected);
}

Result<int> JsonFields::integer(const std::string& key) {
  const Json* found = find(key);
  if (found == nullptr) return wrong(key, "an integer");
  if (!found->is_number_integer()) return wrong(key, "an integer");
  const auto value = found->get<std::int64_t>();
  if (value < 0 || value > INT_MAX) return wrong(key, "an integer in 0..2147483647");
  return static_cast<int>(value);
}

Result<int> JsonFields::integer_or(const std::string& key, int absent) {
  return find(key) == nullptr ? Result<int>(absent) : integer(key);
}

Result<double> JsonFields::number(const std::string& key) {
  const Json* found = find(key);
  if (found == nullptr || !found->is_number()) return wrong(key, "a number");
  const double value = found->get<double>();
  if (!std::isfinite(value)) return wrong(key, "a finite number");
  return value;
}

Result<double> JsonFields::number_or(const std::string& key, double absent) {
  return find(key) == nullptr ? Result<double>(absent) : number(key);
}

Result<bool> JsonFields::boolean_or(const std::string& key, bool absent) {
  const Json* found = find(key);
  if (found == nullptr) return absent;
  if (!found->is_boolean()) return wrong(key, "true or false");
  return found->get<bool>();
}

Result<std::string> JsonFields::text_or(const std::string& key, std::string_view absent) {
  const Json* found = find(key);
  if (found == nullptr) return std::string(absent);
  if (!found->is_string()) return wrong(key, "a string");
  return found->get<std::string>();
}

Result<std::vector<std::int64_t>> JsonFields::integers(const std::string& key) {
  const Json* found = find(key);
  if (found == nullptr) return std::vector<std::int64_t>();
  if (found->is_number_integer()) return std::vector{found->get<std::int64_t>()};
  if (!found->is_array() || found->size() > kListMax) return wrong(key, "an integer or a list of them");
  std::vector<std::int64_t> out;
  for (const Json& item : *found) {
    if (!item.is_number_integer()) return wrong(key, "an integer or a list of them");
    out.push_back(item.get<std::int64_t>());
  }
  return out;
}

Result<std::vector<std::string>> JsonFields::texts(const std::string& key) {
  const Json* found = find(key);
  if (found == nullptr) return std::vector<std::string>();
  if (found->is_string()) return std::vector{found->get<std::string>()};
  if (!found->is_array() || found->size() > kListMax) return wrong(key, "a list of strings");
  std::vector<std::string> out;
  for (const Json& item : *found) {
    if (!item.is_string()) return wrong(key, "a list of strings");
    out.push_back(item.get<std::string>());
  }
  return out;
}

Result<JsonFields> JsonFields::object(const std::string& key) {
  const Json* found = find(key);
  if (found == nullptr || !found->is_object()) return wrong(key, "an object");
  return JsonFields(*found, label_, prefix_ + printable(key) + ".");
}

Result<void> JsonFields::must_be(const std::string& key, const Json& expected) {
  const Json* found = find(key);
  if (found == nullptr || *found == expected) return {};
  return not_supported(key, expected.dump());
}

void JsonFields::harmless(std::span<const std::string_view> keys) {
  for (const std::string_view key : keys) known_.emplace(key);
}

Result<void> JsonFields::finish() const {
  for (const auto& [key, value] : json_.items()) {
    if (known_.contains(key) || is_off(value)) continue;
    return not_supported(key, "no such key (it is not understood)");
  }
  return {};
}

}  // namespace adit::model
