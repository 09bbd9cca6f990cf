// SPDX-License-Identifier: MIT
// What the program says and returns when it cannot start: one line on stderr, a code of its own
// for each cause.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <memory>
#include <string>

#include "common/base/exit_code.hpp"
#include "common/base/files.hpp"
#include "common/crypto/keyfile.hpp"
#include "common/crypto/mnemonic.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_llama.hpp"

namespace adit {
namespace {

struct Outcome {
  int exit_code = -1;
  std::string text;
};

Outcome run(const std::string& arguments) {
  const std::string command = std::string(ADIT_MINER) + " " + arguments + " 2>&1 </dev/null";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"),
                                                   [](FILE*) { return 0; });
  Outcome out;
  for (int c = std::fgetc(pipe.get()); c != EOF; c = std::fgetc(pipe.get()))
    out.text += static_cast<char>(c);
  const int status = pclose(pipe.get());
  out.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return out;
}

struct Scene {
  test::TempDir dir;
  std::string pack = "tiny.adit";
  std::string hotkey = "hot";
  std::string extra;

  Scene() {
    OsRng rng;
    EXPECT_TRUE(crypto::store_keyfile(dir.path() / "hot", crypto::Scheme::kSr25519,
                                      crypto::make_mnemonic(rng)));
    const auto made = test::tiny_llama_pack(dir.path(), {}, {.bits = 8}).path();
    std::filesystem::rename(made, dir.path() / pack);
  }
  [[nodiscard]] Outcome serve() const {
    const std::string config = (dir.path() / "miner.yaml").string();
    const std::string text = "pack: " + pack + "\nwallet: {hotkey_file: " + hotkey +
                             "}\nchain: {url: \"ws://127.0.0.1:1\"}\njournal: {path: j}\n"
                             "server: {bind: \"127.0.0.1:0\", advertise: \"0.0.0.0:8091\"}\n" +
                             extra;
    EXPECT_TRUE(write_file_atomic(config, as_bytes(text)));
    return run("serve --config " + config);
  }
};

void expect(const Outcome& outcome, int exit_code, std::string_view wanted) {
  EXPECT_EQ(outcome.exit_code, exit_code) << outcome.text;
  EXPECT_NE(outcome.text.find(wanted), std::string::npos) << outcome.text;
  // The last line is the error, and it is one line.
  const std::size_t at = outcome.text.find("adit-miner: ");
  ASSERT_NE(at, std::string::npos) << outcome.text;
  EXPECT_EQ(outcome.text.find('\n', at), outcome.text.size() - 1) << outcome.text;
}

TEST(MinerFailures, usage) {
  expect(run("serve"), exit_code::kUsage, "--config");
  expect(run("describe"), exit_code::kUsage, "--pack or --config");
}

TEST(MinerFailures, settings) {
  expect(run("serve --config /absent.yaml"), exit_code::kConfig, "/absent.yaml");
  Scene scene;
  scene.extra = "sever: {}\n";
  expect(scene.serve(), exit_code::kConfig, "did you mean 'server'?");
  scene.extra = "engine: {batch: many}\n";
  expect(scene.serve(), exit_code::kConfig, "engine.batch");
}

TEST(MinerFailures, keys) {
  Scene scene;
  scene.hotkey = "absent";
  expect(scene.serve(), exit_code::kKeys, "absent");
  ASSERT_TRUE(write_file_atomic(scene.dir.path() / "absent", as_bytes("{not json")));
  expect(scene.serve(), exit_code::kKeys, "absent");
}

TEST(MinerFailures, packs) {
  Scene scene;
  scene.pack = "absent.adit";
  expect(scene.serve(), exit_code::kModel, "absent.adit");
  // A pack whose weights were changed does not serve.
  Bytes bytes = *read_file(scene.dir.path() / "tiny.adit", 1 << 24);
  bytes[bytes.size() - 100] ^= 1;
  ASSERT_TRUE(write_file_atomic(scene.dir.path() / "absent.adit", bytes));
  expect(scene.serve(), exit_code::kModel, "absent.adit");
  // Nor one that is over the bound it declares.
  scene.pack = test::tiny_llama_pack(scene.dir.path(), {}, {.bits = 8, .declares = true}).path().filename();
  model::Declaration declaration{.mean_kl = 0.004,
                                 .bound = 0.002,
                                 .against = "f32 of m.gguf",
                                 .text_bytes = 9,
                                 .positions = 9,
                                 .window = 9};
  ASSERT_TRUE(model::declare(scene.dir.path() / scene.pack, declaration));
  expect(scene.serve(), exit_code::kModel, "a mean KL of 0.004, over its own bound of 0.002");
  declaration.bound = 0.004;
  ASSERT_TRUE(model::declare(scene.dir.path() / scene.pack, declaration));
  expect(scene.serve(), exit_code::kChain, "127.0.0.1:1");
}

TEST(MinerFailures, chain) {
  expect(Scene().serve(), exit_code::kChain, "127.0.0.1:1");
}

TEST(MinerFailures, nobody_there_to_describe) {
  Scene scene;
  ASSERT_EQ(scene.serve().exit_code, exit_code::kChain);
  const std::string config = (scene.dir.path() / "miner.yaml").string();
  expect(run("describe --running --config " + config), exit_code::kUnavailable, "127.0.0.1");
  const Outcome described = run("describe --config " + config);
  EXPECT_EQ(described.exit_code, exit_code::kOk);
  EXPECT_NE(described.text.find("card "), std::string::npos);
}

}  // namespace
}  // namespace adit
