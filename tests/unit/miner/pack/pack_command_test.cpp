// SPDX-License-Identifier: MIT
#include "miner/pack/pack_command.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/base/exit_code.hpp"
#include "common/base/files.hpp"
#include "miner/pack/eval_command.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_llama.hpp"

namespace adit::miner {
namespace {

class PackCommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const Bytes bytes = test::tiny_llama_gguf({});
    ASSERT_TRUE(write_file_atomic(gguf_, bytes));
    ASSERT_TRUE(write_file_atomic(text_, as_bytes(builtin_eval_text().substr(0, 400))));
  }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(dir_.path()), {}));
  }
  int run(const PackCommand& command) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = run_pack(command);
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

TEST_F(PackCommandTest, writes_a_pack_and_says_what_it_wrote) {
  ASSERT_EQ(run({.input = gguf_, .output = pack_, .bits = 8}), exit_code::kOk) << err_;
  const auto pack = model::Pack::open(pack_);
  ASSERT_TRUE(pack) << pack.error().message;
  EXPECT_NE(out_.find(to_hex(pack->content_hash())), std::string::npos) << out_;
  EXPECT_NE(out_.find("0 u4, 22 int8"), std::string::npos) << out_;
  EXPECT_EQ(files(), 3u);
}

TEST_F(PackCommandTest, writes_groups_of_the_asked_size_also_when_it_chooses_forms) {
  ASSERT_EQ(run({.input = gguf_, .output = pack_, .bits = 8, .group = kernels::ScaleGroup::kRow}), exit_code::kOk);
  EXPECT_EQ(model::Pack::open(pack_).value().layers()[1].down.group, kernels::ScaleGroup::kRow);
  const PackCommand chosen{.input = gguf_,
                           .output = pack_,
                           .bits = 8,
                           .group = kernels::ScaleGroup::k128,
                           .target_size = 1 << 20,
                           .text = text_};
  ASSERT_EQ(run(chosen), exit_code::kOk) << err_;
  EXPECT_EQ(model::Pack::open(pack_).value().layers()[1].down.group, kernels::ScaleGroup::k128);
}

TEST_F(PackCommandTest, a_pack_over_the_target_is_refused_and_nothing_is_touched) {
  ASSERT_TRUE(write_file_atomic(pack_, as_bytes("before")));
  PackCommand command{.input = gguf_, .output = pack_, .bits = 4, .target_kl = 1e-9, .text = text_};
  EXPECT_EQ(run(command), exit_code::kFailed);
  EXPECT_NE(err_.find("over the target"), std::string::npos) << err_;
  EXPECT_EQ(as_text(read_file(pack_, 100).value()), "before");
  EXPECT_EQ(files(), 3u);
  command.target_kl = 100.0;
  EXPECT_EQ(run(command), exit_code::kOk) << err_;
  EXPECT_NE(out_.find("mean KL"), std::string::npos) << out_;
  EXPECT_TRUE(model::Pack::open(pack_));
  EXPECT_EQ(files(), 3u);
}

TEST_F(PackCommandTest, a_bound_is_declared_and_a_pack_over_it_is_not_written) {
  PackCommand command{.input = gguf_, .output = pack_, .bits = 4, .max_kl = 1e-9, .text = text_};
  ASSERT_TRUE(write_file_atomic(pack_, as_bytes("before")));
  EXPECT_EQ(run(command), exit_code::kFailed);
  EXPECT_NE(err_.find("over the bound of 1e-09; nothing was written"), std::string::npos) << err_;
  EXPECT_EQ(as_text(read_file(pack_, 100).value()), "before");
  EXPECT_EQ(files(), 3u);
  command.max_kl.reset();
  ASSERT_EQ(run(command), exit_code::kOk) << err_;
  const auto plain = model::Pack::open(pack_)->content_hash();
  command.max_kl = 100.0;
  ASSERT_EQ(run(command), exit_code::kOk) << err_;
  EXPECT_NE(out_.find("declared bound 100"), std::string::npos) << out_;
  EXPECT_EQ(files(), 3u);
  const auto pack = model::Pack::open(pack_);
  ASSERT_TRUE(pack) << pack.error().message;
  ASSERT_TRUE(pack->declaration());
  EXPECT_EQ(pack->content_hash(), plain);
  EXPECT_EQ(pack->declaration()->bound, 100.0);
  EXPECT_EQ(pack->declaration()->against, "f32 of m.gguf");
  EXPECT_EQ(pack->declaration()->text_bytes, 400u);
  EXPECT_EQ(pack->declaration()->positions, 400u);
  EXPECT_GT(pack->declaration()->mean_kl, 0.0);
}

TEST_F(PackCommandTest, eval_holds_a_pack_to_the_bound_it_declares) {
  const PackCommand command{.input = gguf_, .output = pack_, .bits = 4, .max_kl = 100.0, .text = text_};
  ASSERT_EQ(run(command), exit_code::kOk) << err_;
  EvalCommand eval{.pack = pack_, .original = gguf_, .settings = {.text = text_, .threads = 1}, .max_kl = {}};
  const auto evaluated = [&] {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = run_eval(eval);
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return code;
  };
  EXPECT_EQ(evaluated(), exit_code::kOk) << err_;
  EXPECT_NE(out_.find("bound 100\n"), std::string::npos) << out_;
  // As a pack would be that was measured on another original, or not at all.
  model::Declaration lie = *model::Pack::open(pack_)->declaration();
  lie.mean_kl = 1e-10;
  lie.bound = 1e-9;
  ASSERT_TRUE(model::declare(pack_, lie));
  EXPECT_EQ(evaluated(), exit_code::kFailed);
  EXPECT_NE(err_.find("over the bound of 1e-09 that it declares"), std::string::npos) << err_;
  eval.json = true;
  eval.settings.window = 64;
  EXPECT_EQ(evaluated(), exit_code::kOk) << err_;
  const auto json = nlohmann::json::parse(out_);
  EXPECT_EQ(json["declaration"]["judged"], false);
  EXPECT_EQ(json["declaration"]["bound"], 1e-9);
  lie.mean_kl = 1e-8;
  ASSERT_TRUE(model::declare(pack_, lie));
  EXPECT_EQ(evaluated(), exit_code::kFailed);
  EXPECT_NE(err_.find("over its own bound"), std::string::npos) << err_;
}

TEST_F(PackCommandTest, bad_input_has_its_exit_code_and_one_line) {
  const auto expect = [&](const PackCommand& command, int code, const std::string& part) {
    EXPECT_EQ(run(command), code) << err_;
    EXPECT_NE(err_.find(part), std::string::npos) << err_;
    EXPECT_EQ(files(), 2u);
  };
  expect({.input = dir_.path() / "none.gguf", .output = pack_}, exit_code::kModel, "none.gguf");
  expect({.input = text_, .output = pack_}, exit_code::kModel, "offset 0: magic");
  expect({.input = gguf_, .output = gguf_}, exit_code::kModel, "the same file");
  expect({.input = gguf_, .output = pack_, .group = kernels::ScaleGroup::k64}, exit_code::kModel,
         "--group 64 needs --bits");
  expect({.input = gguf_, .output = pack_, .target_kl = -1.0}, exit_code::kModel, "--target-kl");
  expect({.input = gguf_, .output = pack_, .max_kl = 0.0}, exit_code::kModel, "--max-kl");
}

TEST_F(PackCommandTest, eval_prints_one_json_object) {
  ASSERT_EQ(run({.input = gguf_, .output = pack_, .bits = 8}), exit_code::kOk) << err_;
  EvalCommand command{.pack = pack_,
                      .original = gguf_,
                      .settings = {.text = text_, .window = 64, .threads = 1},
                      .json = true,
                      .max_kl = {}};
  testing::internal::CaptureStdout();
  const int code = run_eval(command);
  const auto json = nlohmann::json::parse(testing::internal::GetCapturedStdout());
  EXPECT_EQ(code, exit_code::kOk);
  EXPECT_EQ(json["positions"], 400);
  EXPECT_EQ(json["form"], "int8 a16");
  EXPECT_GT(json["mean_kl"].get<double>(), 0.0);
  EXPECT_LE(json["top1_agreement"].get<double>(), 1.0);
  command.max_kl = 1e-9;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_eval(command), exit_code::kFailed);
  // The figures are printed all the same.
  EXPECT_FALSE(testing::internal::GetCapturedStdout().empty());
  EXPECT_NE(testing::internal::GetCapturedStderr().find("over the bound"), std::string::npos);
  command.pack = text_;
  EXPECT_EQ(run_eval(command), exit_code::kModel);
}

TEST_F(PackCommandTest, eval_answers_tasks) {
  ASSERT_EQ(run({.input = gguf_, .output = pack_, .bits = 8}), exit_code::kOk) << err_;
  const std::filesystem::path tasks = dir_.path() / "tasks.jsonl";
  ASSERT_TRUE(write_file_atomic(tasks, as_bytes(R"({"id":"a","prompt":"2+2?","kind":"integer","answer":"4"})"
                                                "\n"
                                                R"({"id":"b","prompt":"?","kind":"word","answer":"yes"})")));
  EvalCommand command{.pack = pack_,
                      .original = gguf_,
                      .settings = {.text = text_, .window = 64, .threads = 1},
                      .json = true,
                      .tasks = tasks,
                      .task_tokens = 4,
                      .max_kl = {}};
  testing::internal::CaptureStdout();
  ASSERT_EQ(run_eval(command), exit_code::kOk);
  const auto json = nlohmann::json::parse(testing::internal::GetCapturedStdout());
  EXPECT_EQ(json["tasks"]["all"]["tasks"], 2);
  EXPECT_EQ(json["tasks"]["kinds"]["integer"]["tasks"], 1);
  EXPECT_EQ(json["tasks"]["kinds"]["word"]["tasks"], 1);
  EXPECT_LE(json["tasks"]["all"]["accuracy_pack"].get<double>(), 1.0);
  command.json = false;
  testing::internal::CaptureStdout();
  ASSERT_EQ(run_eval(command), exit_code::kOk);
  EXPECT_NE(testing::internal::GetCapturedStdout().find("tasks, all             2: pack "), std::string::npos);
  ASSERT_TRUE(write_file_atomic(tasks, as_bytes("\n{\"id\":3}")));
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_eval(command), exit_code::kModel);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("tasks.jsonl: line 2: task: key id"), std::string::npos);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

TEST(EvalText, is_long_enough_for_the_contract) {
  EXPECT_GT(builtin_eval_text().size(), 30000u);
}

}  // namespace
}  // namespace adit::miner
