// SPDX-License-Identifier: MIT
// Family by form by storage: a pruned model in any storage has the content hash of its dense form and gives its
// logits, bit for bit, on every instruction set and thread count.
#include <array>
#include <cstring>
#include <memory>

#include <gtest/gtest.h>

#include "common/model/eval.hpp"
#include "common/model/prune.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_model.hpp"

namespace adit::model {
namespace {

using kernels::ActForm;
using kernels::Isa;
using kernels::ScaleGroup;
using kernels::Storage;

struct Storages {
  const char* pattern;
  std::vector<StorageForm> forms;
};
std::vector<Storages> all_storages() {
  const StorageForm bitmask{Storage::kBitmask, 0, 0};
  return {{"2:4", {{Storage::k24, 0, 0}, bitmask}},
          {"4:8", {bitmask}},
          {"unstructured:0.6", {bitmask, {Storage::kBlock, 1, 32}}},
          {"block:16x64:0.5", {{Storage::kBlock, 16, 64}, bitmask}},
          {"block:32x32:0.5", {{Storage::kBlock, 32, 32}, {Storage::kBlock, 16, 32}}},
          {"block:1x128:0.5", {{Storage::kBlock, 1, 128}, {Storage::kBlock, 1, 32}}}};
}

std::vector<Isa> isas() {
  std::vector<Isa> out;
  for (const Isa isa : kernels::kIsas) {
    if (kernels::isa_supported(isa)) out.push_back(isa);
  }
  return out;
}

std::vector<float> logits_of(const Pack& pack, Isa isa, int threads) {
  std::vector<TokenId> ids;
  for (int i = 0; i < 23; ++i) ids.push_back(3 + (i * 37) % 200);
  const std::vector<std::vector<TokenId>> windows{ids};
  const auto source = engine_source(pack, {.isa = isa, .threads = threads});
  EXPECT_TRUE(source->begin(windows, {}));
  std::vector<float> out(ids.size() * static_cast<std::size_t>(pack.config().vocab));
  // A prompt of 20, then one token at a time.
  EXPECT_TRUE(source->logits(0, 0, 20, out.data()));
  for (int i = 20; i < 23; ++i) {
    EXPECT_TRUE(source->logits(0, i, 1, out.data() + static_cast<std::ptrdiff_t>(i) * pack.config().vocab));
  }
  return out;
}

Pack pruned_pack(const WeightSource& source, const std::filesystem::path& folder, const char* pattern,
                 const StorageForm& form, ActForm act, ScaleGroup group) {
  const Pruner pruner(parse_pattern(pattern).value(), 0, 99, nullptr, {form});
  Pack pack = test::pack_of(source, folder, {.bits = 8, .act = act, .group = group, .threads = 2, .prune = &pruner});
  EXPECT_EQ(pack.layers()[1].o.storage, form.storage) << pattern;
  EXPECT_EQ(pack.embedding().storage, Storage::kDense);
  const auto verified = pack.verify_content_hash();
  EXPECT_TRUE(verified) << verified.error().message;
  return pack;
}

TEST(Storage, any_storage_has_the_hash_and_the_logits_of_the_dense_one) {
  const test::TempDir dir;
  using Case = std::pair<const char*, ScaleGroup>;
  for (const auto& [family, group] :
       {Case{"llama", ScaleGroup::k32}, Case{"llama", ScaleGroup::kRow}, Case{"qwen2", ScaleGroup::k32},
        Case{"qwen3", ScaleGroup::k32}, Case{"qwen3", ScaleGroup::k64}, Case{"deepseek_v2", ScaleGroup::k32},
        Case{"deepseek_v3", ScaleGroup::k128}, Case{"deepseek_v32", ScaleGroup::k32}}) {
    const test::TinyModel source(test::tiny_config(family));
    for (const ActForm act : {ActForm::kA16, ActForm::kA8g32}) {
      for (const Storages& storages : all_storages()) {
        const Pack dense = pruned_pack(source, dir.path(), storages.pattern, StorageForm{}, act, group);
        const std::vector<float> want = logits_of(dense, Isa::kScalar, 1);
        for (const StorageForm& form : storages.forms) {
          const Pack pack = pruned_pack(source, dir.path(), storages.pattern, form, act, group);
          EXPECT_EQ(pack.content_hash(), dense.content_hash()) << storages.pattern;
          // The first is the one that fits the pattern.
          if (form == storages.forms.front()) {
            EXPECT_LT(pack.file_bytes(), dense.file_bytes()) << storages.pattern;
          }
          for (const Isa isa : isas()) {
            const std::vector<float> found = logits_of(pack, isa, isa == Isa::kScalar ? 1 : 3);
            EXPECT_EQ(std::memcmp(found.data(), want.data(), 4 * want.size()), 0)
                << family << " " << storages.pattern << " " << storage_name(form) << " "
                << kernels::isa_name(isa);
          }
        }
      }
    }
  }
}

TEST(Storage, pruning_gives_the_same_file_for_every_thread_count) {
  const test::TempDir dir;
  const test::TinyModel source(test::tiny_config("llama"));
  const auto pattern = parse_pattern("2:4").value();
  const Pruner pruner(pattern, 0, 99, nullptr, storages_of(pattern));
  std::vector<Bytes> files;
  for (const int threads : {1, 2, 4}) {
    const Pack pack = test::pack_of(source, dir.path(), {.bits = 8, .threads = threads, .prune = &pruner});
    EXPECT_EQ(pack.layers()[0].gate.storage, Storage::k24);
    files.push_back(read_file(pack.path(), 1 << 22).value());
  }
  EXPECT_EQ(files[0], files[1]);
  EXPECT_EQ(files[0], files[2]);
}

TEST(Storage, only_the_chosen_layers_are_pruned_and_others_take_their_bits) {
  const test::TempDir dir;
  const test::TinyModel source(test::tiny_config("llama"));
  const Pruner pruner(parse_pattern("2:4").value(), 1, 1, nullptr, {{Storage::k24, 0, 0}});
  const Pack pack = test::pack_of(source, dir.path(), {.bits = 4, .prune = &pruner});
  EXPECT_EQ(pack.layers()[0].up.form, kernels::WeightForm::kU4);
  EXPECT_EQ(pack.layers()[1].up.storage, Storage::k24);
  EXPECT_EQ(pack.layers()[2].up.storage, Storage::kDense);
}

TEST(Storage, wanda_sees_the_inputs_of_every_linear_and_differs_from_magnitude) {
  const test::TempDir dir;
  const test::TinyModel source(test::tiny_config("qwen3"));
  auto reference = Reference::from_source(source, 2);
  ASSERT_TRUE(reference);
  ColumnNorms norms;
  reference->observe(
      [&](const Part& part, int first, const float* x, int n) { norms.add(part, first, x, n); });
  const std::vector<std::vector<TokenId>> text{{3, 50, 60, 70, 80}, {9, 8, 7}};
  ASSERT_TRUE(reference->hidden(text));
  norms.finish();
  for (const Part& part : model_parts(source.config())) {
    if (part.kind != PartKind::kLinear || part.layer < 0) continue;
    ASSERT_NE(norms.of(part.name, part.m - 1), nullptr) << part.name;
  }
  // Linears that read one row have the same norms.
  for (int i = 0; i < source.config().hidden; ++i) {
    EXPECT_EQ(norms.of("layers.1.attn_q", 0)[i], norms.of("layers.1.attn_v", 5)[i]);
    EXPECT_GT(norms.of("layers.1.attn_q", 0)[i], 0.0f);
  }
  const auto pattern = parse_pattern("unstructured:0.5").value();
  const Pruner wanda(pattern, 0, 99, &norms, storages_of(pattern));
  const Pruner magnitude(pattern, 0, 99, nullptr, storages_of(pattern));
  const Pack a = test::pack_of(source, dir.path(), {.bits = 8, .prune = &wanda});
  const Pack b = test::pack_of(source, dir.path(), {.bits = 8, .prune = &magnitude});
  EXPECT_NE(a.content_hash(), b.content_hash());
  // Rows whose inputs were not seen go by magnitude.
  const ColumnNorms none;
  const Pruner blind(pattern, 0, 99, &none, storages_of(pattern));
  const Pack c = test::pack_of(source, dir.path(), {.bits = 8, .prune = &blind});
  EXPECT_EQ(c.content_hash(), b.content_hash());
}

}  // namespace
}  // namespace adit::model
