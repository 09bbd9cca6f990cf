// SPDX-License-Identifier: MIT
// common/model/json_fields.hpp
//
// Typed reads of one JSON object of a published model: config.json, adapter_config.json, index files.
//
// In       a file of at most limits::kConfigBytesMax bytes (or as given); null counts as absent.
// Out      checked values; finish() refuses what nobody read and nobody declared harmless.
// Errors   kInvalidArgument or kUnimplemented "<file>: key K: what was found, what was expected".
// Threads  one.
// Source   RFC 8259
// Tests    tests/unit/common/model/hf_model_test.cpp, tests/fuzz/hf_config_fuzz.cpp
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/base/limits.hpp"
#include "common/base/result.hpp"

namespace adit::model {

class JsonFields {
 public:
  [[nodiscard]] static Result<JsonFields> open(const std::filesystem::path& path,
                                               std::uint64_t bytes_max = limits::kConfigBytesMax);
  [[nodiscard]] static Result<JsonFields> parse(std::string_view text, std::string label);

  // Present and not null.
  [[nodiscard]] bool has(const std::string& key) const;
  // The value, marked as read; nullptr if absent.
  [[nodiscard]] const nlohmann::json* find(const std::string& key);

  [[nodiscard]] Result<int> integer(const std::string& key);
  [[nodiscard]] Result<int> integer_or(const std::string& key, int absent);
  [[nodiscard]] Result<double> number(const std::string& key);
  [[nodiscard]] Result<double> number_or(const std::string& key, double absent);
  [[nodiscard]] Result<bool> boolean_or(const std::string& key, bool absent);
  [[nodiscard]] Result<std::string> text_or(const std::string& key, std::string_view absent);
  // One integer, or a list of them; empty if absent.
  [[nodiscard]] Result<std::vector<std::int64_t>> integers(const std::string& key);
  // Strings of a list, or one string alone; empty if absent.
  [[nodiscard]] Result<std::vector<std::string>> texts(const std::string& key);
  // An object inside this one; its messages name "key.inner".
  [[nodiscard]] Result<JsonFields> object(const std::string& key);

  // Refuses any other value than `expected` (which is also what an absent key means).
  [[nodiscard]] Result<void> must_be(const std::string& key, const nlohmann::json& expected);
  // Keys whose values change nothing that we compute.
  void harmless(std::span<const std::string_view> keys);
  // Refuses a key that was neither read nor harmless, unless its value is null, false or empty.
  [[nodiscard]] Result<void> finish() const;

  [[nodiscard]] const std::string& label() const { return label_; }
  // "<file>: key K: <value>, expected <expected>".
  [[nodiscard]] tl::unexpected<Error> wrong(const std::string& key, std::string_view expected) const;
  [[nodiscard]] tl::unexpected<Error> not_supported(const std::string& key, std::string_view expected) const;

 private:
  JsonFields(nlohmann::json json, std::string label, std::string prefix)
      : json_(std::move(json)), label_(std::move(label)), prefix_(std::move(prefix)) {}
  [[nodiscard]] std::string shown(const std::string& key) const;

  nlohmann::json json_;
  std::string label_;
  std::string prefix_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace adit::model
