// SPDX-License-Identifier: MIT
// validator/localnet/chain_store.hpp
//
// The chain on disk: every block, and the state with its recent history, in one SQLite file.
//
// In       dir: the state folder (made if absent), or none for a chain that lives in memory only.
// Out      append is atomic: after a crash the chain stands at the last block that was appended.
// Errors   kPermissionDenied, kUnavailable (another process uses it), kDataLoss (a checksum or the state
//          root is wrong, or the file is no chain of ours), kResourceExhausted (disk full); each names the
//          file.
// Threads  one at a time; the owner locks.
// Source   sqlite.org "Write-Ahead Logging"
// Tests    tests/unit/validator/localnet/store_test.cpp
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "common/base/result.hpp"
#include "validator/localnet/block.hpp"
#include "validator/localnet/versioned_map.hpp"

struct sqlite3;

namespace adit::validator {

class ChainStore {
 public:
  // history_blocks: how far back state can be read.
  [[nodiscard]] static Result<std::unique_ptr<ChainStore>> open(
      const std::optional<std::filesystem::path>& dir, BlockNumber history_blocks);
  ChainStore(const ChainStore&) = delete;
  ChainStore& operator=(const ChainStore&) = delete;
  ~ChainStore();

  // Nothing was ever appended.
  [[nodiscard]] bool empty() const { return !head_; }
  [[nodiscard]] const Block& head() const { return *head_; }
  [[nodiscard]] const VersionedMap& state() const { return state_; }
  [[nodiscard]] Result<void> append(Block block, const Changes& changes);
  // None: no such block.
  [[nodiscard]] Result<std::optional<Block>> block(BlockNumber number) const;
  [[nodiscard]] Result<std::optional<Block>> block(const Hash256& hash) const;

 private:
  ChainStore(sqlite3* db, std::string name, BlockNumber history_blocks);
  [[nodiscard]] Result<void> prepare_schema();
  [[nodiscard]] Result<void> load();
  [[nodiscard]] Result<void> execute(const char* sql) const;
  [[nodiscard]] Result<void> write_block(const Block& block) const;
  [[nodiscard]] Result<void> write_changes(BlockNumber number, const Changes& changes) const;
  [[nodiscard]] Result<void> drop_versions(const std::vector<VersionedMap::Dropped>& dropped) const;
  [[nodiscard]] tl::unexpected<Error> sql_error(const char* doing) const;

  sqlite3* db_;
  // For messages: the file's path, or "memory".
  std::string name_;
  VersionedMap state_;
  std::optional<Block> head_;
};

}  // namespace adit::validator
