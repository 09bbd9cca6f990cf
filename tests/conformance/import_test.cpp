// SPDX-License-Identifier: MIT
// How little importing loses: the test model with its linears stored anew as Q4_0, Q8_0 or Q5_1, packed as
// stored, against the f32 reference of the same stored blocks. The files of llama.cpp's own quantiser are
// measured with `adit-miner eval` (kernels/NUMERICS.md, "Imports").
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

#include "common/base/files.hpp"
#include "common/model/eval.hpp"
#include "common/model/gguf_blocks.hpp"
#include "common/model/pack_writer.hpp"
#include "common/model/tokenizer.hpp"
#include "kernels/core/numerics.h"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_model.hpp"

namespace adit::model {
namespace {

using kernels::ActForm;

constexpr std::size_t kTokens = 256;

void put_f16(Bytes& out, float value) {
  append_le(out, kernels::f16_from_f32(value));
}

void put_nibbles(Bytes& out, const std::array<int, 32>& codes) {
  for (std::size_t i = 0; i < 16; ++i) {
    out.push_back(static_cast<std::uint8_t>((codes[i] & 15) | (codes[i + 16] & 15) << 4));
  }
}

void put_block(GgufType type, const float* x, Bytes& out) {
  const auto [low, high] = std::minmax_element(x, x + 32);
  std::array<int, 32> codes{};
  const auto code = [&](float d, float m, int from, int to) {
    for (std::size_t i = 0; i < 32; ++i) {
      const float exact = d == 0 ? 0 : (x[i] - m) / d;
      codes[i] = std::clamp(static_cast<int>(std::lround(exact)), from, to);
    }
  };
  if (type == GgufType::kQ8_0) {
    const float d = std::max(-*low, *high) / 127;
    put_f16(out, d);
    code(d, 0, -127, 127);
    for (const int c : codes) out.push_back(static_cast<std::uint8_t>(c));
  } else if (type == GgufType::kQ4_0) {
    const float d = (-*low > *high ? *low : *high) / -8;
    put_f16(out, d);
    code(d, -8 * d, 0, 15);
    put_nibbles(out, codes);
  } else {
    const float d = (*high - *low) / 31;
    put_f16(out, d);
    put_f16(out, *low);
    code(d, *low, 0, 31);
    std::uint32_t fifth = 0;
    for (std::size_t i = 0; i < 32; ++i) fifth |= static_cast<std::uint32_t>(codes[i] >> 4) << i;
    append_le(out, fifth);
    put_nibbles(out, codes);
  }
}

// Another source's model, its layers' linears stored as `type`.
class Restored final : public WeightSource {
 public:
  Restored(const WeightSource& from, GgufType type) : from_(from), type_(type) {}
  const std::string& label() const override { return from_.label(); }
  const ModelConfig& config() const override { return from_.config(); }
  const std::vector<std::string>& notes() const override { return from_.notes(); }
  Result<TokenizerParts> tokenizer() const override { return from_.tokenizer(); }
  Result<std::string> chat_template() const override { return from_.chat_template(); }
  Result<PartStorage> storage(const Part& part) const override {
    ADIT_TRY(PartStorage out, from_.storage(part));
    if (is_restored(part)) out.type = type_;
    return out;
  }
  Result<ByteView> row(const Part& part, int row, Bytes& scratch) const override {
    if (!is_restored(part)) return from_.row(part, row, scratch);
    std::vector<float> values(static_cast<std::size_t>(part.k));
    ADIT_TRY_VOID(read_rows(from_, part, row, 1, values.data()));
    scratch.clear();
    for (std::size_t i = 0; i < values.size(); i += 32) put_block(type_, values.data() + i, scratch);
    return ByteView(scratch);
  }
  Result<void> bias(const Part& part, float* out) const override { return from_.bias(part, out); }
  std::string place(const Part& part, int row) const override { return from_.place(part, row); }

 private:
  static bool is_restored(const Part& part) { return part.kind == PartKind::kLinear && part.layer >= 0; }
  const WeightSource& from_;
  GgufType type_;
};

struct Import {
  const char* name;
  GgufType type;
  ActForm act;
  double kl_max;
};

void PrintTo(const Import& import, std::ostream* out) {
  *out << import.name;
}

class Imports : public ::testing::TestWithParam<Import> {};

TEST_P(Imports, lose_next_to_nothing) {
  const auto path = test::test_model();
  if (!path) GTEST_SKIP() << test::kNoTestModel;
  const auto published = open_weights(*path).value();
  const Restored source(*published, GetParam().type);
  const test::TempDir dir;
  const auto packed = pack_model(source, dir.path() / "p.adit", {.bits = kBitsAsStored, .act = GetParam().act}, {});
  ASSERT_TRUE(packed) << packed.error().message;
  const bool is_u4 = GetParam().type == GgufType::kQ4_0;
  EXPECT_EQ(packed->linears_u4 > 0, is_u4);
  const Pack pack = Pack::open(dir.path() / "p.adit").value();
  const Reference reference = Reference::from_source(source, 0).value();
  const Bytes text = read_file(std::string(ADIT_SOURCE_DIR) + "/tests/data/eval.txt", 1 << 20).value();
  auto ids = Tokenizer::from_blob(pack.tokenizer_json()).value().encode(as_text(text), false).value();
  ids.resize(kTokens);
  const auto a = reference_source(reference);
  const auto b = engine_source(pack, {.threads = 2});
  const auto report = compare_models(ids, *a, *b, {.vocab = pack.config().vocab}, {}).value();
  std::printf("%s: mean KL %.3g, top-1 %.4f\n", GetParam().name, report.mean_kl, report.top1);
  EXPECT_LE(report.mean_kl, GetParam().kl_max);
  EXPECT_GT(report.mean_kl, 0.0);
}

INSTANTIATE_TEST_SUITE_P(Types, Imports,
                         ::testing::Values(Import{"q4_0", GgufType::kQ4_0, ActForm::kA16, 5e-4},
                                           Import{"q8_0", GgufType::kQ8_0, ActForm::kA16, 5e-4},
                                           Import{"q5_1", GgufType::kQ5_1, ActForm::kA16, 3e-3},
                                           Import{"q4_0_a8g32", GgufType::kQ4_0, ActForm::kA8g32, 5e-3},
                                           Import{"q8_0_a8g32", GgufType::kQ8_0, ActForm::kA8g32, 5e-3}),
                         [](const auto& import) { return std::string(import.param.name); });

}  // namespace
}  // namespace adit::model
