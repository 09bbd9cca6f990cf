// SPDX-License-Identifier: MIT
#include "validator/localnet/chain_store.hpp"

#include <cerrno>
#include <system_error>

#include <sqlite3.h>

#include "common/base/files.hpp"
#include "common/crypto/hash.hpp"
#include "common/scale/decoder.hpp"
#include "common/scale/encoder.hpp"
#include "validator/localnet/sqlite_statement.hpp"

namespace adit::validator {
namespace {

constexpr const char* kFileName = "chain.sqlite";
// "adit" as a number, so that another program's database is not taken for a chain.
constexpr std::uint64_t kApplicationId = 0x61646974;
constexpr std::uint64_t kSchemaVersion = 1;

constexpr const char* kSchema =
    "PRAGMA application_id = 1633970548;"
    "PRAGMA user_version = 1;"
    "CREATE TABLE block(number INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, header BLOB NOT NULL,"
    " body BLOB NOT NULL, sum BLOB NOT NULL);"
    "CREATE TABLE state(key BLOB NOT NULL, block INTEGER NOT NULL, value BLOB,"
    " PRIMARY KEY(key, block)) WITHOUT ROWID;";

Bytes encode_body(const std::vector<Bytes>& extrinsics) {
  scale::Encoder out;
  out.compact(extrinsics.size());
  for (const Bytes& extrinsic : extrinsics) out.bytes(extrinsic);
  return out.take();
}

Result<std::vector<Bytes>> decode_body(ByteView bytes) {
  scale::Decoder in(bytes);
  ADIT_TRY(const std::size_t count, in.count(1));
  std::vector<Bytes> out;
  for (std::size_t i = 0; i < count; ++i) {
    ADIT_TRY(const ByteView extrinsic, in.bytes());
    out.push_back(to_bytes(extrinsic));
  }
  return out;
}

FixedBytes<16> row_sum(const Hash256& hash, ByteView header, ByteView body) {
  Bytes all = to_bytes(hash);
  append(all, header);
  append(all, body);
  return crypto::blake2b_128(all);
}

// The block of a row (hash, header, body, sum).
Result<Block> read_row(const SqliteStatement& row) {
  Block block;
  const Bytes hash = row.blob(0);
  const Bytes header = row.blob(1);
  const Bytes body = row.blob(2);
  const Bytes sum = row.blob(3);
  if (hash.size() != block.hash.size()) return data_loss("a block hash has {} bytes", hash.size());
  std::copy(hash.begin(), hash.end(), block.hash.begin());
  const FixedBytes<16> expected = row_sum(block.hash, header, body);
  if (!std::equal(sum.begin(), sum.end(), expected.begin(), expected.end())) {
    return data_loss("the checksum of block {} is wrong", to_hex(hash));
  }
  ADIT_TRY(block.header, Header::decode(header));
  ADIT_TRY(block.extrinsics, decode_body(body));
  return block;
}

}  // namespace

ChainStore::ChainStore(sqlite3* db, std::string name, BlockNumber history_blocks)
    : db_(db), name_(std::move(name)), state_(history_blocks) {}

ChainStore::~ChainStore() {
  sqlite3_close(db_);
}

tl::unexpected<Error> ChainStore::sql_error(const char* doing) const {
  const int code = sqlite3_errcode(db_) & 0xff;
  const char* why = sqlite3_errmsg(db_);
  switch (code) {
    case SQLITE_FULL:
      return resource_exhausted("{}: {}: {}", name_, doing, why);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return unavailable("{}: {}: another process uses it", name_, doing);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return data_loss("{}: {}: {}", name_, doing, why);
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return permission_denied("{}: {}: {}", name_, doing, why);
    default:
      return internal_error("{}: {}: {}", name_, doing, why);
  }
}

Result<void> ChainStore::execute(const char* sql) const {
  if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return sql_error("writing");
  return {};
}

Result<std::unique_ptr<ChainStore>> ChainStore::open(const std::optional<std::filesystem::path>& dir,
                                                     BlockNumber history_blocks) {
  std::string name = "memory";
  if (dir) {
    std::error_code failed;
    std::filesystem::create_directories(*dir, failed);
    if (failed) return system_error(*dir, "making the state folder", failed.value());
    name = (*dir / kFileName).string();
  }
  sqlite3* db = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(dir ? name.c_str() : ":memory:", &db, flags, nullptr);
  std::unique_ptr<ChainStore> store(new ChainStore(db, std::move(name), history_blocks));
  if (code != SQLITE_OK) return store->sql_error("opening");
  ADIT_TRY_VOID(store->prepare_schema());
  ADIT_TRY_VOID(store->load());
  return store;
}

Result<void> ChainStore::prepare_schema() {
  // One process at a time: the lock is taken by the first read and held.
  ADIT_TRY_VOID(
      execute("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
              "PRAGMA synchronous = NORMAL; BEGIN EXCLUSIVE;"));
  std::uint64_t application = 0;
  std::uint64_t version = 0;
  std::uint64_t tables = 0;
  {
    SqliteStatement id(db_, "PRAGMA application_id");
    if (id.step()) application = id.integer(0);
    SqliteStatement user(db_, "PRAGMA user_version");
    if (user.step()) version = user.integer(0);
    SqliteStatement count(db_, "SELECT count(*) FROM sqlite_master");
    if (count.step()) tables = count.integer(0);
    if (!id.ok() || !user.ok() || !count.ok()) return sql_error("reading");
  }
  if (tables == 0 && application == 0) {
    ADIT_TRY_VOID(execute(kSchema));
  } else if (application != kApplicationId) {
    return data_loss("{}: is another program's database", name_);
  } else if (version != kSchemaVersion) {
    return failed_precondition("{}: has layout {}, this program reads {}", name_, version, kSchemaVersion);
  }
  return execute("COMMIT");
}

Result<void> ChainStore::load() {
  SqliteStatement last(db_, "SELECT hash, header, body, sum FROM block ORDER BY number DESC LIMIT 1");
  if (!last.step()) return last.ok() ? Result<void>() : sql_error("reading");
  Result<Block> head = read_row(last);
  if (!head) return tl::unexpected<Error>(head.error().context(name_));
  SqliteStatement rows(db_, "SELECT key, block, value FROM state ORDER BY key, block");
  while (rows.step()) {
    std::optional<Bytes> value;
    if (!rows.is_null(2)) value = rows.blob(2);
    state_.restore(rows.blob(0), rows.integer(1), std::move(value));
  }
  if (!rows.ok()) return sql_error("reading");
  state_.restored(head->header.number);
  if (state_.root() != head->header.state_root) {
    return data_loss("{}: the state does not match the root in block {}", name_, head->header.number);
  }
  head_ = std::move(*head);
  return {};
}

Result<void> ChainStore::write_block(const Block& block) const {
  const Bytes header = block.header.encode();
  const Bytes body = encode_body(block.extrinsics);
  SqliteStatement insert(db_, "INSERT INTO block VALUES(?, ?, ?, ?, ?)");
  insert.bind(1, block.header.number);
  insert.bind(2, block.hash);
  insert.bind(3, header);
  insert.bind(4, body);
  insert.bind(5, row_sum(block.hash, header, body));
  insert.step();
  return insert.ok() ? Result<void>() : sql_error("writing a block");
}

Result<void> ChainStore::write_changes(BlockNumber number, const Changes& changes) const {
  SqliteStatement insert(db_, "INSERT OR REPLACE INTO state VALUES(?, ?, ?)");
  for (const auto& [key, value] : changes) {
    insert.reset();
    insert.bind(1, key);
    insert.bind(2, number);
    if (value) {
      insert.bind(3, *value);
    } else {
      insert.bind_null(3);
    }
    insert.step();
    if (!insert.ok()) return sql_error("writing state");
  }
  return {};
}

Result<void> ChainStore::drop_versions(const std::vector<VersionedMap::Dropped>& dropped) const {
  SqliteStatement remove(db_, "DELETE FROM state WHERE key = ? AND block < ?");
  for (const VersionedMap::Dropped& entry : dropped) {
    remove.reset();
    remove.bind(1, entry.key);
    remove.bind(2, entry.block + (entry.whole ? 1 : 0));
    remove.step();
    if (!remove.ok()) return sql_error("dropping old state");
  }
  return {};
}

Result<void> ChainStore::append(Block block, const Changes& changes) {
  const auto write = [&]() -> Result<void> {
    ADIT_TRY_VOID(execute("BEGIN IMMEDIATE"));
    ADIT_TRY_VOID(write_block(block));
    ADIT_TRY_VOID(write_changes(block.header.number, changes));
    return execute("COMMIT");
  };
  const Result<void> written = write();
  if (!written) {
    // The chain stays where it was; a rollback that fails has nothing left to undo.
    sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
    return written;
  }
  const auto dropped = state_.commit(block.header.number, changes);
  head_ = std::move(block);
  // The block stands. Old versions that a failure here leaves behind are dead weight and change no answer.
  if (!execute("BEGIN") || !drop_versions(dropped) || !execute("COMMIT")) {
    sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
  return {};
}

Result<std::optional<Block>> ChainStore::block(BlockNumber number) const {
  if (number == head_->header.number) return head_;
  SqliteStatement row(db_, "SELECT hash, header, body, sum FROM block WHERE number = ?");
  row.bind(1, number);
  if (!row.step()) return row.ok() ? Result<std::optional<Block>>(std::nullopt) : sql_error("reading");
  ADIT_TRY(Block block, read_row(row));
  return block;
}

Result<std::optional<Block>> ChainStore::block(const Hash256& hash) const {
  if (hash == head_->hash) return head_;
  SqliteStatement row(db_, "SELECT hash, header, body, sum FROM block WHERE hash = ?");
  row.bind(1, hash);
  if (!row.step()) return row.ok() ? Result<std::optional<Block>>(std::nullopt) : sql_error("reading");
  ADIT_TRY(Block block, read_row(row));
  return block;
}

}  // namespace adit::validator
