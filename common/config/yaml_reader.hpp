// SPDX-License-Identifier: MIT
// common/config/yaml_reader.hpp
//
// Typed, bounded reads of a YAML file; the calls that read are also the table of its keys.
//
//   ADIT_TRY(YamlReader root, YamlReader::from_file(path));
//   YamlReader server = root.section("server", "Where the miner listens.");
//   server.integer("port", config.port, 1, 65535, "TCP port of the gRPC server.");
//   ADIT_TRY_VOID(root.finish());
//
// In       a key that is absent leaves the variable alone: its old value is the default. One sentence a
//          key.
// Out      fields(): every key that was asked for, with type, bounds, default, value and sentence (for
//          tables).
// Errors   the first error sticks; finish() returns it as kInvalidArgument "file: line N: server.port:
//          expected an integer in 1..65535, got 'x'", and after that the first key nobody asked for
//          ("unknown key, did you mean 'port'?"), and after that the first missing required key.
// Threads  one; a reader is a cheap handle on one shared document.
// Tests    tests/unit/common/config/yaml_reader_test.cpp, tests/fuzz/yaml_fuzz.cpp
#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/config/units.hpp"

namespace adit::config {

struct YamlNode;

struct FieldDoc {
  std::string path;           // "server.port", "tasks[0].family"
  std::string type;           // "an integer in 1..65535"
  std::string default_value;  // as text
  std::string value;          // as text, after reading
  std::string sentence;
};

// The candidate with the smallest edit distance to `name`, if it is near enough to be a typing error.
[[nodiscard]] std::optional<std::string> nearest_name(std::string_view name,
                                                      std::span<const std::string> candidates);

class YamlReader {
 public:
  // `file` is only a name for messages and the base of relative paths.
  [[nodiscard]] static Result<YamlReader> from_text(std::string_view text, std::filesystem::path file);
  [[nodiscard]] static Result<YamlReader> from_file(const std::filesystem::path& file);

  // Whether the key stands in the file (also marks nothing as read).
  [[nodiscard]] bool has(std::string_view key) const;

  template <std::integral T>
    requires(!std::same_as<T, bool>)
  void integer(std::string_view key, T& value, std::int64_t min, std::int64_t max,
               std::string_view sentence = {}) {
    auto wide = static_cast<std::int64_t>(value);
    read_integer(key, wide, Bounds{min, max}, sentence);
    value = static_cast<T>(wide);
  }
  void boolean(std::string_view key, bool& value, std::string_view sentence = {});
  void text(std::string_view key, std::string& value, std::size_t chars_max, std::string_view sentence = {});
  // A file path: "~/" is the home folder, a relative one starts at the folder of the YAML file.
  void path(std::string_view key, std::filesystem::path& value, std::string_view sentence = {});
  // One of `names`; value is the index of the name.
  template <class T>
    requires(std::is_enum_v<T>)
  void choice(std::string_view key, T& value, std::span<const std::string_view> names,
              std::string_view sentence = {}) {
    auto index = static_cast<std::size_t>(value);
    read_choice(key, index, names, sentence);
    value = static_cast<T>(index);
  }
  // A decimal number, exact: value is scaled by 10^digits ("0.25" with 3 digits is 250).
  template <std::integral T>
  void decimal(std::string_view key, T& value, int digits, std::int64_t min, std::int64_t max,
               std::string_view sentence = {}) {
    auto wide = static_cast<std::int64_t>(value);
    read_decimal(key, wide, digits, Bounds{min, max}, sentence);
    value = static_cast<T>(wide);
  }
  void duration_ns(std::string_view key, std::uint64_t& value, std::uint64_t min, std::uint64_t max,
                   std::string_view sentence = {});
  void size_bytes(std::string_view key, std::uint64_t& value, std::uint64_t min, std::uint64_t max,
                  std::string_view sentence = {});
  void count(std::string_view key, std::uint64_t& value, std::uint64_t min, std::uint64_t max,
             std::string_view sentence = {});
  void endpoint(std::string_view key, Endpoint& value, std::string_view sentence = {});
  // 64 hex digits, "0x" optional.
  void hash(std::string_view key, Hash256& value, std::string_view sentence = {});
  void integers(std::string_view key, std::vector<std::int64_t>& value, std::size_t items_max,
                std::int64_t min, std::int64_t max, std::string_view sentence = {});
  void texts(std::string_view key, std::vector<std::string>& value, std::size_t items_max,
             std::size_t chars_max, std::string_view sentence = {});
  void hashes(std::string_view key, std::vector<Hash256>& value, std::size_t items_max,
              std::string_view sentence = {});
  // Any other scalar: `parse` turns the text into a value or says what it expected.
  void parsed(std::string_view key, std::string_view type, std::string_view default_value,
              const std::function<Result<void>(std::string_view)>& parse, std::string_view sentence = {});

  // The mapping below `key`; an empty one if absent.
  [[nodiscard]] YamlReader section(std::string_view key, std::string_view sentence = {});
  // The keys of this mapping, as they stand in the file: of one whose keys are names that the file chooses.
  [[nodiscard]] std::vector<std::string> keys() const;
  // The mappings in the sequence below `key`; none if absent.
  [[nodiscard]] std::vector<YamlReader> sections(std::string_view key, std::size_t items_max,
                                                 std::string_view sentence = {});

  // These keys must stand in the file (if this section does).
  void require(std::initializer_list<std::string_view> keys);
  // Reports a broken relation between values, at the line of `key`.
  void fail(std::string_view key, std::string_view message);
  // The first error, unknown key or missing key of the whole document.
  [[nodiscard]] Result<void> finish() const;
  [[nodiscard]] const std::vector<FieldDoc>& fields() const;

 private:
  struct Bounds {
    std::int64_t min;
    std::int64_t max;
  };
  struct State;
  struct UnsignedKind;
  YamlReader(std::shared_ptr<State> state, std::size_t index) : state_(std::move(state)), index_(index) {}

  void read_integer(std::string_view key, std::int64_t& value, Bounds bounds, std::string_view sentence);
  void read_decimal(std::string_view key, std::int64_t& value, int digits, Bounds bounds,
                    std::string_view sentence);
  void read_choice(std::string_view key, std::size_t& index, std::span<const std::string_view> names,
                   std::string_view sentence);
  // parse changes the variable or says what was wrong; print gives the variable's text.
  void read_scalar(std::string_view key, std::string type, std::string_view sentence,
                   const std::function<Result<void>(const std::string&)>& parse,
                   const std::function<std::string()>& print);
  void read_unsigned(std::string_view key, std::uint64_t& value, const UnsignedKind& kind, std::uint64_t min,
                     std::uint64_t max, std::string_view sentence);
  void read_list(std::string_view key, std::size_t items_max, std::string_view item,
                 std::string_view sentence, const std::function<void()>& clear,
                 const std::function<Result<void>(const std::string&)>& add,
                 const std::function<std::string()>& print);
  [[nodiscard]] const YamlNode* ask(std::string_view key);
  [[nodiscard]] std::string path_of(std::string_view key) const;
  void error_at(int line, std::string_view key, std::string_view message);
  void note(FieldDoc doc);

  std::shared_ptr<State> state_;
  std::size_t index_;
};

}  // namespace adit::config
