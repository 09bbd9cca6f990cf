// SPDX-License-Identifier: MIT
// Blocks and state on disk: history, restart, and files that lie.
#include <fstream>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "tests/support/temp_dir.hpp"
#include "validator/localnet/chain_store.hpp"

namespace adit::validator {
namespace {

Bytes key(const char* text) {
  return to_bytes(as_bytes(text));
}

class Chain {
 public:
  explicit Chain(const std::optional<std::filesystem::path>& dir, BlockNumber history = 100) {
    auto opened = ChainStore::open(dir, history);
    EXPECT_TRUE(opened) << opened.error().message;
    if (opened) store = *std::move(opened);
  }
  // A block whose root is right.
  void append(const Changes& changes) {
    Block block;
    if (!store->empty()) {
      block.header.parent = store->head().hash;
      block.header.number = store->head().header.number + 1;
    }
    block.extrinsics = {{1, 2, 3}, {static_cast<std::uint8_t>(block.header.number)}};
    block.header.state_root = store->state().root_with(changes);
    block.header.extrinsics_root = extrinsics_root(block.extrinsics);
    block.hash = block.header.hash();
    const Result<void> done = store->append(block, changes);
    ASSERT_TRUE(done) << done.error().message;
  }
  std::string value(const char* name, BlockNumber at) {
    const Bytes* found = store->state().find(key(name), at);
    return found == nullptr ? "none" : std::string(as_text(*found));
  }

  std::unique_ptr<ChainStore> store;
};

TEST(VersionedMap, RemembersEachBlockAndForgetsTheOldOnes) {
  Chain chain(std::nullopt, 3);
  chain.append({{key("a"), key("0")}, {key("b"), key("x")}});
  chain.append({{key("a"), key("1")}});
  chain.append({{key("b"), std::nullopt}});
  chain.append({{key("a"), key("3")}});
  EXPECT_EQ(chain.value("a", 0), "0");
  EXPECT_EQ(chain.value("a", 2), "1");
  EXPECT_EQ(chain.value("a", 3), "3");
  EXPECT_EQ(chain.value("b", 1), "x");
  EXPECT_EQ(chain.value("b", 2), "none");
  EXPECT_EQ(chain.store->state().horizon(), 0u);
  for (int i = 0; i < 5; ++i) chain.append({{key("c"), key("c")}});
  EXPECT_EQ(chain.store->state().horizon(), 5u);
  EXPECT_EQ(chain.value("a", 5), "3");
  EXPECT_EQ(chain.value("a", 8), "3");
  EXPECT_EQ(chain.value("b", 5), "none");
}

TEST(VersionedMap, ListsKeysOfAPrefixAfterAKey) {
  Chain chain(std::nullopt);
  chain.append({{key("p"), key("1")}, {key("pa"), key("1")}, {key("pb"), key("1")}, {key("q"), key("1")}});
  chain.append({{key("pa"), std::nullopt}});
  const VersionedMap& state = chain.store->state();
  EXPECT_EQ(state.keys(key("p"), {}, 10, 0), (std::vector<Bytes>{key("p"), key("pa"), key("pb")}));
  EXPECT_EQ(state.keys(key("p"), key("p"), 10, 0), (std::vector<Bytes>{key("pa"), key("pb")}));
  EXPECT_EQ(state.keys(key("p"), {}, 1, 1), (std::vector<Bytes>{key("p")}));
  EXPECT_EQ(state.keys(key("p"), key("p"), 10, 1), (std::vector<Bytes>{key("pb")}));
  EXPECT_TRUE(state.keys(key("p"), key("pz"), 10, 1).empty());
}

TEST(ChainStore, ComesBackWithStateHistoryAndBlocks) {
  const test::TempDir dir;
  Hash256 root{};
  Hash256 second{};
  {
    Chain chain(dir.path() / "state", 3);
    chain.append({{key("a"), key("0")}, {key("gone"), key("x")}});
    chain.append({{key("a"), key("1")}, {key("gone"), std::nullopt}});
    second = chain.store->head().hash;
    for (int i = 0; i < 6; ++i) chain.append({{key("n"), key(std::to_string(i).c_str())}});
    root = chain.store->state().root();
  }
  Chain chain(dir.path() / "state", 3);
  EXPECT_EQ(chain.store->head().header.number, 7u);
  EXPECT_EQ(chain.store->state().root(), root);
  EXPECT_EQ(chain.value("n", 6), "4");
  EXPECT_EQ(chain.value("n", 7), "5");
  EXPECT_EQ(chain.value("gone", 7), "none");
  const auto block = chain.store->block(second);
  ASSERT_TRUE(block && *block);
  EXPECT_EQ((*block)->header.number, 1u);
  EXPECT_EQ((*block)->extrinsics, (std::vector<Bytes>{{1, 2, 3}, {1}}));
  EXPECT_FALSE(*chain.store->block(BlockNumber{8}));
  EXPECT_FALSE(*chain.store->block(Hash256{}));
  chain.append({{key("a"), key("2")}});
  EXPECT_EQ(chain.value("a", 8), "2");
}

Result<std::unique_ptr<ChainStore>> reopen(const std::filesystem::path& dir) {
  return ChainStore::open(dir, 100);
}

TEST(ChainStore, OneProcessAtATime) {
  const test::TempDir dir;
  const Chain first(dir.path());
  const auto second = reopen(dir.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(second.error().message.find("another process uses it"), std::string::npos);
}

void run_sql(const std::filesystem::path& file, const char* sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
}

TEST(ChainStore, RefusesWhatWasTamperedWith) {
  const test::TempDir dir;
  const auto fresh = [&](const char* name) {
    Chain chain(dir.path() / name);
    chain.append({{key("a"), key("0")}});
    return dir.path() / name / "chain.sqlite";
  };
  run_sql(fresh("state"), "UPDATE state SET value = x'39'");
  EXPECT_EQ(reopen(dir.path() / "state").error().code, ErrorCode::kDataLoss);
  run_sql(fresh("block"), "UPDATE block SET body = x'00'");
  EXPECT_NE(reopen(dir.path() / "block").error().message.find("the checksum of block"), std::string::npos);
  run_sql(fresh("layout"), "PRAGMA user_version = 9");
  EXPECT_NE(reopen(dir.path() / "layout").error().message.find("has layout 9"), std::string::npos);
  std::filesystem::create_directories(dir.path() / "other");
  run_sql(dir.path() / "other" / "chain.sqlite", "CREATE TABLE t(x)");
  EXPECT_NE(reopen(dir.path() / "other").error().message.find("another program's database"),
            std::string::npos);
  std::filesystem::create_directories(dir.path() / "text");
  std::ofstream(dir.path() / "text" / "chain.sqlite") << std::string(8192, 'x');
  EXPECT_EQ(reopen(dir.path() / "text").error().code, ErrorCode::kDataLoss);
}

TEST(ChainStore, AFolderThatCannotBeMadeIsNamed) {
  const test::TempDir dir;
  std::ofstream(dir.path() / "file") << "x";
  const auto opened = reopen(dir.path() / "file" / "state");
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find((dir.path() / "file").string()), std::string::npos);
}

TEST(Header, EncodesAsTheChainDoes) {
  Header header;
  header.parent.fill(1);
  header.number = 300;
  header.state_root.fill(2);
  header.extrinsics_root.fill(3);
  const Bytes bytes = header.encode();
  EXPECT_EQ(bytes.size(), 32u + 2 + 32 + 32 + 1);
  EXPECT_EQ(to_hex(ByteView(bytes).subspan(32, 2)), "b104");
  const Result<Header> back = Header::decode(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->hash(), header.hash());
  EXPECT_FALSE(Header::decode(ByteView(bytes).first(90)));
}

}  // namespace
}  // namespace adit::validator
