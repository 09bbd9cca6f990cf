// SPDX-License-Identifier: MIT
// The program as a child process: what it prints, where, and how it ends.
#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include "tests/support/adapter_folder.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_adapter.hpp"
#include "tests/support/tiny_llama.hpp"

namespace adit::miner {
namespace {

struct Ended {
  int code = -1;
  std::string out;
  std::string err;
};

class Cli : public testing::Test {
 protected:
  Ended run(const std::string& arguments) {
    const std::string err_path = (folder_.path() / "stderr").string();
    const std::string command = std::string(ADIT_MINER) + " " + arguments + " 2>" + err_path;
    Ended ended;
    FILE* const pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return ended;
    std::array<char, 4096> buffer{};
    while (const std::size_t n = fread(buffer.data(), 1, buffer.size(), pipe)) {
      ended.out.append(buffer.data(), n);
    }
    const int status = pclose(pipe);
    ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    std::ifstream err(err_path);
    ended.err.assign(std::istreambuf_iterator<char>(err), {});
    return ended;
  }
  void expect_refused(const std::string& arguments, int code, const std::string& part) {
    const Ended ended = run(arguments);
    EXPECT_EQ(code, ended.code) << arguments;
    EXPECT_EQ("", ended.out) << arguments;
    EXPECT_EQ(0U, ended.err.find("adit-miner: ")) << ended.err;
    EXPECT_NE(std::string::npos, ended.err.find(part)) << ended.err;
    EXPECT_EQ(1, std::count(ended.err.begin(), ended.err.end(), '\n')) << ended.err;
  }
  std::string tiny_pack() {
    const model::Pack pack = test::tiny_llama_pack(folder_.path(), {}, {.bits = 8});
    return pack.path().string();
  }
  test::TempDir folder_;
};

TEST_F(Cli, help_and_version_end_well) {
  const Ended help = run("--help");
  EXPECT_EQ(0, help.code);
  EXPECT_NE(std::string::npos, help.out.find("generate"));
  EXPECT_EQ(0, run("generate --help").code);
  const Ended version = run("--version");
  EXPECT_EQ(0, version.code);
  EXPECT_EQ(0U, version.out.find("adit-miner "));
}

TEST_F(Cli, refuses_wrong_usage_in_one_line) {
  expect_refused("", 2, "subcommand");
  expect_refused("frobnicate", 2, "unknown command 'frobnicate'");
  expect_refused("generate", 2, "--pack");
  expect_refused("generate --pack p --prompt x --isa sse9", 2, "--isa");
  expect_refused("generate --pack p --prompt x --threads 0", 2, "--threads");
  expect_refused("generate --pack p --prompt x --temperature cold", 2, "--temperature");
  expect_refused("generate --pack p --prompt x --max-tokens -3", 2, "--max-tokens");
  expect_refused("generate --pack p --prompt x --bogus", 2, "--bogus");
  expect_refused("bench --pack p --threads 1,x", 2, "--threads");
  expect_refused("generate --pack p --prompt x --pin all", 2, "--pin: expected none, cores or a list");
  expect_refused("generate --pack p --prompt x --threads 2 --pin 0", 2, "--pin: 2 threads, but the list has 1");
  expect_refused("bench --pack p --threads 1 --pin 8191", 2, "--pin: processor 8191");
  expect_refused("serve-http --pack p --pin 3-1", 2, "--pin");
}

TEST_F(Cli, refuses_to_run_a_pack_that_is_over_its_own_bound) {
  const model::Pack pack =
      test::tiny_llama_pack(folder_.path(), {}, {.bits = 8, .declares = true});
  const std::string path = pack.path().string();
  model::Declaration declaration{.mean_kl = 0.001,
                                 .bound = 0.002,
                                 .against = "f32 of m.gguf",
                                 .text_bytes = 9,
                                 .positions = 9,
                                 .window = 9};
  ASSERT_TRUE(model::declare(path, declaration));
  EXPECT_EQ(0, run("generate --pack " + path + " --prompt x --max-tokens 1 --threads 1").code);
  const Ended kept = run("describe --json --pack " + path);
  EXPECT_EQ(0, kept.code) << kept.err;
  EXPECT_EQ(true, nlohmann::json::parse(kept.out)["keeps_bound"]);
  EXPECT_EQ(0.001, nlohmann::json::parse(kept.out)["declaration"]["mean_kl"]);
  declaration.mean_kl = 0.004;
  ASSERT_TRUE(model::declare(path, declaration));
  const std::string over = "declares a mean KL of 0.004, over its own bound of 0.002";
  expect_refused("generate --pack " + path + " --prompt x --max-tokens 1", 6, over);
  expect_refused("serve-http --listen 127.0.0.1:0 --pack " + path, 6, over);
  const Ended told = run("describe --json --pack " + path);
  EXPECT_EQ(0, told.code) << told.err;
  EXPECT_EQ(false, nlohmann::json::parse(told.out)["keeps_bound"]);
}

TEST_F(Cli, refuses_packs_that_are_none) {
  const std::string missing = (folder_.path() / "none.adit").string();
  expect_refused("generate --prompt x --pack " + missing, 6, missing);
  const std::string junk = (folder_.path() / "junk.adit").string();
  std::ofstream(junk) << "this is not a pack";
  expect_refused("generate --prompt x --pack " + junk, 6, junk);
}

TEST_F(Cli, prints_the_same_json_for_every_way_of_running) {
  const std::string base =
      "generate --json --prompt 'tell me' --seed 5 --temperature 0.9 --top-p 0.95 "
      "--max-tokens 12 --pack " +
      tiny_pack();
  const Ended first = run(base + " --threads 1 --isa scalar");
  ASSERT_EQ(0, first.code) << first.err;
  const nlohmann::json want = nlohmann::json::parse(first.out);
  EXPECT_LE(want.at("ids").size(), 12U);
  EXPECT_EQ(64U, want.at("trace_root").get<std::string>().size());
  EXPECT_EQ(want.at("prompt_tokens").get<std::size_t>(), want.at("prompt_ids").size());
  for (const char* how :
       {" --threads 2 --prefill-chunk 1", " --threads 2 --prefill-chunk 7", " --threads 1",
                          " --pin cores"}) {
    const nlohmann::json got = nlohmann::json::parse(run(base + how).out);
    for (const char* key : {"ids", "text", "trace_root", "finish_reason", "prompt_ids", "pack",
                            "card", "request_seed"}) {
      EXPECT_EQ(want.at(key), got.at(key)) << key << how;
    }
  }
}

TEST_F(Cli, generates_with_an_adapter) {
  const model::Pack pack = test::tiny_llama_pack(folder_.path(), {}, {.bits = 8});
  const std::string lora = test::write_adapter(folder_.path() / "lora", test::random_lora(pack.config(), 1)).string();
  const std::string base = "generate --json --prompt 'tell me' --max-tokens 12 --pack " + pack.path().string();
  const nlohmann::json plain = nlohmann::json::parse(run(base).out);
  EXPECT_TRUE(plain.at("adapter").is_null());
  const Ended first = run(base + " --threads 1 --isa scalar --adapter " + lora);
  ASSERT_EQ(0, first.code) << first.err;
  const nlohmann::json want = nlohmann::json::parse(first.out);
  EXPECT_EQ(64U, want.at("adapter").get<std::string>().size());
  const nlohmann::json got = nlohmann::json::parse(run(base + " --threads 2 --prefill-chunk 3 --adapter " + lora).out);
  for (const char* key : {"ids", "text", "trace_root", "adapter", "card", "request_seed"}) {
    EXPECT_EQ(want.at(key), got.at(key)) << key;
    EXPECT_NE(want.at(key), plain.at(key)) << key;
  }
  const std::string none = (folder_.path() / "none").string();
  expect_refused(base + " --adapter " + none, 6, "--adapter: ");
  const std::string serve = "serve-http --listen 127.0.0.1:0 --pack " + pack.path().string() + " --adapter ";
  expect_refused(serve + "noname", 2, "--adapter: expected NAME=PATH, got 'noname'");
  expect_refused(serve + "a=" + none, 6, "adapter a: ");
  expect_refused(serve + "a=" + lora + " --adapter a=" + lora, 6, "adapter a: this name is taken");
}

TEST_F(Cli, prints_text_on_stdout_and_figures_on_stderr) {
  const Ended ended = run("generate --raw --prompt abc --max-tokens 3 --pack " + tiny_pack());
  EXPECT_EQ(0, ended.code);
  EXPECT_EQ('\n', ended.out.back());
  EXPECT_NE(std::string::npos, ended.err.find("3 tokens"));
  EXPECT_NE(std::string::npos, ended.err.find("trace "));
}

TEST_F(Cli, bench_prints_a_table_or_json) {
  const std::string base = "bench -t 1,2 -p 20,30 -n 4 -b 1,3 -r 2 --pack " + tiny_pack();
  const Ended table = run(base);
  EXPECT_EQ(0, table.code) << table.err;
  for (const char* text : {"| model ", " pp20 |", " pp30 |", " tg4 |", " tg4 x3 |", " ± "}) {
    EXPECT_NE(std::string::npos, table.out.find(text)) << text << table.out;
  }
  const nlohmann::json json = nlohmann::json::parse(run(base + " --json").out);
  const nlohmann::json& rows = json.at("packs").at(0).at("rows");
  ASSERT_EQ(8U, rows.size());
  EXPECT_EQ("pp20", rows.at(0).at("test"));
  EXPECT_EQ("tg4 x3", rows.at(3).at("test"));
  EXPECT_EQ(2, rows.at(7).at("threads"));
  for (const nlohmann::json& row : rows) {
    EXPECT_EQ(2U, row.at("tokens_per_second").at("samples").size());
    EXPECT_GT(row.at("tokens_per_second").at("mean"), 0);
  }
}

TEST_F(Cli, bench_measures_a_cold_start) {
  const std::string base = "bench --cold --no-warmup -t 1 -p 4 -n 2 -r 2 --pack " + tiny_pack();
  const Ended table = run(base);
  EXPECT_EQ(0, table.code) << table.err;
  EXPECT_NE(std::string::npos, table.out.find("first, disk |")) << table.out;
  const nlohmann::json json = nlohmann::json::parse(run(base + " --json").out);
  const nlohmann::json& cold = json.at("packs").at(0).at("cold");
  ASSERT_EQ(2U, cold.size());
  EXPECT_FALSE(cold.at(0).at("evicted"));
  for (const nlohmann::json& row : cold) {
    EXPECT_EQ(2U, row.at("seconds").at("samples").size());
    EXPECT_GT(row.at("seconds").at("mean"), 0);
  }
}

TEST_F(Cli, bench_refuses_more_than_the_context) {
  const Ended ended = run("bench -p 2000 --pack " + tiny_pack());
  EXPECT_EQ(6, ended.code);
  EXPECT_NE(std::string::npos, ended.err.find("over the model's context of 1024")) << ended.err;
}

}  // namespace
}  // namespace adit::miner
