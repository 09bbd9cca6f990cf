// SPDX-License-Identifier: MIT
// The command as its user runs it, on a GGUF file, a pack and folders.
#include <array>
#include <cstdio>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include "common/base/exit_code.hpp"
#include "tests/support/plan_models.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_llama.hpp"

namespace adit {
namespace {

struct Ran {
  int code = -1;
  std::string output;
};

Ran plan(const std::string& arguments) {
  Ran ran;
  std::FILE* pipe =
      popen((std::string(ADIT_MINER) + " plan --probe 0.01 " + arguments + " 2>&1").c_str(), "r");
  std::array<char, 4096> chunk{};
  while (const std::size_t got = std::fread(chunk.data(), 1, chunk.size(), pipe)) {
    ran.output.append(chunk.data(), got);
  }
  ran.code = WEXITSTATUS(pclose(pipe));
  return ran;
}

nlohmann::json plan_json(const std::string& arguments) {
  const Ran ran = plan("--json " + arguments);
  EXPECT_EQ(exit_code::kOk, ran.code) << ran.output;
  return nlohmann::json::parse(ran.output, nullptr, false);
}

TEST(PlanCommand, plans_from_a_config_json_alone) {
  struct Case {
    const char* config;
    std::uint64_t weights, eight, four, kv_1k;
    int rtx3060;
  };
  // Figures as in plan_test.cpp.
  for (const Case& one :
       {Case{test::kLlama8bJson, 8'029'995'008, 8'539'466'240, 5'486'012'928, 131'072'000, 8},
        Case{test::kQwen15bJson, 1'776'943'104, 1'892'378'112, 1'319'167'488, 28'672'000, 8},
        Case{test::kDeepseekV2LiteJson, 15'706'357'760, 16'734'331'392, 10'047'791'616, 31'104'000, 4}}) {
    const test::TempDir folder;
    std::ofstream(folder.path() / "config.json") << one.config;
    const nlohmann::json json = plan_json(folder.path().string());
    ASSERT_TRUE(json.is_object());
    EXPECT_EQ(one.weights, json["weights"]);
    EXPECT_EQ(one.eight, json["packs"][0]["bytes"]);
    EXPECT_EQ(one.four, json["packs"][1]["bytes"]);
    EXPECT_EQ(one.kv_1k, json["kv_bytes_per_1k_tokens"]);
    ASSERT_EQ(14U, json["devices"].size());
    EXPECT_EQ("RTX 3060 12G", json["devices"][1]["name"]);
    EXPECT_EQ(one.rtx3060, json["devices"][1]["recommended_bits"]);
  }
}

TEST(PlanCommand, plans_gguf_files_and_packs_alike) {
  const test::TempDir folder;
  const model::Pack pack = test::tiny_llama_pack(folder.path(), {}, {.bits = 4});
  std::ofstream(folder.path() / "m.gguf", std::ios::binary) << as_text(test::tiny_llama_gguf({}));
  const nlohmann::json of_gguf = plan_json((folder.path() / "m.gguf").string());
  const nlohmann::json of_pack = plan_json(pack.path().string());
  EXPECT_EQ("GGUF", of_gguf["kind"]);
  EXPECT_EQ("pack", of_pack["kind"]);
  EXPECT_EQ(of_gguf["packs"], of_pack["packs"]);
  EXPECT_EQ(1024, of_gguf["context"]) << "no more than the model was trained for";
  EXPECT_EQ(4, of_pack["devices"][1]["recommended_bits"]);
}

TEST(PlanCommand, prints_a_table) {
  const test::TempDir folder;
  std::ofstream(folder.path() / "config.json") << test::kDeepseekV2LiteJson;
  const Ran ran = plan("--context 8192 " + folder.path().string());
  EXPECT_EQ(exit_code::kOk, ran.code) << ran.output;
  for (const char* text : {"15.706 billion, 2.451 of them for one token", "8 bits    16.73 GB",
                           "31.1 MB for 1000 tokens", "latent", "this machine (", "RTX 5090", "H100 80G"}) {
    EXPECT_NE(std::string::npos, ran.output.find(text)) << text << "\n" << ran.output;
  }
}

TEST(PlanCommand, names_what_it_cannot_read) {
  const test::TempDir folder;
  const Ran empty = plan(folder.path().string());
  EXPECT_EQ(exit_code::kModel, empty.code);
  EXPECT_NE(std::string::npos, empty.output.find("config.json")) << empty.output;
  EXPECT_EQ(exit_code::kModel, plan((folder.path() / "absent.gguf").string()).code);
  EXPECT_EQ(exit_code::kUsage, plan("--context 0 x").code);
}

}  // namespace
}  // namespace adit
