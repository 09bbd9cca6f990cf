// SPDX-License-Identifier: MIT
#include "validator/store/ledger.hpp"

#include <sqlite3.h>

#include "common/crypto/hash.hpp"

namespace adit::validator {
namespace {

constexpr int kSchemaVersion = 1;
constexpr const char* kSchema =
    "CREATE TABLE IF NOT EXISTS rows(seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, body BLOB NOT NULL,"
    " hash BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS secrets(step INTEGER PRIMARY KEY, value BLOB NOT NULL);";

class Statement {
 public:
  Statement(sqlite3* db, const char* sql) { sqlite3_prepare_v2(db, sql, -1, &handle_, nullptr); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement() { sqlite3_finalize(handle_); }
  [[nodiscard]] bool ready() const { return handle_ != nullptr; }
  void bind(int index, std::uint64_t value) {
    sqlite3_bind_int64(handle_, index, static_cast<sqlite3_int64>(value));
  }
  void bind(int index, ByteView value) {
    sqlite3_bind_blob64(handle_, index,
                        value.data() == nullptr ? reinterpret_cast<const void*>("") : value.data(),
                        value.size(), SQLITE_STATIC);
  }
  [[nodiscard]] int step() { return sqlite3_step(handle_); }
  [[nodiscard]] std::uint64_t integer(int column) const {
    return static_cast<std::uint64_t>(sqlite3_column_int64(handle_, column));
  }
  [[nodiscard]] ByteView blob(int column) const {
    const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(handle_, column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
  }

 private:
  sqlite3_stmt* handle_ = nullptr;
};

}  // namespace

Hash256 row_hash(const Hash256& previous, std::uint64_t seq, RowKind kind, ByteView body) {
  Bytes head;
  append(head, previous);
  append_le<std::uint64_t>(head, seq);
  head.push_back(static_cast<std::uint8_t>(kind));
  crypto::PersonalHash hash("adit1.ledger");
  hash.update(head);
  hash.update(body);
  return hash.finish();
}

void Ledger::Close::operator()(sqlite3* db) const noexcept {
  sqlite3_close_v2(db);
}
Ledger::Ledger(Ledger&& other) noexcept = default;
Ledger& Ledger::operator=(Ledger&& other) noexcept = default;
Ledger::~Ledger() = default;

tl::unexpected<Error> Ledger::failed(const char* doing) const {
  const int code = sqlite3_errcode(db_.get());
  ErrorCode mapped = ErrorCode::kUnavailable;
  if (code == SQLITE_FULL) mapped = ErrorCode::kResourceExhausted;
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED) mapped = ErrorCode::kFailedPrecondition;
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) mapped = ErrorCode::kDataLoss;
  return make_error(mapped, "{}: {}: {}", path_.string(), doing, sqlite3_errmsg(db_.get()));
}

Result<void> Ledger::execute(const char* sql) const {
  if (sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return failed("ledger");
  return {};
}

Result<Ledger> Ledger::open(const std::filesystem::path& path, bool read_only) {
  sqlite3* raw = nullptr;
  const int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_FULLMUTEX, nullptr);
  Ledger ledger(std::unique_ptr<sqlite3, Close>(raw), path);
  if (code != SQLITE_OK) {
    const bool missing = read_only && !std::filesystem::exists(path);
    return make_error(missing ? ErrorCode::kNotFound : ErrorCode::kUnavailable, "{}: opening the ledger: {}",
                      path.string(), missing ? "no such file" : sqlite3_errstr(code));
  }
  ADIT_TRY_VOID(ledger.prepare(read_only));
  return ledger;
}

Result<void> Ledger::prepare(bool read_only) {
  sqlite3_busy_timeout(db_.get(), 5000);
  if (!read_only) {
    ADIT_TRY_VOID(execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"));
    ADIT_TRY_VOID(execute(kSchema));
    Statement version(db_.get(), "PRAGMA user_version");
    if (!version.ready() || version.step() != SQLITE_ROW) return failed("reading the schema version");
    if (version.integer(0) == 0) {
      ADIT_TRY_VOID(execute(("PRAGMA user_version=" + std::to_string(kSchemaVersion)).c_str()));
    } else if (version.integer(0) != kSchemaVersion) {
      return failed_precondition("{}: ledger schema {} but this program writes {}", path_.string(),
                                 version.integer(0), kSchemaVersion);
    }
  }
  Statement last(db_.get(), "SELECT seq, hash FROM rows ORDER BY seq DESC LIMIT 1");
  if (!last.ready()) return failed("reading the newest row");
  if (last.step() == SQLITE_ROW) {
    if (last.blob(1).size() != last_hash_.size()) {
      return data_loss("{}: row {}: hash of {} bytes", path_.string(), last.integer(0), last.blob(1).size());
    }
    last_seq_ = last.integer(0);
    std::copy(last.blob(1).begin(), last.blob(1).end(), last_hash_.begin());
  }
  return {};
}

Result<void> Ledger::append_in_transaction(const std::vector<NewRow>& rows, std::uint64_t& seq,
                                           Hash256& hash) {
  for (const NewRow& row : rows) {
    hash = row_hash(hash, ++seq, row.kind, row.body);
    Statement insert(db_.get(), "INSERT INTO rows(seq, kind, body, hash) VALUES(?, ?, ?, ?)");
    if (!insert.ready()) return failed("appending");
    insert.bind(1, seq);
    insert.bind(2, static_cast<std::uint64_t>(row.kind));
    insert.bind(3, ByteView(row.body));
    insert.bind(4, ByteView(hash));
    if (insert.step() != SQLITE_DONE) return failed("appending");
  }
  return {};
}

Result<void> Ledger::append(const std::vector<NewRow>& rows) {
  if (rows.empty()) return {};
  std::uint64_t seq = last_seq_;
  Hash256 hash = last_hash_;
  ADIT_TRY_VOID(execute("BEGIN IMMEDIATE"));
  Result<void> done = append_in_transaction(rows, seq, hash);
  if (done) done = execute("COMMIT");
  if (!done) {
    sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    return done;
  }
  last_seq_ = seq;
  last_hash_ = hash;
  return {};
}

Result<void> Ledger::walk(std::uint64_t first, const std::function<Result<void>(const Row&)>& visit) const {
  Hash256 previous{};
  std::uint64_t expected = std::max<std::uint64_t>(first, 1);
  if (expected > 1) {
    Statement before(db_.get(), "SELECT hash FROM rows WHERE seq = ?");
    if (!before.ready()) return failed("reading");
    before.bind(1, expected - 1);
    if (before.step() != SQLITE_ROW || before.blob(0).size() != previous.size()) {
      return data_loss("{}: row {} is missing", path_.string(), expected - 1);
    }
    std::copy(before.blob(0).begin(), before.blob(0).end(), previous.begin());
  }
  Statement select(db_.get(), "SELECT seq, kind, body, hash FROM rows WHERE seq >= ? ORDER BY seq");
  if (!select.ready()) return failed("reading");
  select.bind(1, expected);
  int code = select.step();
  for (; code == SQLITE_ROW; code = select.step()) {
    Row row;
    row.seq = select.integer(0);
    row.kind = static_cast<RowKind>(select.integer(1));
    row.body = to_bytes(select.blob(2));
    row.hash = row_hash(previous, row.seq, row.kind, row.body);
    const ByteView stored = select.blob(3);
    if (row.seq != expected || !std::equal(stored.begin(), stored.end(), row.hash.begin(), row.hash.end())) {
      return data_loss("{}: row {}: does not follow from row {} (changed, removed or reordered)",
                       path_.string(), row.seq, expected - 1);
    }
    ADIT_TRY_VOID(visit(row));
    previous = row.hash;
    ++expected;
  }
  if (code != SQLITE_DONE) return failed("reading");
  return {};
}

Result<void> Ledger::put_secret(std::uint64_t step, const Hash256& secret) {
  Statement insert(db_.get(), "INSERT OR IGNORE INTO secrets(step, value) VALUES(?, ?)");
  if (!insert.ready()) return failed("writing a secret");
  insert.bind(1, step);
  insert.bind(2, ByteView(secret));
  if (insert.step() != SQLITE_DONE) return failed("writing a secret");
  return {};
}

Result<Bytes> Ledger::secret(std::uint64_t step) const {
  Statement select(db_.get(), "SELECT value FROM secrets WHERE step = ?");
  if (!select.ready()) return failed("reading a secret");
  select.bind(1, step);
  const int code = select.step();
  if (code == SQLITE_DONE) return not_found("{}: no secret of step {}", path_.string(), step);
  if (code != SQLITE_ROW) return failed("reading a secret");
  return to_bytes(select.blob(0));
}

}  // namespace adit::validator
