// SPDX-License-Identifier: MIT
#include "miner/fetch/fetch.hpp"

#include <csignal>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "common/base/files.hpp"
#include "common/base/rng.hpp"
#include "miner/fetch/manifest.hpp"
#include "tests/support/fake_hub.hpp"
#include "tests/support/temp_dir.hpp"

namespace adit::miner {
namespace {

using test::FakeHub;
using test::HttpAnswer;

std::string noise(std::size_t size, std::uint64_t seed) {
  SeededRng rng(seed);
  Bytes out(size);
  rng.fill(out);
  return std::string(as_text(out));
}

std::string content_of(const std::filesystem::path& path) {
  const auto bytes = read_file(path, 64u << 20);
  return bytes ? std::string(as_text(*bytes)) : "(absent)";
}

void overwrite(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

class FetchTest : public testing::Test {
 protected:
  FetchTest() {
    test::forget_proxies();
    hub.put("config.json", {R"({"model_type": "llama"})"});
    hub.put("tokenizer.json", {noise(300'000, 1)});
    hub.put("model.safetensors", {noise(1'000'000, 2), true});
    hub.put("README.md", {"not needed"});
    hub.put("onnx/model.onnx", {"not needed either", true});
    options.repo = FakeHub::kRepo;
    options.endpoint = hub.url();
    options.folder = folder.path() / "out";
    hooks.sleep = [this](std::chrono::milliseconds wait) { waits.push_back(wait.count()); };
    hooks.note = [this](std::string_view line) { notes += std::string(line) + "\n"; };
  }

  Result<FetchReport> run() { return fetch(options, hooks); }
  std::string weights() { return content_of(options.folder / "model.safetensors"); }

  FakeHub hub;
  test::TempDir folder;
  FetchOptions options;
  FetchHooks hooks;
  std::vector<long> waits;
  std::string notes;
};

TEST_F(FetchTest, fetches_what_a_model_folder_needs_and_nothing_the_second_time) {
  const auto first = run();
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(3U, first->fetched);
  EXPECT_EQ("0123456789abcdef0123456789abcdef01234567", first->commit);
  EXPECT_EQ(noise(1'000'000, 2), weights());
  EXPECT_EQ(noise(300'000, 1), content_of(options.folder / "tokenizer.json"));
  EXPECT_FALSE(std::filesystem::exists(options.folder / "README.md"));
  EXPECT_FALSE(std::filesystem::exists(options.folder / "onnx"));
  EXPECT_FALSE(std::filesystem::exists(options.folder / "model.safetensors.part"));
  EXPECT_FALSE(std::filesystem::exists(options.folder / "model.safetensors.part.json"));

  const std::size_t before = hub.seen().size() + hub.storage_seen().size();
  const auto second = run();
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(0U, second->fetched);
  EXPECT_EQ(3U, second->kept);
  EXPECT_EQ(0U, second->received);
  EXPECT_EQ(first->bytes, second->bytes);
  EXPECT_EQ(before + 1, hub.seen().size() + hub.storage_seen().size()) << "the listing only";
}

TEST_F(FetchTest, goes_on_where_the_connection_dropped) {
  hub.cut_next("model.safetensors", 400'000);
  hub.cut_next("model.safetensors", 300'000);
  const auto report = run();
  ASSERT_TRUE(report) << report.error().message << notes;
  EXPECT_EQ(noise(1'000'000, 2), weights());
  EXPECT_EQ(1'300'000U + 23U, report->received) << "no byte twice";
  EXPECT_EQ(2U, waits.size());
  const auto seen = hub.storage_seen();
  ASSERT_EQ(3U, seen.size());
  EXPECT_EQ("bytes=400000-", seen[1].header("range"));
  EXPECT_EQ("bytes=700000-", seen[2].header("range"));
  EXPECT_TRUE(seen[1].header("if-range").starts_with("\"s3-")) << "the tag of the host that sent the bytes";
}

TEST_F(FetchTest, goes_on_where_an_earlier_run_gave_up) {
  options.retry.attempts = 1;
  hub.cut_next("model.safetensors", 500'000);
  const auto broken = run();
  ASSERT_FALSE(broken);
  EXPECT_EQ(ErrorCode::kUnavailable, broken.error().code);
  EXPECT_FALSE(std::filesystem::exists(options.folder / "model.safetensors"));
  EXPECT_EQ(500'000U, std::filesystem::file_size(options.folder / "model.safetensors.part"));

  const auto report = run();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ("bytes=500000-", hub.storage_seen().back().header("range"));
  EXPECT_EQ(noise(1'000'000, 2), weights());
}

TEST_F(FetchTest, drops_the_part_of_another_version) {
  options.retry.attempts = 1;
  hub.cut_next("model.safetensors", 500'000);
  ASSERT_FALSE(run());
  hub.put("model.safetensors", {noise(1'000'000, 3), true});
  const auto report = run();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ("", hub.storage_seen().back().header("range"));
  EXPECT_EQ(noise(1'000'000, 3), weights());
}

TEST_F(FetchTest, starts_again_when_the_server_sends_another_range) {
  hub.queue("model.safetensors", {.body = noise(1'000'000, 2), .cut_after = 200'000});
  hub.queue("model.safetensors", {.status = 206,
                                  .headers = {{"Content-Range", "bytes 100000-999999/1000000"}},
                                  .body = noise(1'000'000, 2).substr(100'000)});
  const auto report = run();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(noise(1'000'000, 2), weights());
  EXPECT_NE(std::string::npos, notes.find("asked for bytes from 200000, it sends 'bytes 100000-")) << notes;
}

TEST_F(FetchTest, takes_a_whole_answer_where_it_asked_for_a_range) {
  hub.cut_next("model.safetensors", 400'000);
  options.retry.attempts = 1;
  ASSERT_FALSE(run());
  hub.queue("model.safetensors", {.status = 200, .body = noise(1'000'000, 2)});
  const auto report = run();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(noise(1'000'000, 2), weights());
}

TEST_F(FetchTest, refuses_other_bytes_after_one_more_try) {
  std::string wrong = noise(1'000'000, 2);
  wrong[999'999] = static_cast<char>(wrong[999'999] ^ 1);
  hub.queue("model.safetensors", {.body = wrong});
  const auto mended = run();
  ASSERT_TRUE(mended) << mended.error().message;
  EXPECT_EQ(noise(1'000'000, 2), weights());

  std::filesystem::remove(options.folder / "model.safetensors");
  hub.queue("model.safetensors", {.body = wrong});
  hub.queue("model.safetensors", {.body = wrong});
  const auto refused = run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(ErrorCode::kDataLoss, refused.error().code);
  EXPECT_NE(std::string::npos, refused.error().message.find(test::sha256_hex(wrong)))
      << refused.error().message;
  EXPECT_FALSE(std::filesystem::exists(options.folder / "model.safetensors"));
}

TEST_F(FetchTest, checks_small_files_as_git_does) {
  hub.queue("config.json", {.body = R"({"model_type": "alpaca")"});
  hub.queue("config.json", {.body = R"({"model_type": "alpaca")"});
  const auto refused = run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(ErrorCode::kDataLoss, refused.error().code);
  EXPECT_NE(std::string::npos, refused.error().message.find("git_sha1")) << refused.error().message;
}

TEST_F(FetchTest, refuses_a_length_that_differs_from_the_listing) {
  hub.queue("config.json", {.body = "{}"});
  const auto refused = run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(ErrorCode::kDataLoss, refused.error().code);
  EXPECT_NE(std::string::npos, refused.error().message.find("sends 2 bytes, expected 23"))
      << refused.error().message;
}

TEST_F(FetchTest, the_token_goes_to_the_endpoint_only) {
  options.token = "hf_secret";
  hub.require_token("hf_secret");
  const auto report = run();
  ASSERT_TRUE(report) << report.error().message;
  for (const auto& request : hub.seen()) EXPECT_EQ("Bearer hf_secret", request.header("authorization"));
  ASSERT_FALSE(hub.storage_seen().empty());
  for (const auto& request : hub.storage_seen()) EXPECT_EQ("", request.header("authorization"));
}

TEST_F(FetchTest, a_token_needs_https_beyond_this_machine) {
  options.token = "hf_secret";
  options.endpoint = "http://hub.invalid";
  const auto refused = run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(ErrorCode::kFailedPrecondition, refused.error().code);
}

TEST_F(FetchTest, says_what_statuses_mean) {
  hub.set_listing({.status = 401, .headers = {{"X-Error-Message", "Repository not found"}}});
  EXPECT_EQ(ErrorCode::kUnauthenticated, run().error().code);
  EXPECT_NE(std::string::npos, run().error().message.find("(Repository not found)"));
  hub.set_listing({.status = 403});
  EXPECT_EQ(ErrorCode::kPermissionDenied, run().error().code);
  hub.set_listing({.status = 404});
  EXPECT_EQ(ErrorCode::kNotFound, run().error().code);
  EXPECT_TRUE(waits.empty()) << "no retry mends these";
}

TEST_F(FetchTest, waits_as_long_as_a_busy_server_asks) {
  hub.queue("model.safetensors", {.status = 429, .headers = {{"Retry-After", "7"}}});
  hub.queue("model.safetensors", {.status = 503});
  const auto report = run();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ((std::vector<long>{7000, 2000}), waits);
}

TEST_F(FetchTest, does_not_wait_for_hours) {
  hub.queue("model.safetensors", {.status = 429, .headers = {{"Retry-After", "7200"}}});
  const auto refused = run();
  ASSERT_FALSE(refused);
  EXPECT_NE(std::string::npos, refused.error().message.find("come back in 7200 s"))
      << refused.error().message;
  EXPECT_TRUE(waits.empty());
}

TEST_F(FetchTest, gives_up_on_a_server_that_never_gets_further) {
  for (int i = 0; i < 20; ++i) {
    hub.queue("model.safetensors", {.body = noise(1'000'000, 2), .cut_after = 200'000});
  }
  const auto refused = run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(ErrorCode::kUnavailable, refused.error().code);
  EXPECT_LT(waits.size(), 8U);
}

TEST_F(FetchTest, a_new_commit_brings_the_new_files_only) {
  ASSERT_TRUE(run());
  hub.put("config.json", {R"({"model_type": "qwen2"})"});
  hub.set_commit("89abcdef0123456789abcdef0123456789abcdef");
  const auto report = run();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(1U, report->fetched);
  EXPECT_EQ(R"({"model_type": "qwen2"})", content_of(options.folder / "config.json"));
  const auto manifest = read_manifest(options.folder);
  ASSERT_TRUE(manifest);
  EXPECT_EQ("89abcdef0123456789abcdef0123456789abcdef", manifest->commit);
}

TEST_F(FetchTest, notices_a_file_that_was_changed_here) {
  ASSERT_TRUE(run());
  overwrite(options.folder / "config.json", R"({"model_type": "mine!"})");
  const auto refused = run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(ErrorCode::kFailedPrecondition, refused.error().code);
  EXPECT_NE(std::string::npos, refused.error().message.find("config.json")) << refused.error().message;
  EXPECT_EQ(R"({"model_type": "mine!"})", content_of(options.folder / "config.json"));

  options.force = true;
  const auto report = run();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(1U, report->fetched);
  EXPECT_EQ(R"({"model_type": "llama"})", content_of(options.folder / "config.json"));
}

TEST_F(FetchTest, keeps_a_file_whose_time_alone_is_new) {
  ASSERT_TRUE(run());
  overwrite(options.folder / "config.json", R"({"model_type": "llama"})");
  const auto report = run();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(0U, report->fetched);
}

TEST_F(FetchTest, asks_for_digests_that_the_listing_lacks) {
  hub.set_listing_digests(false);
  const auto first = run();
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_NE(std::string::npos, notes.find("sha256 " + test::sha256_hex(noise(1'000'000, 2)))) << notes;
  const auto second = run();
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(0U, second->fetched);
  overwrite(options.folder / "config.json", "{}");
  EXPECT_EQ(ErrorCode::kFailedPrecondition, run().error().code);
}

TEST_F(FetchTest, refuses_names_that_leave_the_folder) {
  for (const char* name : {"../evil.safetensors", "/etc/evil.safetensors", "a/../../evil.safetensors",
                           "a//b.safetensors", "a\\\\b.safetensors", ".adit-fetch.json", "x.part", ""}) {
    hub.set_listing({.body = std::string(R"({"siblings": [{"rfilename": ")") + name + R"("}]})"});
    const auto refused = run();
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(ErrorCode::kInvalidArgument, refused.error().code) << name << ": " << refused.error().message;
  }
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "evil.safetensors"));
}

TEST_F(FetchTest, a_second_fetch_into_the_folder_is_kept_out) {
  std::filesystem::create_directories(options.folder);
  const auto lock = FolderLock::take(options.folder);
  ASSERT_TRUE(lock);
  const auto refused = run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(ErrorCode::kUnavailable, refused.error().code);
  EXPECT_NE(std::string::npos, refused.error().message.find("another fetch")) << refused.error().message;
}

TEST_F(FetchTest, names_a_full_disk_and_goes_on_later) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(0, getrlimit(RLIMIT_FSIZE, &before));
  const rlimit small{.rlim_cur = 600'000, .rlim_max = before.rlim_max};
  ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &small));
  const auto refused = run();
  ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &before));
  ASSERT_FALSE(refused);
  EXPECT_EQ(ErrorCode::kResourceExhausted, refused.error().code) << refused.error().message;
  EXPECT_NE(std::string::npos, refused.error().message.find("model.safetensors.part: writing"))
      << refused.error().message;

  const auto report = run();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ("bytes=600000-", hub.storage_seen().back().header("range"));
  EXPECT_EQ(noise(1'000'000, 2), weights());
}

TEST_F(FetchTest, names_a_disk_without_room_before_it_fetches) {
  hub.set_listing(
      {.body = R"({"siblings": [{"rfilename": "model.safetensors", "size": 9000000000000000000}]})"});
  const auto refused = run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(ErrorCode::kResourceExhausted, refused.error().code);
  EXPECT_NE(std::string::npos, refused.error().message.find("9000000000000000000 bytes are needed"))
      << refused.error().message;
}

TEST_F(FetchTest, names_a_folder_that_cannot_be_made) {
  overwrite(folder.path() / "file", "in the way");
  options.folder = folder.path() / "file" / "out";
  const auto refused = run();
  ASSERT_FALSE(refused);
  EXPECT_NE(std::string::npos, refused.error().message.find("file/out: creating")) << refused.error().message;
}

TEST_F(FetchTest, does_not_write_through_a_link) {
  std::filesystem::create_directories(options.folder);
  overwrite(folder.path() / "precious", "mine");
  std::filesystem::create_symlink(folder.path() / "precious", options.folder / "model.safetensors.part");
  ASSERT_FALSE(run());
  EXPECT_EQ("mine", content_of(folder.path() / "precious"));
}

TEST_F(FetchTest, a_folder_of_another_repository_is_not_touched) {
  std::filesystem::create_directories(options.folder);
  Manifest other;
  other.repo = "someone/else";
  ASSERT_TRUE(write_manifest(options.folder, other));
  EXPECT_EQ(ErrorCode::kFailedPrecondition, run().error().code);
}

}  // namespace
}  // namespace adit::miner
