// SPDX-License-Identifier: MIT
#include "common/model/declaration.hpp"

#include <gtest/gtest.h>

#include "common/base/files.hpp"
#include "common/crypto/hash.hpp"
#include "common/model/pack_writer.hpp"
#include "tests/support/damaged_pack.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_llama.hpp"

namespace adit::model {
namespace {

Declaration some() {
  return {.mean_kl = 0.00125,
          .bound = 0.003,
          .against = "f32 of m.gguf",
          .text_hash = crypto::blake2b_256(as_bytes("a text")),
          .text_bytes = 6,
          .positions = 2,
          .window = 1024};
}

constexpr std::uint64_t kBytesMax = std::uint64_t{1} << 24;

TEST(Declaration, is_one_text_for_one_declaration) {
  const std::string text = declaration_json(some());
  const auto back = parse_declaration(text);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, some());
  EXPECT_EQ(text,
            R"({"against":"f32 of m.gguf","bound":0.003,"mean_kl":0.00125,"positions":2,"text_bytes":6,"text_hash":")" +
                to_hex(some().text_hash) + R"(","window":1024})");
}

TEST(Declaration, what_is_no_declaration_is_refused_by_key) {
  const auto expect = [](const std::string& from, const std::string& to, const std::string& part) {
    std::string text = declaration_json(some());
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    const auto read = parse_declaration(text);
    ASSERT_FALSE(read) << text;
    EXPECT_NE(read.error().message.find(part), std::string::npos) << read.error().message;
  };
  expect("0.00125", "-1", "mean_kl is -1");
  expect("0.00125", "1e999", "7 entries");
  expect("0.00125", "null", "mean_kl is null");
  expect("0.00125", "\"0\"", "mean_kl is \"0\"");
  expect("0.003", "0", "bound is 0");
  expect("0.003", "2e6", "bound is 2000000.0");
  expect("\"positions\":2", "\"positions\":0", "positions is 0");
  expect("\"positions\":2", "\"positions\":2.5", "positions is 2.5");
  expect("\"positions\":2", "\"position\":2", "no positions");
  expect("\"positions\":2,", "", "7 entries");
  expect("1024", "99999999999999999", "window is");
  expect("f32 of m.gguf", "", "against is not a name");
  expect("f32 of m.gguf", "f32\\n", "against is not a name");
  expect("f32 of m.gguf", std::string(129, 'x'), "against is not a name");
  expect("\"text_hash\":\"", "\"text_hash\":\"0", "text_hash");
  expect("0.00125", "0.001250", "not in canonical form");
  expect("{", " {", "not in canonical form");
  expect("\"window\":1024", "\"window\":1024,\"more\":1", "7 entries");
  EXPECT_NE(parse_declaration(std::string(2000, ' ')).error().message.find("2000 bytes"), std::string::npos);
  EXPECT_FALSE(parse_declaration(""));
}

TEST(Declaration, names_are_cut_and_cleaned) {
  EXPECT_EQ(declarable("f32 of m.gguf"), "f32 of m.gguf");
  EXPECT_EQ(declarable("a\"b\\c\n\xc3\xa9"), "a_b_c___");
  EXPECT_EQ(declarable(""), "?");
  EXPECT_EQ(declarable(std::string(500, 'x')).size(), 128u);
}

class DeclaredPack : public ::testing::Test {
 protected:
  void make(bool declares) {
    ASSERT_TRUE(write_file_atomic(dir_.path() / "m.gguf", test::tiny_llama_gguf({.layers = 1})));
    ASSERT_TRUE(pack_model(dir_.path() / "m.gguf", path_, {.bits = 8, .declares = declares}, {}));
  }
  test::TempDir dir_;
  std::filesystem::path path_ = dir_.path() / "m.adit";
};

TEST_F(DeclaredPack, has_the_hash_and_the_data_of_the_pack_before) {
  make(true);
  const Bytes before = read_file(path_, kBytesMax).value();
  const Hash256 hash = Pack::open(path_)->content_hash();
  EXPECT_FALSE(Pack::open(path_)->declaration());
  Declaration long_one = some();
  long_one.against = std::string(128, 'x');
  long_one.mean_kl = 1.2345678901234567e-101;
  long_one.bound = 1.2345678901234567e-100;
  long_one.positions = long_one.text_bytes = long_one.window = std::uint64_t{1} << 53;
  for (const Declaration& declaration : {long_one, some()}) {
    const auto declared = declare(path_, declaration);
    ASSERT_TRUE(declared) << declared.error().message;
    const auto pack = Pack::open(path_);
    ASSERT_TRUE(pack) << pack.error().message;
    EXPECT_EQ(pack->declaration(), declaration);
    EXPECT_EQ(pack->content_hash(), hash);
    EXPECT_TRUE(pack->verify_content_hash());
    EXPECT_TRUE(check_declaration(*pack));
    const Bytes after = read_file(path_, kBytesMax).value();
    ASSERT_EQ(after.size(), before.size());
    const std::uint64_t data = 8 + load_le<std::uint64_t>(after.data());
    EXPECT_TRUE(std::equal(after.begin() + static_cast<std::ptrdiff_t>(data), after.end(),
                           before.begin() + static_cast<std::ptrdiff_t>(data)));
  }
}

TEST_F(DeclaredPack, needs_room) {
  make(false);
  const Bytes before = read_file(path_, kBytesMax).value();
  const auto declared = declare(path_, some());
  ASSERT_FALSE(declared);
  EXPECT_NE(declared.error().message.find("no room for a declaration"), std::string::npos);
  EXPECT_EQ(read_file(path_, kBytesMax).value(), before);
  EXPECT_TRUE(check_declaration(*Pack::open(path_)));
  EXPECT_FALSE(declare(dir_.path() / "none.adit", some()));
}

TEST_F(DeclaredPack, over_its_own_bound_or_damaged_is_refused) {
  make(true);
  ASSERT_TRUE(declare(path_, some()));
  test::DamagedPack worse(read_file(path_, kBytesMax).value());
  worse.replace("\\\"bound\\\":0.003,", "\\\"bound\\\":0.001,");
  const auto pack = worse.parse();
  ASSERT_TRUE(pack) << pack.error().message;
  const auto checked = check_declaration(*pack);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::kAborted);
  EXPECT_NE(checked.error().message.find("mean KL of 0.00125, over its own bound of 0.001"), std::string::npos)
      << checked.error().message;
  test::DamagedPack damaged(read_file(path_, kBytesMax).value());
  damaged.replace("0.00125", "-0.0012");
  damaged.expect_refused("declaration: mean_kl is -0.0012");
}

}  // namespace
}  // namespace adit::model
