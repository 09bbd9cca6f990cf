// SPDX-License-Identifier: MIT
// validator/store/ledger.hpp
//
// The append-only, hash-chained record of everything that leads to a weight: plans, questions, answers with
// their evidence, weight vectors and what became of them. All state of the validator is a fold over its rows.
//
// Row      seq (1, 2, …), kind, body; hash = B2("adit1.ledger", prev hash ‖ seq u64 ‖ kind u8 ‖ body), the
//          first row's prev hash is 32 zero bytes. Bodies are the canonical bytes of validator/store/rows.hpp.
// In       append: rows of one call become durable together or not at all (one SQLite transaction, fsync).
// Errors   kUnavailable / kResourceExhausted (disk), kDataLoss (a row that does not hash to its place; names
//          the row), kFailedPrecondition (another process holds the file, or another schema version).
// Threads  one Ledger object: one thread at a time. Another process may read (SQLite WAL).
// Source   design: ledger of docs in ARCHITECTURE.md "Ledger"; SQLite https://www.sqlite.org/wal.html
// Tests    tests/unit/validator/ledger_test.cpp
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"

struct sqlite3;

namespace adit::validator {

enum class RowKind : std::uint8_t {
  kPlan = 1,       // a step begins: block, seed commitment, who is asked
  kAsked = 2,      // one question, before it is sent
  kJudged = 3,     // one answer with its evidence and verdict
  kWeights = 4,    // the weight vector of a step, before it is submitted
  kSubmitted = 5,  // what became of a submission
};

struct Row {
  std::uint64_t seq = 0;
  RowKind kind = RowKind::kPlan;
  Bytes body;
  Hash256 hash{};
};

// A row that is not yet in the ledger.
struct NewRow {
  RowKind kind = RowKind::kPlan;
  Bytes body;
};

// The chain rule, for anyone who checks a ledger without this class.
[[nodiscard]] Hash256 row_hash(const Hash256& previous, std::uint64_t seq, RowKind kind, ByteView body);

class Ledger {
 public:
  // Opens or creates the file. With `read_only` it must exist and nothing is written.
  [[nodiscard]] static Result<Ledger> open(const std::filesystem::path& path, bool read_only = false);
  Ledger(Ledger&& other) noexcept;
  Ledger& operator=(Ledger&& other) noexcept;
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;
  ~Ledger();

  [[nodiscard]] Result<void> append(const std::vector<NewRow>& rows);
  // Every row from `first` on, in order, to `visit`; an error of `visit` ends the walk and is returned.
  // Checks the hash chain from row `first` on (its predecessor's stored hash is trusted).
  [[nodiscard]] Result<void> walk(std::uint64_t first,
                                  const std::function<Result<void>(const Row&)>& visit) const;
  // The newest row's number and hash; 0 and zeros for an empty ledger.
  [[nodiscard]] std::uint64_t size() const { return last_seq_; }
  [[nodiscard]] const Hash256& head() const { return last_hash_; }

  // A small durable value beside the rows, for secrets that must not be published with them.
  [[nodiscard]] Result<void> put_secret(std::uint64_t step, const Hash256& secret);
  [[nodiscard]] Result<Bytes> secret(std::uint64_t step) const;  // kNotFound if none

 private:
  struct Close {
    void operator()(sqlite3* db) const noexcept;
  };
  explicit Ledger(std::unique_ptr<sqlite3, Close> db, std::filesystem::path path)
      : db_(std::move(db)), path_(std::move(path)) {}
  [[nodiscard]] Result<void> prepare(bool read_only);
  [[nodiscard]] Result<void> execute(const char* sql) const;
  [[nodiscard]] Result<void> append_in_transaction(const std::vector<NewRow>& rows, std::uint64_t& seq,
                                                   Hash256& hash);
  [[nodiscard]] tl::unexpected<Error> failed(const char* doing) const;

  std::unique_ptr<sqlite3, Close> db_;
  std::filesystem::path path_;
  std::uint64_t last_seq_ = 0;
  Hash256 last_hash_{};
};

}  // namespace adit::validator
