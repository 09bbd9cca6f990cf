// SPDX-License-Identifier: MIT
#include "miner/config/serve_config.hpp"

#include <gtest/gtest.h>

#include "common/base/files.hpp"

namespace adit::miner {
namespace {

constexpr std::string_view kSmallest = R"(pack: a.adit
wallet: {hotkey_file: hot.json}
server: {bind: "127.0.0.1:8091", advertise: "0.0.0.0:8091"}
journal: {path: j}
)";

Result<ServeConfig> read(std::string text) {
  auto root = config::YamlReader::from_text(text, "/etc/adit/miner.yaml");
  if (!root) return tl::unexpected<Error>(root.error());
  return read_serve_config(*root);
}

std::string with(std::string_view from, std::string_view to) {
  std::string out(kSmallest);
  return out.replace(out.find(from), from.size(), to);
}

TEST(ServeConfig, the_smallest_file_takes_defaults_and_resolves_paths) {
  const auto config = read(std::string(kSmallest));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->pack, "/etc/adit/a.adit");
  EXPECT_EQ(config->keys.hotkey_file, "/etc/adit/hot.json");
  EXPECT_EQ(config->bind.text(), "127.0.0.1:8091");
  EXPECT_EQ(config->batch_max, 8);
  EXPECT_FALSE(config->http_listen);
}

TEST(ServeConfig, adapters_have_names_of_their_own) {
  const auto config = read(std::string(kSmallest) + "http:\n  adapters: {tone: a/tone, other: /b}\n");
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->http_adapters.size(), 2U);
  EXPECT_EQ(config->http_adapters[0].first, "tone");
  EXPECT_EQ(config->http_adapters[0].second, "/etc/adit/a/tone");
  EXPECT_EQ(config->http_adapters[1].second, "/b");
  EXPECT_TRUE(config->http_listen);
}

TEST(ServeConfig, refuses_with_line_and_key) {
  const auto refused = [](std::string text, std::string_view wanted) {
    const auto config = read(std::move(text));
    ASSERT_FALSE(config) << wanted;
    EXPECT_NE(config.error().message.find(wanted), std::string::npos) << config.error().message;
  };
  refused(with("bind: \"127.0.0.1:8091\"", "bnd: \"127.0.0.1:8091\""), "bind");
  refused(with("127.0.0.1:8091", "localhost:8091"), "server.bind");
  refused(with("0.0.0.0:8091", "0.0.0.0:0"), "cannot be announced");
  refused(with("{hotkey_file: hot.json}", "{}"), "hotkey_file");
  refused(with("{hotkey_file: hot.json}", "{hotkey_file: a, dir: b}"), "either");
  refused(with("journal: {path: j}", "chain: {register: true}"), "coldkey_file");
  refused(with("journal: {path: j}", "engine: {batch: 0}"), "engine.batch");
  refused(with("journal: {path: j}", "engine: {isa: sse2}"), "engine.isa");
  refused(with("journal: {path: j}", "engine: {pin: 1-}"), "engine.pin: expected none, cores or a list");
  refused(with("journal: {path: j}", "http: {listen: \"0.0.0.0:8000\"}"), "api_key_file");
  refused(std::string(kSmallest) + "http:\n  adapters:\n    tone: []\n",
          "line 7: http.adapters.tone: expected a file path");
  refused(std::string(kSmallest) + "http: {adapters: {" + std::string(200, 'n') + ": a}}\n", "1 to 128 bytes");
  refused(std::string(kSmallest) + "http: {adapters: [a]}\n", "line 5: http.adapters: expected a mapping");
  refused(with("journal: {path: j}", ""), "journal.path");
  refused(with("pack: a.adit", ""), "pack");
}

TEST(ServeConfig, the_example_file_is_read_and_mentions_every_key) {
  const std::string path = std::string(ADIT_SOURCE_DIR) + "/configs/miner.example.yaml";
  auto root = config::YamlReader::from_file(path);
  ASSERT_TRUE(root);
  const auto config = read_serve_config(*root);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->netuid, 1);
  ASSERT_TRUE(config->http_listen);
  EXPECT_EQ(config->http_listen->text(), "127.0.0.1:8000");
  const auto bytes = read_file(path, 1 << 20);
  for (const config::FieldDoc& field : root->fields()) {
    const std::string key = field.path.substr(field.path.rfind('.') + 1);
    EXPECT_NE(as_text(*bytes).find(key + ":"), std::string_view::npos) << field.path;
    EXPECT_FALSE(field.sentence.empty()) << field.path;
  }
}

}  // namespace
}  // namespace adit::miner
