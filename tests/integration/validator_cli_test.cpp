// SPDX-License-Identifier: MIT
// adit-validator as a user meets it: what it prints and returns when it cannot do what it was asked.
#include <algorithm>
#include <cstdio>
#include <string>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "common/base/files.hpp"
#include "tests/support/temp_dir.hpp"
#include "validator/store/ledger.hpp"

namespace adit::validator {
namespace {

struct Ran {
  int code = -1;
  std::string output;  // stdout and stderr
};

Ran run(const std::string& arguments) {
  Ran out;
  FILE* pipe = popen((std::string(ADIT_VALIDATOR) + " " + arguments + " 2>&1 </dev/null").c_str(), "r");
  char buffer[4096];
  for (std::size_t got = fread(buffer, 1, sizeof buffer, pipe); got > 0;
       got = fread(buffer, 1, sizeof buffer, pipe)) {
    out.output.append(buffer, got);
  }
  const int status = pclose(pipe);
  out.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return out;
}

// One line that begins with the program's name and holds `text`.
void expect_one_line(const Ran& ran, int code, const std::string& text) {
  EXPECT_EQ(ran.code, code) << ran.output;
  EXPECT_TRUE(ran.output.starts_with("adit-validator: ")) << ran.output;
  EXPECT_EQ(std::count(ran.output.begin(), ran.output.end(), '\n'), 1) << ran.output;
  EXPECT_NE(ran.output.find(text), std::string::npos) << ran.output;
}

std::string write(const test::TempDir& dir, const std::string& name, const std::string& text) {
  EXPECT_TRUE(write_file_atomic(dir.path() / name, as_bytes(text)));
  return (dir.path() / name).string();
}

TEST(ValidatorCli, help_and_version) {
  EXPECT_EQ(run("--help").code, 0);
  EXPECT_NE(run("--help").output.find("localnet"), std::string::npos);
  EXPECT_NE(run("--version").output.find("numerics 1"), std::string::npos);
  EXPECT_NE(run("replay --help").output.find("--ledger"), std::string::npos);
}

TEST(ValidatorCli, usage_errors_are_2) {
  expect_one_line(run("relpay"), 2, "unknown command 'relpay'");
  expect_one_line(run(""), 2, "subcommand");
  expect_one_line(run("explain --config x"), 2, "--uid");
  EXPECT_EQ(run("localnet --rpc nonsense").code, 2);
}

TEST(ValidatorCli, configuration_errors_are_3_and_name_file_and_key) {
  const test::TempDir dir;
  expect_one_line(run("run --config " + (dir.path() / "none.yaml").string()), 3, "none.yaml");
  const std::string typo = write(dir, "typo.yaml", "charter: c\npack: p\nquery: {treads: 3}\n");
  expect_one_line(run("run --config " + typo), 3, "did you mean 'threads'");
  expect_one_line(run("charter check " + typo), 3, "typo.yaml");
  expect_one_line(run("replay"), 3, "--config FILE");
  expect_one_line(run("ledger verify " + (dir.path() / "none").string()), 3, "no such file");
}

TEST(ValidatorCli, keys_models_and_chains_have_codes_of_their_own) {
  const test::TempDir dir;
  const std::string charter = ADIT_SOURCE_DIR "/configs/charters/starter-smollm2-135m.yaml";
  const std::string base = "charter: " + charter + "\nwallet: {dir: " + dir.path().string() + "}\n";
  expect_one_line(run("run --config " + write(dir, "k.yaml", base + "pack: p\n")), 4, "default");
  const std::string broken = write(dir, "broken", "no ledger");
  expect_one_line(run("ledger verify " + broken), 3, "broken");
  expect_one_line(run("replay --ledger " + broken + " --charter " + charter), 3, "broken");
}

TEST(ValidatorCli, an_unreachable_chain_is_5_and_named) {
  const test::TempDir dir;
  const std::string ledger = (dir.path() / "l.sqlite").string();
  ASSERT_TRUE(Ledger::open(ledger));
  const std::string charter = ADIT_SOURCE_DIR "/configs/charters/starter-smollm2-135m.yaml";
  expect_one_line(
      run("replay --ledger " + ledger + " --charter " + charter +
          " --validator 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --chain ws://127.0.0.1:1"),
      5, "127.0.0.1:1");
}

TEST(ValidatorCli, neither_program_loads_libtorch) {
  for (const char* program : {ADIT_VALIDATOR, ADIT_MINER}) {
    FILE* pipe = popen((std::string("ldd ") + program).c_str(), "r");
    std::string libraries;
    char buffer[4096];
    while (fgets(buffer, sizeof buffer, pipe) != nullptr) libraries += buffer;
    pclose(pipe);
    EXPECT_NE(libraries.find("libsodium"), std::string::npos) << libraries;
    EXPECT_EQ(libraries.find("torch"), std::string::npos);
    EXPECT_EQ(libraries.find("libc10"), std::string::npos);
  }
}

}  // namespace
}  // namespace adit::validator
