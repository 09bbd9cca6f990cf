// SPDX-License-Identifier: MIT
#include "common/base/files.hpp"

#include <sys/stat.h>

#include <gtest/gtest.h>

#include "tests/support/temp_dir.hpp"

namespace adit {
namespace {

TEST(Files, write_then_read_and_replace) {
  const test::TempDir dir;
  const auto path = dir.path() / "state";
  ASSERT_TRUE(write_file_atomic(path, as_bytes("one"), 0600));
  ASSERT_TRUE(write_file_atomic(path, as_bytes("two"), 0600));
  EXPECT_EQ(as_text(read_file(path, 10).value()), "two");
  struct stat info{};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0600u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 1);
}

TEST(Files, errors_name_the_path) {
  const test::TempDir dir;
  const auto missing = dir.path() / "missing";
  const auto error = read_file(missing, 10).error();
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_NE(error.message.find(missing.string()), std::string::npos);
  ASSERT_TRUE(write_file_atomic(missing, as_bytes("long content")));
  EXPECT_EQ(read_file(missing, 4).error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(write_file_atomic(dir.path() / "no" / "folder", {}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(MappedFile::open(dir.path()).error().code, ErrorCode::kInvalidArgument);
}

TEST(Files, a_full_disk_leaves_the_old_content) {
  // /dev/full cannot be renamed over, but a write to it reports ENOSPC like a full disk does.
  const auto error = write_file_atomic("/dev/full/x", as_bytes("x")).error();
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_EQ(system_error("f", "writing", ENOSPC).value().code, ErrorCode::kResourceExhausted);
}

TEST(Files, a_mapping_shows_the_content) {
  const test::TempDir dir;
  const auto path = dir.path() / "m";
  ASSERT_TRUE(write_file_atomic(path, as_bytes("mapped")));
  MappedFile first = MappedFile::open(path).value();
  const MappedFile second = std::move(first);
  EXPECT_EQ(as_text(second.bytes()), "mapped");
  EXPECT_TRUE(first.bytes().empty());  // NOLINT: the moved-from state is defined
}

}  // namespace
}  // namespace adit
