// SPDX-License-Identifier: MIT
// The command as its user runs it: a child process against a hub on loopback.
#include <array>
#include <cstdio>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "common/base/exit_code.hpp"
#include "tests/support/fake_hub.hpp"
#include "tests/support/temp_dir.hpp"

namespace adit {
namespace {

struct Ran {
  int code = -1;
  std::string output;
};

Ran run(const std::string& arguments) {
  Ran ran;
  std::FILE* pipe = popen((std::string(ADIT_MINER) + " " + arguments + " 2>&1").c_str(), "r");
  std::array<char, 4096> chunk{};
  while (const std::size_t got = std::fread(chunk.data(), 1, chunk.size(), pipe))
    ran.output.append(chunk.data(), got);
  ran.code = WEXITSTATUS(pclose(pipe));
  return ran;
}

class FetchCommand : public testing::Test {
 protected:
  FetchCommand() {
    test::forget_proxies();
    hub.put("a.gguf", {std::string(1000, 'a'), true});
    hub.put("b.gguf", {std::string(2000, 'b'), true});
    hub.put("config.json", {"{}"});
  }
  Ran fetch(const std::string& more) {
    return run(std::string("fetch ") + test::FakeHub::kRepo + " --endpoint " + hub.url() + " -o " +
               (folder.path() / "out").string() + " " + more);
  }

  test::FakeHub hub;
  test::TempDir folder;
};

TEST_F(FetchCommand, fetches_and_reports) {
  const Ran ran = fetch("--include 'a.*' --include config.json");
  EXPECT_EQ(exit_code::kOk, ran.code) << ran.output;
  EXPECT_NE(std::string::npos, ran.output.find("a.gguf: 1000 bytes, sha256 ")) << ran.output;
  EXPECT_NE(std::string::npos, ran.output.find("files     2 fetched, 0 up to date")) << ran.output;
  EXPECT_NE(std::string::npos, ran.output.find("commit    0123456789abcdef")) << ran.output;
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "out" / "b.gguf"));
}

TEST_F(FetchCommand, asks_which_of_two_models) {
  const Ran ran = fetch("");
  EXPECT_EQ(exit_code::kUsage, ran.code) << ran.output;
  EXPECT_NE(std::string::npos, ran.output.find("choose one with --include: a.gguf, b.gguf")) << ran.output;
}

TEST_F(FetchCommand, reads_the_token_from_a_file) {
  hub.require_token("hf_secret");
  EXPECT_EQ(exit_code::kKeys, fetch("--include a.gguf").code);
  std::ofstream(folder.path() / "token") << "hf_secret\n";
  const Ran ran = fetch("--include a.gguf --token-file " + (folder.path() / "token").string());
  EXPECT_EQ(exit_code::kOk, ran.code) << ran.output;
  EXPECT_EQ(std::string::npos, ran.output.find("hf_secret"));
  std::ofstream(folder.path() / "token") << "two words\n";
  EXPECT_EQ(exit_code::kKeys, fetch("--token-file " + (folder.path() / "token").string()).code);
}

TEST_F(FetchCommand, has_an_exit_code_for_each_kind_of_no) {
  EXPECT_EQ(exit_code::kUsage, run("fetch").code);
  EXPECT_EQ(exit_code::kUsage, run("fetch a/b/c").code);
  EXPECT_EQ(exit_code::kUsage, run("fetch a/b --endpoint nonsense").code);
  ASSERT_EQ(exit_code::kOk, fetch("--include a.gguf").code);
  std::ofstream(folder.path() / "out" / "a.gguf") << "changed";
  const Ran changed = fetch("--include a.gguf");
  EXPECT_EQ(exit_code::kFailed, changed.code) << changed.output;
  EXPECT_EQ(exit_code::kOk, fetch("--include a.gguf --force").code);
}

}  // namespace
}  // namespace adit
