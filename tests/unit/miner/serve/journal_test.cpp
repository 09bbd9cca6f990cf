// SPDX-License-Identifier: MIT
#include "miner/serve/journal.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "common/base/files.hpp"
#include "tests/support/temp_dir.hpp"

namespace adit::miner {
namespace {

JournalRecord record(std::uint8_t tag, std::uint32_t tokens = 3) {
  JournalRecord out;
  out.time_ns = 1'800'000'000'000'000'000 + tag;
  out.caller.fill(tag);
  out.request.prompt = {1, 2, tag};
  out.request.max_tokens = tokens;
  out.receipt.core.n_p = 3;
  out.receipt.core.n_g = tokens;
  out.receipt.core.ids.assign(tokens, tag);
  out.receipt.miner.fill(9);
  out.receipt.signature.fill(tag);
  return out;
}

Bytes content(const std::filesystem::path& path) {
  return *read_file(path, 1 << 24);
}

// Made in Python from the format in journal.hpp (see tests/vectors/README.md).
TEST(Journal, reads_a_file_made_by_another_program) {
  const Bytes bytes = content(std::string(ADIT_SOURCE_DIR) + "/tests/fuzz/corpus/journal/two");
  const JournalContent journal = parse_journal(bytes);
  EXPECT_EQ(journal.intact_bytes, bytes.size());
  ASSERT_EQ(journal.records.size(), 2U);
  EXPECT_EQ(journal.records[0].time_ns, 7U);
  EXPECT_EQ(journal.records[0].receipt.core.ids, std::vector<TokenId>{2});
  EXPECT_EQ(journal.records[1].request.slot, ~std::uint64_t{0});
}

TEST(Journal, keeps_records_over_a_restart) {
  const test::TempDir dir;
  const auto path = dir.path() / "deep" / "journal";
  for (std::uint8_t start : {0, 2}) {
    const auto journal = Journal::open(path, 1 << 20);
    ASSERT_TRUE(journal) << journal.error().message;
    EXPECT_EQ((*journal)->dropped_bytes(), 0U);
    ASSERT_TRUE((*journal)->append(record(start)));
    ASSERT_TRUE((*journal)->append(record(static_cast<std::uint8_t>(start + 1))));
  }
  const auto read = read_journal(path);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->records.size(), 4U);
  for (std::uint8_t i = 0; i < 4; ++i) EXPECT_EQ(read->records[i], record(i));
}

// Whatever a crash leaves of the last record, the ones before it survive and writing goes on.
TEST(Journal, survives_a_cut_at_every_byte) {
  const test::TempDir dir;
  const auto whole = dir.path() / "whole";
  {
    const auto journal = Journal::open(whole, 1 << 20);
    for (std::uint8_t i = 0; i < 2; ++i) ASSERT_TRUE((*journal)->append(record(i)));
  }
  const Bytes bytes = content(whole);
  const std::size_t record_bytes = (bytes.size() - 8) / 2;
  for (std::size_t cut = 0; cut < bytes.size(); cut += 23) {
    const auto path = dir.path() / "cut";
    ASSERT_TRUE(write_file_atomic(path, ByteView(bytes).first(cut)));
    {
      const auto journal = Journal::open(path, 1 << 20);
      ASSERT_TRUE(journal) << cut << ": " << journal.error().message;
      ASSERT_TRUE((*journal)->append(record(7)));
    }
    const auto read = read_journal(path);
    const std::size_t kept = cut < 8 ? 0 : (cut - 8) / record_bytes;
    ASSERT_EQ(read->records.size(), kept + 1) << cut;
    EXPECT_EQ(read->records.back(), record(7));
  }
}

TEST(Journal, damage_is_cut_off_and_the_found_file_is_kept) {
  const test::TempDir dir;
  const auto path = dir.path() / "journal";
  {
    const auto journal = Journal::open(path, 1 << 20);
    for (std::uint8_t i = 0; i < 3; ++i) ASSERT_TRUE((*journal)->append(record(i)));
  }
  Bytes bytes = content(path);
  const std::size_t record_bytes = (bytes.size() - 8) / 3;
  bytes[8 + record_bytes + 50] ^= 1;
  ASSERT_TRUE(write_file_atomic(path, bytes));
  const auto journal = Journal::open(path, 1 << 20);
  ASSERT_TRUE(journal);
  EXPECT_EQ((*journal)->dropped_bytes(), 2 * record_bytes);
  EXPECT_EQ(content(path.string() + ".damaged"), bytes);
  EXPECT_EQ(read_journal(path)->records.size(), 1U);
}

// A second writer would take the first one's half-written record for damage.
TEST(Journal, has_one_writer) {
  const test::TempDir dir;
  auto first = Journal::open(dir.path() / "journal", 1 << 20);
  ASSERT_TRUE(first);
  EXPECT_EQ(Journal::open(dir.path() / "journal", 1 << 20).error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(read_journal(dir.path() / "journal"));
  first->reset();
  EXPECT_TRUE(Journal::open(dir.path() / "journal", 1 << 20));
}

TEST(Journal, disk_use_is_bounded) {
  const test::TempDir dir;
  const auto path = dir.path() / "journal";
  const auto journal = Journal::open(path, 4000);
  for (std::uint8_t i = 0; i < 100; ++i) ASSERT_TRUE((*journal)->append(record(i)));
  EXPECT_LE(content(path).size(), 4000U);
  EXPECT_LE(content(path.string() + ".old").size(), 4000U);
  const auto newest = read_journal(path);
  const auto older = read_journal(path.string() + ".old");
  EXPECT_EQ(newest->records.back(), record(99));
  EXPECT_EQ(older->records.back().time_ns + 1, newest->records.front().time_ns);
}

TEST(Journal, a_place_that_cannot_be_written_is_an_error) {
  const test::TempDir dir;
  ASSERT_TRUE(write_file_atomic(dir.path() / "file", as_bytes("x")));
  const auto journal = Journal::open(dir.path() / "file" / "journal", 1 << 20);
  ASSERT_FALSE(journal);
  EXPECT_NE(journal.error().message.find("file/journal"), std::string::npos);
  EXPECT_FALSE(Journal::open("/dev/full/journal", 1 << 20));
}

// A file size limit stands for a full disk: the write stops in the middle of a record.
TEST(Journal, a_refused_write_leaves_no_half_record) {
  const test::TempDir dir;
  const auto path = dir.path() / "journal";
  const auto journal = Journal::open(path, 1 << 20);
  ASSERT_TRUE((*journal)->append(record(1)));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit tight{content(path).size() + 40, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
  const auto refused = (*journal)->append(record(2));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find(path.string()), std::string::npos);
  ASSERT_TRUE((*journal)->append(record(3)));
  const auto read = read_journal(path);
  EXPECT_EQ(read->intact_bytes, read->file_bytes);
  ASSERT_EQ(read->records.size(), 2U);
  EXPECT_EQ(read->records[1], record(3));
}

}  // namespace
}  // namespace adit::miner
