// SPDX-License-Identifier: MIT
// miner/serve/journal.hpp
//
// What this miner has signed, on disk before the caller sees it: an append-only file, so that a
// restart still knows every receipt that may be challenged.
//
// Format   "ADITJRN1", then records: u32 length ‖ payload ‖ first 8 bytes of B2("adit1.jrnl",
//          payload). payload: u64 unix ns ‖ caller 32 ‖ miner 32 ‖ scheme u8 ‖ signature 64 ‖ u32
//          length ‖ request canonical bytes ‖ u32 length ‖ receipt core canonical bytes.
//          Little-endian.
// Out      append returns after fdatasync. Over bytes_max the file becomes <path>.old (replacing
//          the previous one) and a new one starts: at most twice bytes_max on disk.
// Errors   open, append: the system's reason with the path (disk full: kResourceExhausted). A torn
//          or damaged end is cut off at open; the whole file as found is kept as <path>.damaged.
//          kUnavailable: another process has the journal (it holds <path>.lock).
// Threads  append: any; one mutex. read_journal: any process, also while another appends.
// Tests    tests/unit/miner/serve/journal_test.cpp, tests/fuzz/journal_fuzz.cpp
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "common/base/limits.hpp"
#include "common/protocol/messages.hpp"

namespace adit::miner {

struct JournalRecord {
  std::uint64_t time_ns = 0;
  AccountId caller{};
  protocol::GenerateRequest request;
  protocol::Receipt receipt;
  friend bool operator==(const JournalRecord&, const JournalRecord&) = default;
};

// Length, payload and checksum of one record.
[[nodiscard]] Bytes frame_record(const JournalRecord& record);

class Journal {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Journal>> open(const std::filesystem::path& path,
                                                             std::uint64_t bytes_max);
  ~Journal();
  [[nodiscard]] Result<void> append(const JournalRecord& record);
  // Bytes that open had to cut off.
  [[nodiscard]] std::uint64_t dropped_bytes() const { return dropped_bytes_; }

 private:
  Journal(std::filesystem::path path, std::uint64_t bytes_max)
      : path_(std::move(path)), bytes_max_(bytes_max) {}
  [[nodiscard]] Result<void> lock();
  [[nodiscard]] Result<void> reopen();
  [[nodiscard]] Result<void> rotate();

  const std::filesystem::path path_;
  const std::uint64_t bytes_max_;
  std::mutex mutex_;
  int file_ = -1;
  int lock_ = -1;
  std::uint64_t size_ = 0;
  std::uint64_t dropped_bytes_ = 0;
  // A failed write may have left half a record: no more is written behind it.
  bool broken_ = false;
};

struct JournalContent {
  std::vector<JournalRecord> records;
  // Length of the intact part.
  std::uint64_t intact_bytes = 0;
  std::uint64_t file_bytes = 0;
};
// The intact records of a journal's bytes, oldest first; stops at the first that is not.
[[nodiscard]] JournalContent parse_journal(ByteView bytes);
// The same of a file.
[[nodiscard]] Result<JournalContent> read_journal(const std::filesystem::path& path);

}  // namespace adit::miner
