// SPDX-License-Identifier: MIT
#include "miner/openai/api_key.hpp"

#include <gtest/gtest.h>

#include "common/base/files.hpp"
#include "tests/support/temp_dir.hpp"

namespace adit::miner::openai {
namespace {

TEST(ApiKey, is_the_first_line) {
  const test::TempDir dir;
  const auto file = dir.path() / "key";
  const auto write = [&](std::string_view text) { ASSERT_TRUE(write_file_atomic(file, as_bytes(text), 0600)); };
  write("secret\r\nmore\n");
  EXPECT_EQ(read_api_key(file).value(), "secret");
  write("secret");
  EXPECT_EQ(read_api_key(file).value(), "secret");
  write("\nsecret\n");
  EXPECT_EQ(read_api_key(file).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(read_api_key("").value(), "");
  EXPECT_EQ(read_api_key(dir.path() / "none").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace adit::miner::openai
