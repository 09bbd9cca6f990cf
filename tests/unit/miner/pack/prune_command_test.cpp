// SPDX-License-Identifier: MIT
#include "miner/pack/prune_command.hpp"

#include <gtest/gtest.h>

#include "common/base/exit_code.hpp"
#include "common/base/files.hpp"
#include "common/model/pack.hpp"
#include "miner/pack/evaluate.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_llama.hpp"

namespace adit::miner {
namespace {

class PruneCommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(write_file_atomic(gguf_, test::tiny_llama_gguf({})));
    ASSERT_TRUE(write_file_atomic(text_, as_bytes(builtin_eval_text().substr(0, 400))));
  }
  int run(PruneCommand command) {
    command.input = gguf_;
    command.output = pack_;
    command.text = text_;
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = run_prune(command);
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return code;
  }

  test::TempDir dir_;
  std::filesystem::path gguf_ = dir_.path() / "m.gguf";
  std::filesystem::path text_ = dir_.path() / "text.txt";
  std::filesystem::path pack_ = dir_.path() / "m.adit";
  std::string out_, err_;
};

TEST_F(PruneCommandTest, every_method_and_pattern_gives_a_sparse_pack) {
  for (const char* method : {"magnitude", "wanda"}) {
    for (const auto& [pattern, storage] :
         {std::pair{"2:4", kernels::Storage::k24}, {"1:4", kernels::Storage::kBitmask},
          {"unstructured:0.5", kernels::Storage::kBitmask}, {"block:16x32:0.5", kernels::Storage::kBlock}}) {
      ASSERT_EQ(run({.pattern = pattern, .method = method}), exit_code::kOk) << err_;
      const auto pack = model::Pack::open(pack_);
      ASSERT_TRUE(pack) << pack.error().message;
      EXPECT_EQ(pack->layers()[0].up.storage, storage) << pattern;
      EXPECT_NE(out_.find(to_hex(pack->content_hash())), std::string::npos) << out_;
      EXPECT_NE(out_.find("layers.0.ffn_up"), std::string::npos) << out_;
    }
  }
}

TEST_F(PruneCommandTest, a_storage_that_is_asked_for_keeps_the_hash) {
  ASSERT_EQ(run({.pattern = "2:4", .method = "magnitude", .storage = "dense"}), exit_code::kOk) << err_;
  const auto dense = model::Pack::open(pack_).value().content_hash();
  ASSERT_EQ(run({.pattern = "2:4", .method = "magnitude", .storage = "bitmask"}), exit_code::kOk) << err_;
  EXPECT_EQ(model::Pack::open(pack_).value().content_hash(), dense);
}

TEST_F(PruneCommandTest, eval_reports_and_a_bound_that_is_not_kept_writes_nothing) {
  ASSERT_EQ(run({.pattern = "2:4", .eval = true}), exit_code::kOk) << err_;
  EXPECT_NE(out_.find("mean KL"), std::string::npos) << out_;
  ASSERT_TRUE(write_file_atomic(pack_, as_bytes("before")));
  EXPECT_EQ(run({.pattern = "2:4", .max_kl = 1e-9}), exit_code::kFailed);
  EXPECT_NE(err_.find("over the bound"), std::string::npos) << err_;
  EXPECT_EQ(as_text(read_file(pack_, 100).value()), "before");
  EXPECT_EQ(run({.pattern = "2:4", .max_kl = 100.0}), exit_code::kOk) << err_;
  EXPECT_EQ(model::Pack::open(pack_)->declaration()->bound, 100.0);
}

TEST_F(PruneCommandTest, reap_leaves_whole_experts_out_and_measures_what_that_costs) {
  gguf_ = std::string(ADIT_TEST_VECTORS) + "/reap/deepseek_v3";
  ASSERT_EQ(run({.method = "reap", .experts = 8, .max_kl = 100.0}), exit_code::kOk) << err_;
  const auto pack = model::Pack::open(pack_);
  ASSERT_TRUE(pack) << pack.error().message;
  EXPECT_EQ(pack->config().moe.experts, 8);
  EXPECT_EQ(pack->config().moe.groups, 2);
  EXPECT_EQ(pack->declaration()->bound, 100.0);
  EXPECT_EQ(pack->declaration()->against, "f32 of deepseek_v3");
  EXPECT_NE(out_.find("mean KL"), std::string::npos) << out_;
  EXPECT_NE(out_.find("layers.1      experts "), std::string::npos) << out_;
  EXPECT_NE(err_.find("DeepSeek-V3's architecture"), std::string::npos) << err_;
  ASSERT_TRUE(write_file_atomic(pack_, as_bytes("before")));
  EXPECT_EQ(run({.method = "reap", .experts = 8, .max_kl = 1e-9}), exit_code::kFailed);
  EXPECT_NE(err_.find("over the bound"), std::string::npos) << err_;
  EXPECT_EQ(as_text(read_file(pack_, 100).value()), "before");
  gguf_ = std::string(ADIT_TEST_VECTORS) + "/reap/deepseek_v2/model.gguf";
  ASSERT_EQ(run({.method = "reap", .experts = 9}), exit_code::kOk) << err_;
  EXPECT_EQ(err_.find("DeepSeek-V3's architecture"), std::string::npos) << err_;
  EXPECT_NE(out_.find("mean KL"), std::string::npos) << out_;
}

TEST_F(PruneCommandTest, reap_refuses_what_does_not_go_with_it) {
  const auto refused = [&](const PruneCommand& command, const std::string& part) {
    EXPECT_EQ(run(command), exit_code::kModel);
    EXPECT_NE(err_.find(part), std::string::npos) << err_;
    EXPECT_FALSE(std::filesystem::exists(pack_));
  };
  refused({.pattern = "2:4", .experts = 4}, "--experts goes with --method reap");
  refused({.method = "wanda"}, "--method wanda: needs --pattern");
  refused({.method = "reap", .experts = 4}, "--experts: 4 experts to keep, but a llama model has none");
  gguf_ = std::string(ADIT_TEST_VECTORS) + "/reap/deepseek_v3";
  refused({.method = "reap"}, "needs --experts");
  refused({.pattern = "2:4", .method = "reap", .experts = 8}, "takes no --pattern");
  refused({.method = "reap", .layers = "0", .experts = 8}, "takes no --pattern, --storage or --layers");
  refused({.method = "reap", .experts = 7}, "--experts: 7 experts to keep, expected a multiple of 2");
  refused({.method = "reap", .experts = 12}, "expected 1..11");
}

TEST_F(PruneCommandTest, what_does_not_fit_is_refused) {
  const auto refused = [&](const PruneCommand& command, const std::string& part) {
    EXPECT_EQ(run(command), exit_code::kModel);
    EXPECT_NE(err_.find(part), std::string::npos) << err_;
    EXPECT_FALSE(std::filesystem::exists(pack_));
  };
  refused({.pattern = "2:1"}, "pattern 2:1");
  refused({.pattern = "2:4", .layers = "0-99"}, "--layers 0-99");
  refused({.pattern = "2:4", .layers = "1-0"}, "--layers 1-0");
  refused({.pattern = "2:4", .storage = "csr"}, "storage csr");
  refused({.pattern = "unstructured:0.5", .storage = "2:4"}, "three weights in a group of four");
  refused({.pattern = "2:4", .max_kl = -1.0}, "--max-kl");
}

}  // namespace
}  // namespace adit::miner
