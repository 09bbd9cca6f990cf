// SPDX-License-Identifier: MIT
#include "common/config/yaml_reader.hpp"

#include <array>
#include <cstdlib>

#include <gtest/gtest.h>

#include "common/base/files.hpp"
#include "tests/support/temp_dir.hpp"

namespace adit::config {
namespace {

enum class Mode : std::uint8_t { kFast, kSafe };
constexpr std::array<std::string_view, 2> kModes{"fast", "safe"};

struct Example {
  int port = 80;
  bool tls = false;
  std::string host = "localhost";
  Mode mode = Mode::kSafe;
  std::int32_t temperature_milli = 600;
  std::uint64_t deadline_ns = 1'000'000'000;
  std::uint64_t memory_bytes = 1u << 20;
  std::uint64_t tokens = 5;
  Endpoint chain{"127.0.0.1", 9944};
  Hash256 pack{};
  std::vector<std::int64_t> levels{1};
  std::vector<std::string> names;
  std::vector<int> weights;
};

Result<Example> read_example(std::string_view yaml, std::vector<FieldDoc>* fields = nullptr) {
  Example e;
  ADIT_TRY(YamlReader root, YamlReader::from_text(yaml, "example.yaml"));
  YamlReader server = root.section("server", "Where it listens.");
  server.integer("port", e.port, 1, 65535, "TCP port.");
  server.boolean("tls", e.tls);
  server.text("host", e.host, 16);
  server.choice("mode", e.mode, kModes);
  root.decimal("temperature", e.temperature_milli, 3, 0, 2000);
  root.duration_ns("deadline", e.deadline_ns, 1'000'000, 60'000'000'000);
  root.size_bytes("memory", e.memory_bytes, 0, 1u << 30);
  root.count("tokens", e.tokens, 0, 1'000'000);
  root.endpoint("chain", e.chain);
  root.hash("pack", e.pack);
  root.integers("levels", e.levels, 3, 1, 9);
  root.texts("names", e.names, 2, 4);
  for (YamlReader& task : root.sections("tasks", 2, "What is asked.")) {
    int weight = 1;
    task.integer("weight", weight, 0, 10);
    task.require({"weight"});
    e.weights.push_back(weight);
  }
  if (fields != nullptr) *fields = root.fields();
  ADIT_TRY_VOID(root.finish());
  return e;
}

std::string error_of(std::string_view yaml) {
  const auto read = read_example(yaml);
  return read ? "none" : read.error().message;
}

TEST(YamlReader, reads_every_type) {
  const auto e = read_example(
      "server: {port: 8091, tls: true, host: \"0x1\", mode: fast}\n"
      "temperature: 0.25\ndeadline: 30s\nmemory: 2MiB\ntokens: 200k\nchain: \"[::1]:1\"\n"
      "pack: 0x0101010101010101010101010101010101010101010101010101010101010101\n"
      "levels: [2, 5]\nnames: [a, bc]\ntasks:\n  - weight: 3\n  - {weight: 4}\n");
  ASSERT_TRUE(e.has_value()) << e.error().message;
  EXPECT_EQ(e->port, 8091);
  EXPECT_TRUE(e->tls);
  EXPECT_EQ(e->host, "0x1");
  EXPECT_EQ(e->mode, Mode::kFast);
  EXPECT_EQ(e->temperature_milli, 250);
  EXPECT_EQ(e->deadline_ns, 30'000'000'000u);
  EXPECT_EQ(e->memory_bytes, 2u << 20);
  EXPECT_EQ(e->tokens, 200'000u);
  EXPECT_EQ(e->chain, (Endpoint{"::1", 1}));
  EXPECT_EQ(e->pack[31], 1);
  EXPECT_EQ(e->levels, (std::vector<std::int64_t>{2, 5}));
  EXPECT_EQ(e->names, (std::vector<std::string>{"a", "bc"}));
  EXPECT_EQ(e->weights, (std::vector<int>{3, 4}));
}

TEST(YamlReader, absent_keys_keep_their_defaults) {
  for (const char* empty : {"", "# nothing\n", "server:\n", "server: {}\n---\n"}) {
    const auto e = read_example(empty);
    if (std::string_view(empty).ends_with("---\n")) continue;
    ASSERT_TRUE(e.has_value()) << e.error().message;
    EXPECT_EQ(e->port, 80);
    EXPECT_EQ(e->levels, (std::vector<std::int64_t>{1}));
  }
}

TEST(YamlReader, errors_name_file_line_path_and_expectation) {
  EXPECT_EQ(error_of("server:\n  port: x\n"),
            "example.yaml: line 2: server.port: expected an integer in 1..65535, got 'x'");
  EXPECT_EQ(error_of("server:\n  port: 70000\n"),
            "example.yaml: line 2: server.port: expected an integer in 1..65535, got '70000'");
  EXPECT_EQ(error_of("server:\n  port:\n"),
            "example.yaml: line 2: server.port: expected an integer in 1..65535, got nothing");
  EXPECT_EQ(error_of("server: [1]\n"),
            "example.yaml: line 1: server: expected a mapping (key: value), got a list");
  EXPECT_EQ(error_of("server: {tls: yes}\n"),
            "example.yaml: line 1: server.tls: expected true or false, got 'yes'");
  EXPECT_EQ(error_of("server: {mode: slow}\n"),
            "example.yaml: line 1: server.mode: expected fast or safe, got 'slow'");
  EXPECT_EQ(error_of("\ndeadline: 2m\n"),
            "example.yaml: line 2: deadline: expected a duration (30s, 250ms) in 1ms..1m, got '2m'");
  EXPECT_EQ(error_of("levels: [1, 2, 12]\n"),
            "example.yaml: line 1: levels[2]: expected an integer in 1..9, got '12'");
  EXPECT_EQ(error_of("levels: [1, 2, 3, 4]\n"),
            "example.yaml: line 1: levels: expected a list of at most 3 items, each an integer in 1..9, got "
            "4 items");
  EXPECT_EQ(error_of("tasks:\n  - weight: 1\n  - weight: -1\n"),
            "example.yaml: line 3: tasks[1].weight: expected an integer in 0..10, got '-1'");
  EXPECT_EQ(error_of("tasks:\n  - {}\n"), "example.yaml: line 2: tasks[0].weight: required, but not there");
  EXPECT_EQ(
      error_of("temperature: 0.0001\n"),
      "example.yaml: line 1: temperature: expected a number in 0..2 with at most 3 digits after the point, "
      "got '0.0001'");
}

TEST(YamlReader, unknown_keys_are_refused_with_the_nearest_name) {
  EXPECT_EQ(error_of("server:\n  tls: true\n  prot: 8091\n"),
            "example.yaml: line 3: server.prot: unknown key, did you mean 'port'?");
  EXPECT_EQ(error_of("tasks:\n  - wieght: 2\n"),
            "example.yaml: line 2: tasks[0].wieght: unknown key, did you mean 'weight'?");
  EXPECT_EQ(error_of("zzzzzzzz: 1\n"), "example.yaml: line 1: zzzzzzzz: unknown key");
}

TEST(YamlReader, refuses_what_yaml_allows_but_a_config_never_needs) {
  EXPECT_EQ(error_of("tokens: 1\ntokens: 2\n"),
            "example.yaml: line 2: the key 'tokens' stands twice in one mapping");
  EXPECT_EQ(error_of("names: [&a x, *a]\n"), "example.yaml: line 1: anchors (&name) are not accepted");
  EXPECT_EQ(error_of("tokens: !!int 5\n"),
            "example.yaml: line 1: the tag 'tag:yaml.org,2002:int' is not accepted");
  EXPECT_EQ(error_of("tokens: 5\n---\ntokens: 6\n"),
            "example.yaml: line 3: a second document is not accepted");
  EXPECT_EQ(error_of("- 1\n"), "example.yaml: line 1: expected a mapping (key: value) at the top");
  EXPECT_EQ(error_of("? [1]\n: 2\n"), "example.yaml: line 1: expected a plain text key");
  EXPECT_EQ(error_of(std::string_view("a: \0", 4)),
            "example.yaml: line 1: the control byte 0x00 is not accepted");
  EXPECT_EQ(error_of("tokens: [1\n"), "example.yaml: line 2: end of sequence flow not found");
  EXPECT_NE(error_of(std::string(100'000, '[')).find("too many open brackets"), std::string::npos);
  EXPECT_NE(
      error_of("a: " + std::string(100, '[') + std::string(100, ']')).find("nested deeper than 24 levels"),
      std::string::npos);
}

TEST(YamlReader, fields_tell_the_table_of_keys) {
  std::vector<FieldDoc> fields;
  ASSERT_TRUE(read_example("server: {port: 8091}\n", &fields).has_value());
  ASSERT_GE(fields.size(), 2u);
  EXPECT_EQ(fields[1].path, "server.port");
  EXPECT_EQ(fields[1].type, "an integer in 1..65535");
  EXPECT_EQ(fields[1].default_value, "80");
  EXPECT_EQ(fields[1].value, "8091");
  EXPECT_EQ(fields[1].sentence, "TCP port.");
}

TEST(YamlReader, keys_that_the_file_chooses) {
  auto root = YamlReader::from_text("names: {b: 1, a: 2}\n", "example.yaml").value();
  YamlReader names = root.section("names");
  EXPECT_EQ(names.keys(), (std::vector<std::string>{"b", "a"}));
  EXPECT_TRUE(root.section("others").keys().empty());
  EXPECT_FALSE(root.finish());
  int sum = 0;
  for (const std::string& key : names.keys()) {
    int value = 0;
    names.integer(key, value, 0, 9);
    sum += value;
  }
  EXPECT_EQ(sum, 3);
  EXPECT_TRUE(root.finish());
}

TEST(YamlReader, files_and_paths) {
  const test::TempDir dir;
  const auto file = dir.path() / "a.yaml";
  ASSERT_TRUE(write_file_atomic(file, as_bytes("key: keys/hot\nhome: ~/x\nabs: /etc/x\n")).has_value());
  auto root = YamlReader::from_file(file);
  ASSERT_TRUE(root.has_value()) << root.error().message;
  std::filesystem::path key;
  std::filesystem::path home;
  std::filesystem::path abs;
  root->path("key", key);
  root->path("home", home);
  root->path("abs", abs);
  ASSERT_TRUE(root->finish().has_value());
  EXPECT_EQ(key, dir.path() / "keys/hot");
  EXPECT_EQ(home, std::filesystem::path(std::getenv("HOME")) / "x");
  EXPECT_EQ(abs, "/etc/x");
  EXPECT_FALSE(YamlReader::from_file(dir.path() / "none.yaml").has_value());
}

}  // namespace
}  // namespace adit::config
