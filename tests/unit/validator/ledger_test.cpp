// SPDX-License-Identifier: MIT
#include "validator/store/ledger.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "common/base/files.hpp"
#include "tests/support/temp_dir.hpp"

namespace adit::validator {
namespace {

std::vector<NewRow> rows(int from, int count) {
  std::vector<NewRow> out;
  for (int i = 0; i < count; ++i) {
    out.push_back(
        {RowKind::kJudged, Bytes(static_cast<std::size_t>(i + 1), static_cast<std::uint8_t>(from + i))});
  }
  return out;
}

std::size_t count_rows(const Ledger& ledger) {
  std::size_t count = 0;
  const auto walked = ledger.walk(1, [&](const Row& row) -> Result<void> {
    EXPECT_EQ(row.seq, ++count);
    return {};
  });
  EXPECT_TRUE(walked) << walked.error().message;
  return count;
}

void tamper(const std::filesystem::path& path, const char* sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
}

TEST(Ledger, keeps_rows_in_order_over_a_reopen) {
  const test::TempDir dir;
  const auto path = dir.path() / "ledger.sqlite";
  Hash256 head;
  {
    Ledger ledger = Ledger::open(path).value();
    EXPECT_EQ(ledger.size(), 0u);
    ASSERT_TRUE(ledger.append(rows(1, 3)));
    ASSERT_TRUE(ledger.append(rows(9, 2)));
    head = ledger.head();
  }
  Ledger again = Ledger::open(path).value();
  EXPECT_EQ(again.size(), 5u);
  EXPECT_EQ(again.head(), head);
  ASSERT_TRUE(again.append(rows(20, 1)));
  EXPECT_EQ(count_rows(Ledger::open(path, true).value()), 6u);
}

TEST(Ledger, the_chain_rule_is_the_documented_one) {
  const test::TempDir dir;
  Ledger ledger = Ledger::open(dir.path() / "l").value();
  ASSERT_TRUE(ledger.append({{RowKind::kPlan, Bytes{1, 2, 3}}}));
  EXPECT_EQ(ledger.head(), row_hash(Hash256{}, 1, RowKind::kPlan, Bytes{1, 2, 3}));
  // hashlib.blake2b(bytes(32) + (1).to_bytes(8, 'little') + b'\x01' + b'\x01\x02\x03', digest_size=32,
  //                 person=b'adit1.ledger\0\0\0\0').hexdigest()
  EXPECT_EQ(to_hex(ledger.head()), "04b7c1ec74ae12463ea3019be65e5442b5204db2a6281242e5dccf2fe7fbc9fe");
}

TEST(Ledger, a_changed_removed_or_reordered_row_is_found_and_named) {
  for (const char* sql :
       {"UPDATE rows SET body = x'00' WHERE seq = 2", "UPDATE rows SET kind = 1 WHERE seq = 2",
        "DELETE FROM rows WHERE seq = 2", "UPDATE rows SET hash = x'00' WHERE seq = 2"}) {
    const test::TempDir dir;
    const auto path = dir.path() / "l";
    ASSERT_TRUE(Ledger::open(path).value().append(rows(1, 4)));
    tamper(path, sql);
    const auto walked = Ledger::open(path).value().walk(1, [](const Row&) -> Result<void> { return {}; });
    ASSERT_FALSE(walked) << sql;
    EXPECT_EQ(walked.error().code, ErrorCode::kDataLoss);
    EXPECT_NE(walked.error().message.find("row "), std::string::npos);
  }
}

TEST(Ledger, bad_files_give_an_error_with_the_path) {
  const test::TempDir dir;
  EXPECT_EQ(Ledger::open(dir.path() / "none", true).error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(Ledger::open(dir.path() / "no" / "folder"));
  const auto path = dir.path() / "garbage";
  ASSERT_TRUE(write_file_atomic(path, as_bytes(std::string(8192, 'x'))));
  const auto opened = Ledger::open(path);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find(path.string()), std::string::npos);
}

TEST(Ledger, a_secret_is_written_once) {
  const test::TempDir dir;
  Ledger ledger = Ledger::open(dir.path() / "l").value();
  EXPECT_EQ(ledger.secret(4).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(ledger.put_secret(4, Hash256{1}));
  ASSERT_TRUE(ledger.put_secret(4, Hash256{2}));
  EXPECT_EQ(ledger.secret(4).value()[0], 1);
}

}  // namespace
}  // namespace adit::validator
