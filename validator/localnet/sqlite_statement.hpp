// SPDX-License-Identifier: MIT
// validator/localnet/sqlite_statement.hpp
//
// One prepared SQLite statement, finalised at the end of its scope.
//
// Use      bind from 1, step until it gives false, read columns from 0; ok() says whether all went well.
// Errors   ok() is false after any failure; sqlite3_errmsg of the database says why.
// Threads  one.
// Tests    tests/unit/validator/localnet/store_test.cpp
#pragma once

#include <optional>

#include <sqlite3.h>

#include "common/base/bytes.hpp"

namespace adit::validator {

class SqliteStatement {
 public:
  SqliteStatement(sqlite3* db, const char* sql)
      : code_(sqlite3_prepare_v2(db, sql, -1, &statement_, nullptr)) {}
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;
  ~SqliteStatement() { sqlite3_finalize(statement_); }

  void bind(int index, std::uint64_t value) {
    keep(sqlite3_bind_int64(statement_, index, static_cast<sqlite3_int64>(value)));
  }
  // The bytes are copied. Not an empty pointer: SQLite would store NULL.
  void bind(int index, ByteView value) {
    const void* data = value.empty() ? static_cast<const void*>("") : value.data();
    keep(sqlite3_bind_blob64(statement_, index, data, value.size(), kTransient));
  }
  void bind_null(int index) { keep(sqlite3_bind_null(statement_, index)); }

  // True: a row is there.
  bool step() {
    if (code_ != SQLITE_OK) return false;
    const int result = sqlite3_step(statement_);
    if (result == SQLITE_ROW) return true;
    if (result != SQLITE_DONE) code_ = result;
    return false;
  }
  void reset() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  [[nodiscard]] bool ok() const { return code_ == SQLITE_OK; }

  [[nodiscard]] std::uint64_t integer(int column) const {
    return static_cast<std::uint64_t>(sqlite3_column_int64(statement_, column));
  }
  [[nodiscard]] bool is_null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
  }
  [[nodiscard]] Bytes blob(int column) const {
    const void* data = sqlite3_column_blob(statement_, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    if (data == nullptr || size == 0) return {};
    return to_bytes({static_cast<const std::uint8_t*>(data), size});
  }

 private:
  // SQLITE_TRANSIENT without its old-style cast.
  static inline const sqlite3_destructor_type kTransient = reinterpret_cast<sqlite3_destructor_type>(-1);
  void keep(int code) {
    if (code_ == SQLITE_OK) code_ = code;
  }

  sqlite3_stmt* statement_ = nullptr;
  int code_ = SQLITE_OK;
};

}  // namespace adit::validator
