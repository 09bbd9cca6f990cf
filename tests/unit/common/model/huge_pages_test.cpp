// SPDX-License-Identifier: MIT
#include "common/model/huge_pages.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/support/temp_dir.hpp"

namespace adit::model {
namespace {

Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 2654435761u >> 13);
  return bytes;
}

// Small files, and large ones with a tail that no huge page covers, read the same as ever.
TEST(HugePages, the_content_is_the_files) {
  const test::TempDir folder;
  const std::size_t large = kHugeFileBytes + kHugePageBytes / 2 + 12345;
  for (const std::size_t size : {std::size_t{1}, std::size_t{4096}, large}) {
    const auto path = folder.path() / "weights";
    const Bytes wanted = pattern(size);
    ASSERT_TRUE(write_file_atomic(path, wanted));
    // The first opening may move the file into huge pages, the second finds it there.
    for (int opening = 0; opening < 2; ++opening) {
      const auto file = map_in_huge_pages(path);
      ASSERT_TRUE(file) << file.error().message;
      const ByteView found = file->bytes();
      ASSERT_EQ(size, found.size());
      EXPECT_TRUE(std::equal(found.begin(), found.end(), wanted.begin()));
      EXPECT_LE(huge_bytes(found), size);
      EXPECT_EQ(0u, huge_bytes(found) % kHugePageBytes);
    }
  }
}

// A mapping that another one holds cannot leave the cache: the second opening must do without.
TEST(HugePages, a_file_in_use_opens_beside_its_user) {
  const test::TempDir folder;
  const auto path = folder.path() / "weights";
  const Bytes wanted = pattern(kHugeFileBytes);
  ASSERT_TRUE(write_file_atomic(path, wanted));
  const auto first = MappedFile::open(path);
  ASSERT_TRUE(first);
  EXPECT_EQ(wanted.back(), first->bytes().back());
  const auto second = map_in_huge_pages(path);
  ASSERT_TRUE(second);
  EXPECT_TRUE(std::equal(wanted.begin(), wanted.end(), second->bytes().begin()));
  EXPECT_EQ(wanted.front(), first->bytes().front());
}

TEST(HugePages, a_missing_file_is_an_error) {
  const test::TempDir folder;
  const auto file = map_in_huge_pages(folder.path() / "none");
  ASSERT_FALSE(file);
  EXPECT_NE(std::string::npos, file.error().message.find("none"));
}

}  // namespace
}  // namespace adit::model
