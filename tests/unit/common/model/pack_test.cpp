// SPDX-License-Identifier: MIT
#include "common/model/pack.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <fstream>

#include "common/base/files.hpp"
#include "common/model/gguf_model.hpp"
#include "common/model/linear_tiles.hpp"
#include "common/model/pack_format.hpp"
#include "common/model/pack_writer.hpp"
#include "common/model/tokenizer.hpp"
#include "tests/support/damaged_pack.hpp"
#include "tests/support/temp_dir.hpp"

namespace adit::model {
namespace {

using kernels::ActForm;

std::filesystem::path vector_path(const std::string& name) {
  return std::filesystem::path(ADIT_TEST_VECTORS) / "pack" / name;
}

struct Golden {
  const char* name;
  PackOptions options;
};
const Golden kGolden[] = {{"tiny-w4-a16.adit", {.bits = 4, .act = ActForm::kA16, .threads = 2}},
                          {"tiny-w8-a8g.adit", {.bits = 8, .act = ActForm::kA8g32, .threads = 1}}};

// What another implementation computed from the page that specifies it.
std::string golden_hash(const std::string& name) {
  std::ifstream lines(vector_path("hashes.txt"));
  std::string hash, file;
  while (lines >> hash >> file) {
    if (file == name) return hash;
  }
  return "absent";
}

TEST(Pack, content_hash_is_what_another_implementation_computes) {
  for (const Golden& golden : kGolden) {
    const auto pack = Pack::open(vector_path(golden.name));
    ASSERT_TRUE(pack) << pack.error().message;
    EXPECT_EQ(to_hex(pack->content_hash()), golden_hash(golden.name));
    const auto verified = pack->verify_content_hash();
    EXPECT_TRUE(verified) << verified.error().message;
  }
}

TEST(Pack, the_hash_of_every_family_is_what_another_implementation_computes) {
  const test::TempDir dir;
  for (const char* family : {"llama", "qwen2", "qwen3", "deepseek_v2", "deepseek_v3", "deepseek_v32"}) {
    for (const int bits : {8, 4}) {
      const std::string name = fmt::format("{}-w{}-a16.adit", family, bits);
      const auto folder = std::filesystem::path(ADIT_TEST_VECTORS) / "hf" / family;
      const auto summary = pack_model(folder, dir.path() / name, {.bits = bits, .threads = 1}, {});
      ASSERT_TRUE(summary) << summary.error().message;
      EXPECT_EQ(to_hex(summary->content_hash), golden_hash(name)) << name;
    }
  }
}

TEST(Pack, the_hash_of_every_group_size_is_what_another_implementation_computes) {
  const test::TempDir dir;
  for (const char* family : {"llama", "deepseek_v2"}) {
    for (const int bits : {8, 4}) {
      for (const char* group : {"64", "128", "row"}) {
        const std::string name = fmt::format("{}-w{}-a16-g{}.adit", family, bits, group);
        const auto folder = std::filesystem::path(ADIT_TEST_VECTORS) / "hf" / family;
        const auto summary = pack_model(folder, dir.path() / name,
                                        {.bits = bits, .group = parse_group(group).value(), .threads = 1}, {});
        ASSERT_TRUE(summary) << summary.error().message;
        EXPECT_EQ(to_hex(summary->content_hash), golden_hash(name)) << name;
      }
    }
  }
  const auto refused = pack_model(vector_path("tiny.gguf"), dir.path() / "x.adit",
                                  {.bits = kBitsAsStored, .group = kernels::ScaleGroup::k64}, {});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("groups of 64"), std::string::npos);
}

TEST(Pack, packing_gives_the_same_bytes_on_every_machine_and_thread_count) {
  const test::TempDir dir;
  for (const Golden& golden : kGolden) {
    const auto out = dir.path() / golden.name;
    double last = 0;
    const auto summary =
        pack_model(vector_path("tiny.gguf"), out, golden.options, [&](double done, std::string_view) {
          EXPECT_GE(done, last);
          last = done;
        });
    ASSERT_TRUE(summary) << summary.error().message;
    EXPECT_EQ(last, 1.0);
    EXPECT_EQ(to_hex(summary->content_hash), golden_hash(golden.name));
    const Bytes made = read_file(out, 1 << 20).value();
    EXPECT_EQ(made, read_file(vector_path(golden.name), 1 << 20).value());
    EXPECT_EQ(summary->file_bytes, made.size());
  }
}

TEST(Pack, holds_the_configuration_the_tokenizer_and_the_weights_of_its_source) {
  const auto gguf = Gguf::open(vector_path("tiny.gguf"));
  const auto pack = Pack::open(vector_path("tiny-w8-a8g.adit"));
  ASSERT_TRUE(gguf && pack);
  const ModelConfig& c = pack->config();
  EXPECT_EQ(c, config_from_gguf(*gguf).value());
  EXPECT_EQ(c.stop_ids, std::vector<TokenId>{2});
  EXPECT_EQ(c.bos, 1);
  EXPECT_TRUE(Tokenizer::from_blob(pack->tokenizer_json()));
  EXPECT_EQ(pack->chat_template(), gguf->string_at("tokenizer.chat_template").value());
  EXPECT_EQ(pack->layers()[0].up.act, ActForm::kA8g32);
  EXPECT_EQ(pack->head().act, ActForm::kA16);
  EXPECT_EQ(pack->embedding().q, pack->head().q);
  EXPECT_EQ(pack->inv_freq()[0], 1.0);
  for (int i = 0; i < c.head_dim / 2; ++i) {
    EXPECT_NEAR(pack->inv_freq()[static_cast<std::size_t>(i)],
                std::pow(c.rope_theta, -2.0 * i / c.head_dim), 1e-15);
  }
  // Row h*d + i of q is row h*d + 2i of the file for i < d/2, and h*d + 2(i - d/2) + 1 from there on.
  const GgufTensor* source = gguf->tensor("blk.0.attn_q.weight").value();
  std::vector<float> row(static_cast<std::size_t>(c.hidden));
  RowCodes codes;
  for (int m = 0; m < c.heads * c.head_dim; ++m) {
    const int half = c.head_dim / 2, i = m % c.head_dim;
    const int from = m - i + (i < half ? 2 * i : 2 * (i - half) + 1);
    ASSERT_TRUE(gguf->dequantize(*source, static_cast<std::uint64_t>(from), 1, row.data()));
    read_row(pack->layers()[0].q, m, codes);
    for (std::size_t k = 0; k < row.size(); ++k) {
      EXPECT_NEAR(static_cast<float>(codes.s[k / 32] * codes.q[k]) * codes.rs, row[k], 0.01f)
          << m << " " << k;
    }
  }
}

// The golden pack in aligned memory, to be damaged.
class Damaged : public test::DamagedPack {
 public:
  explicit Damaged(const char* name = "tiny-w4-a16.adit")
      : DamagedPack(read_file(vector_path(name), 1 << 20).value()) {}
  // The first byte of a tensor's data.
  std::size_t offset_of(const std::string& tensor) {
    const std::string_view text = as_text(bytes());
    const std::size_t entry = text.find("\"" + tensor + "\":{\"data_offsets\":[");
    const std::size_t number = text.find('[', entry) + 1;
    return 8 + load_le<std::uint64_t>(bytes().data()) + std::stoul(std::string(text.substr(number, 12)));
  }
};

TEST(Pack, a_table_that_does_not_fit_is_refused_by_tensor_and_offset) {
  ASSERT_TRUE(Damaged().parse());
  const auto refused = [](const std::string& from, const std::string& to, const std::string& part) {
    Damaged damaged;
    damaged.replace(from, to);
    damaged.expect_refused(part);
  };
  refused("adit.pack/1", "adit.pack/2", "format");
  refused("\"final_norm\"", "\"final_nor_\"", "final_norm is missing");
  refused("\"shape\":[17,2,16]", "\"shape\":[17,4,8]\n", "tensor embedding.s");
  refused("\"shape\":[17,2,16]", "\"shape\":[17,2,17]", "tensor embedding.s");
  refused("\"dtype\":\"F64\"", "\"dtype\":\"I64\"", "rope.inv_freq: I64 [8], expected F64 [8]");
  refused("\"data_offsets\"", "\"data_offsetz\"", "expected an object with dtype");
  refused("\\\"layers\\\":1", "\\\"layers\\\":2", "layers.1.attn_norm");
  refused("\\\"hidden\\\":40", "\\\"hidden\\\":48", "expected F32 [48]");
  refused("\\\"form\\\":\\\"i8\\\"", "\\\"form\\\":\\\"i9\\\"", "form is neither");
  refused("\\\"act\\\":\\\"a16\\\"", "\\\"act\\\":\\\"a17\\\"", "act is neither");
  refused("\"content_hash\":\"2", "\"content_hash\":\"x", "content_hash");
  refused("\"tokenizer\":", "\"tokenizes\":", "no tokenizer");
}

// What many tokens' kernels ask of offsets is looked up once, when the pack is opened.
TEST(Pack, says_of_its_four_bit_linears_whether_raised_offsets_fit) {
  Damaged damaged;
  const auto raised = [&] {
    const auto pack = damaged.parse();
    EXPECT_TRUE(pack);
    return pack && pack->layers()[0].gate.raised_fit;
  };
  EXPECT_TRUE(raised());
  // Row 0's first offset, beside any scale above 0.
  const std::size_t at = damaged.offset_of("layers.0.ffn_gate.o");
  damaged.bytes()[at] = 0xff;
  damaged.bytes()[at + 1] = 0x7f;
  EXPECT_FALSE(raised());
}

TEST(Pack, truncations_and_tails_are_refused) {
  const Bytes whole = Damaged().bytes();
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{7}, std::size_t{8}, std::size_t{100}, whole.size() - 1}) {
    Damaged damaged;
    damaged.bytes().resize(size);
    damaged.expect_refused("");
  }
  Damaged longer;
  longer.bytes().push_back(0);
  longer.expect_refused("1 bytes of no tensor");
  Damaged lying;
  for (std::size_t i = 0; i < 8; ++i) lying.bytes()[i] = 255;
  lying.expect_refused("a table of");
}

TEST(Pack, numbers_out_of_the_contract_are_refused) {
  Damaged scale;
  scale.bytes()[scale.offset_of("layers.0.attn_q.s") + 1] = 0x70;
  scale.expect_refused("tensor layers.0.attn_q.s: a scale of");
  Damaged row_scale;
  const std::uint8_t infinity[4] = {0, 0, 0x80, 0x7f};
  std::copy_n(infinity, 4,
              row_scale.bytes().begin() + static_cast<std::ptrdiff_t>(row_scale.offset_of("embedding.rs")));
  row_scale.expect_refused("tensor embedding.rs: value 0 is not finite");
  Damaged frequency;
  frequency.bytes()[frequency.offset_of("rope.inv_freq") + 7] |= 0x80;
  frequency.expect_refused("rope.inv_freq: a frequency of -1");
  // 264 rows: half of the last tile of the embedding is padding.
  Damaged padding;
  padding.bytes()[padding.offset_of("embedding.s") + 2 * (16 * 2 * 16 + 8)] = 1;
  padding.expect_refused("padding that is not 0");
}

// What the file says of the groups decides how long its scales are.
TEST(Pack, a_group_size_that_does_not_fit_the_scales_is_refused) {
  const test::TempDir dir;
  const auto out = dir.path() / "p.adit";
  ASSERT_TRUE(pack_model(vector_path("tiny.gguf"), out, {.bits = 4, .group = kernels::ScaleGroup::k64}, {}));
  const Bytes whole = read_file(out, 1 << 20).value();
  ASSERT_TRUE(test::DamagedPack(whole).parse());
  for (const auto& [to, part] : {std::pair{"\\\"group\\\":\\\"65\\\"", "group 65: expected 32, 64, 128 or row"},
                                 {"\\\"group\\\":\\\"32\\\"", "group 32, which is not written"},
                                 {"\\\"grouq\\\":\\\"64\\\"", "expected form, act"},
                                 {"\\\"group\\\":\\\"6\\\" ", "group 6: expected"},
                                 {"\\\"group\\\":    64", "group is not a text"}}) {
    test::DamagedPack damaged(whole);
    damaged.replace("\\\"group\\\":\\\"64\\\"", to);
    damaged.expect_refused(part);
  }
  // A row of 40 columns has one scale in groups of 64 and two in groups of 32.
  test::DamagedPack scales(whole);
  scales.replace("\"shape\":[17,1,16]", "\"shape\":[17,2,16]");
  scales.expect_refused("tensor embedding.s");
}

TEST(Pack, a_changed_weight_or_proof_number_is_found_by_the_hash) {
  Damaged weight;
  weight.bytes()[weight.offset_of("layers.0.ffn_up.q")] ^= 1;
  const auto pack = weight.parse();
  ASSERT_TRUE(pack) << pack.error().message;
  EXPECT_EQ(pack->verify_content_hash().error().code, ErrorCode::kDataLoss);
  Damaged proof;
  const std::string_view text = as_text(proof.bytes());
  const std::size_t at = text.find("abs_row_max\\\":\\\"0") + 16;
  proof.bytes()[at + 18] = proof.bytes()[at + 18] == '9' ? '8' : '9';
  const auto other = proof.parse();
  ASSERT_TRUE(other) << other.error().message;
  EXPECT_NE(other->verify_content_hash().error().message.find("proof numbers"), std::string::npos);
}

TEST(Pack, a_write_that_fails_leaves_what_stood_there) {
  const test::TempDir dir;
  const auto out = dir.path() / "out.adit";
  ASSERT_TRUE(write_file_atomic(out, as_bytes("before")));
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const rlimit small{20000, old.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto result = pack_model(vector_path("tiny.gguf"), out, {}, {});
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("out.adit"), std::string::npos) << result.error().message;
  EXPECT_EQ(as_text(read_file(out, 100).value()), "before");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 1);
  EXPECT_EQ(pack_model(vector_path("tiny.gguf"), dir.path() / "no" / "x.adit", {}, {}).error().code,
            ErrorCode::kNotFound);
}

}  // namespace
}  // namespace adit::model
