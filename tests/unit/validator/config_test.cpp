// SPDX-License-Identifier: MIT
#include "validator/config.hpp"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "common/base/files.hpp"
#include "tests/support/temp_dir.hpp"

namespace adit::validator {
namespace {

Result<ValidatorConfig> load(const std::string& text) {
  const test::TempDir dir;
  const auto file = dir.path() / "v.yaml";
  EXPECT_TRUE(write_file_atomic(file, as_bytes(text)));
  return load_config(file);
}

TEST(ValidatorConfig, the_example_is_read_and_shows_the_defaults) {
  const auto example = load_config(ADIT_SOURCE_DIR "/configs/validator.example.yaml");
  ASSERT_TRUE(example) << example.error().message;
  const ValidatorConfig defaults;
  EXPECT_EQ(example->chain.url, defaults.chain.url);
  EXPECT_EQ(example->query.threads, defaults.query.threads);
  EXPECT_EQ(example->query.allow_loopback_miners, defaults.query.allow_loopback_miners);
  EXPECT_EQ(example->verify.isa, defaults.verify.isa);
  EXPECT_EQ(example->blocks_left_min, defaults.blocks_left_min);
  EXPECT_EQ(example->blocks_after_epoch, defaults.blocks_after_epoch);
  EXPECT_EQ(example->poll_ns, defaults.poll_ns);
  EXPECT_EQ(example->charter,
            std::filesystem::path(ADIT_SOURCE_DIR "/configs/charters/starter-smollm2-135m.yaml"));
}

TEST(ValidatorConfig, says_file_line_key_and_what_was_expected) {
  EXPECT_NE(load("charter: c\npack: p\nverify: {isa: sse2}\n").error().message.find("verify.isa"),
            std::string::npos);
  EXPECT_NE(load("charter: c\npack: p\nquery: {treads: 3}\n").error().message.find("did you mean 'threads'"),
            std::string::npos);
  EXPECT_NE(load("pack: p\n").error().message.find("charter"), std::string::npos);
  EXPECT_NE(load("charter: c\npack: p\nchain: {netuid: 70000}\n").error().message.find("0..65535"),
            std::string::npos);
  EXPECT_EQ(load_config("/nonexistent/v.yaml").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace adit::validator
