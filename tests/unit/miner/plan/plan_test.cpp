// SPDX-License-Identifier: MIT
#include "miner/plan/plan.hpp"

#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "common/model/kv_cache.hpp"
#include "common/model/pack.hpp"
#include "miner/plan/cards.hpp"
#include "tests/support/plan_models.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_llama.hpp"

namespace adit::miner {
namespace {

using test::deepseek_v2_lite;
using test::llama_8b;
using test::qwen_15b;

Device card(std::string_view name) {
  for (const Device& device : card_devices()) {
    if (device.name == name) return device;
  }
  ADD_FAILURE() << "no card " << name;
  return {};
}

// Figures: tests/conformance/plan_figures.py, which knows the published shapes and the pack format only.
void expect_size(const Footprint& size, std::uint64_t weights, std::uint64_t active, const PackSize& eight,
                 const PackSize& four) {
  EXPECT_EQ(weights, size.weights);
  EXPECT_EQ(active, size.active_weights);
  for (const auto& [want, got] :
       {std::pair(eight, size.packs[kEightBit]), std::pair(four, size.packs[kFourBit])}) {
    EXPECT_EQ(want.bits, got.bits);
    EXPECT_EQ(want.bytes, got.bytes) << got.bits;
    EXPECT_EQ(want.token_bytes, got.token_bytes) << got.bits;
  }
}

TEST(Plan, bytes_of_a_llama_8b) {
  const Footprint size = footprint(llama_8b());
  expect_size(size, 8'029'995'008, 7'504'658'432, {8, 8'539'466'240, 7'980'787'460},
              {4, 5'486'012'928, 4'927'334'148});
  // 32 layers, 8 heads of 128, keys and values, 2 bytes.
  EXPECT_EQ(131'072'000U, kv_bytes(size, 1000));
}

TEST(Plan, bytes_of_a_qwen2_with_biases) {
  const Footprint size = footprint(qwen_15b());
  expect_size(size, 1'776'943'104, 1'543'569'408, {8, 1'892'378'112, 1'643'812'452},
              {4, 1'319'167'488, 1'070'601'828});
  EXPECT_EQ(28'672'000U, kv_bytes(size, 1000));
}

TEST(Plan, bytes_of_a_deepseek_v2_lite) {
  const Footprint size = footprint(deepseek_v2_lite());
  expect_size(size, 15'706'357'760, 2'451'308'544, {8, 16'734'331'392, 2'621'094'532},
              {4, 10'047'791'616, 1'641'888'388});
  // 27 layers, one latent of 512 and 64 positions' dimensions, 2 bytes.
  EXPECT_EQ(31'104'000U, kv_bytes(size, 1000));
}

TEST(Plan, bytes_of_larger_groups) {
  using kernels::ScaleGroup;
  expect_size(footprint(llama_8b(), ScaleGroup::k64), 8'029'995'008, 7'504'658'432, {8, 8'288'528'896, 7'746'266'756},
              {4, 5'016'971'776, 4'474'709'636});
  expect_size(footprint(qwen_15b(), ScaleGroup::k128), 1'776'943'104, 1'543'569'408, {8, 1'809'083'904, 1'571'457'564},
              {4, 1'174'457'856, 936'831'516});
  expect_size(footprint(deepseek_v2_lite(), ScaleGroup::kRow), 15'706'357'760, 2'451'308'544,
              {8, 15'770'801'792, 2'471'130'758}, {4, 8'146'537'216, 1'354'863'366});
}

TEST(Plan, a_tied_head_is_stored_once_and_read_whole) {
  model::ModelConfig tied = qwen_15b();
  tied.tied_head = true;
  const Footprint one = footprint(tied);
  const Footprint two = footprint(qwen_15b());
  // [151936][1536] in int8: codes, scales, row scales.
  const std::uint64_t table = 151'936ULL * 1536 + 151'936ULL * 48 * 2 + 151'936ULL * 4;
  EXPECT_EQ(two.packs[kEightBit].bytes - table, one.packs[kEightBit].bytes);
  EXPECT_EQ(two.packs[kEightBit].token_bytes - table / 151'936, one.packs[kEightBit].token_bytes);
}

TEST(Plan, equals_the_file_that_the_packer_writes) {
  const test::TempDir folder;
  using kernels::ScaleGroup;
  for (const auto& [bits, group] : {std::pair{8, ScaleGroup::k32}, {4, ScaleGroup::k32}, {8, ScaleGroup::kRow},
                                    {4, ScaleGroup::k64}, {8, ScaleGroup::k128}}) {
    const model::Pack pack = test::tiny_llama_pack(folder.path(), {}, {.bits = bits, .group = group});
    Bytes head(8);
    std::ifstream(pack.path(), std::ios::binary).read(reinterpret_cast<char*>(head.data()), 8);
    const std::uint64_t data = pack.file_bytes() - 8 - load_le<std::uint64_t>(head.data());
    EXPECT_EQ(data, footprint(pack.config(), group).packs[bits == 8 ? kEightBit : kFourBit].bytes) << bits;
  }
}

TEST(Plan, keys_and_values_are_those_of_the_cache) {
  EXPECT_EQ(model::kv_bytes_per_position(llama_8b()), footprint(llama_8b()).kv_position_bytes);
  EXPECT_EQ(model::kv_bytes_per_position(qwen_15b()), footprint(qwen_15b()).kv_position_bytes);
  EXPECT_EQ(model::kv_bytes_per_position(qwen_15b(), model::KvForm::kI8),
            footprint(qwen_15b(), kernels::ScaleGroup::k32, model::KvForm::kI8).kv_position_bytes);
  EXPECT_EQ(model::kv_bytes_per_position(deepseek_v2_lite()),
            footprint(deepseek_v2_lite()).kv_position_bytes);
}

TEST(Plan, a_card_runs_what_fits_at_the_speed_of_its_memory) {
  const model::ModelConfig config = llama_8b();
  const DevicePlan plan = plan_device(config, footprint(config), card("RTX 3060 12G"), 4096, 0);
  // 12 GiB - 8539466240 - 600 MB = 3745435648; of 131072 bytes a position.
  EXPECT_TRUE(plan.packs[kEightBit].fits);
  EXPECT_EQ(28'575U, plan.packs[kEightBit].context_max);
  // 0.85 * 360e9 / (7980787460 + 4096 * 131072) = 35.92; 4 bits: / (4927334148 + 536870912) = 56.00.
  EXPECT_NEAR(35.92, plan.packs[kEightBit].tokens_per_second, 0.01);
  EXPECT_NEAR(56.00, plan.packs[kFourBit].tokens_per_second, 0.01);
  EXPECT_EQ(8, plan.recommended);
  // A file of 4 bits a weight has nothing that 8 bits would keep.
  EXPECT_EQ(4, plan_device(config, footprint(config), card("RTX 3060 12G"), 4096, 4.5).recommended);
}

TEST(Plan, experts_are_stored_all_and_read_as_chosen) {
  const model::ModelConfig config = deepseek_v2_lite();
  const Footprint size = footprint(config);
  const DevicePlan small = plan_device(config, size, card("RTX 4070"), 4096, 0);
  EXPECT_EQ(0U, small.packs[kEightBit].context_max) << "16.7 GB do not fit into 12 GiB";
  EXPECT_EQ(4, small.recommended);
  // 0.85 * 504e9 / (1641888388 + 4096 * 31104) = 242.13
  EXPECT_NEAR(242.13, small.packs[kFourBit].tokens_per_second, 0.01);
  EXPECT_EQ(8, plan_device(config, size, card("RTX 3090"), 4096, 0).recommended);
}

TEST(Plan, says_when_nothing_fits_or_the_context_is_too_long) {
  const model::ModelConfig config = llama_8b();
  const Footprint size = footprint(config);
  const Device small{"4 GB", 4'000'000'000, 100e9, kCardOverheadBytes};
  EXPECT_EQ(0, plan_device(config, size, small, 1, 0).recommended);
  const Device tight{"10 GB", 10'000'000'000, 500e9, kCardOverheadBytes};
  const DevicePlan plan = plan_device(config, size, tight, 20'000, 0);
  EXPECT_FALSE(plan.packs[kEightBit].fits);
  EXPECT_EQ(6565U, plan.packs[kEightBit].context_max);
  EXPECT_EQ(4, plan.recommended);
}

TEST(Plan, slow_memory_gets_the_smaller_pack) {
  const model::ModelConfig config = llama_8b();
  const Device slow{"desktop", 64'000'000'000, 50e9, kHostOverheadBytes};
  EXPECT_EQ(4, plan_device(config, footprint(config), slow, 4096, 0).recommended);
}

TEST(Plan, an_indexer_reads_few_rows_and_all_index_keys) {
  model::ModelConfig config = deepseek_v2_lite();
  config.indexer = {.heads = 64, .head_dim = 128, .top_k = 2048};
  config.mla.q_rank = 1536;
  const Footprint size = footprint(config);
  // A code of 8 bits for each dimension, and an f32 scale.
  EXPECT_EQ(27U * (128 + 4), size.index_position_bytes);
  EXPECT_EQ(model::kv_bytes_per_position(config), size.kv_position_bytes + size.index_position_bytes);
  const Device device{"x", 100'000'000'000, 1e12, 0};
  const auto seconds = [&](std::uint64_t context) {
    return 0.85e12 / plan_device(config, size, device, context, 0).packs[kFourBit].tokens_per_second;
  };
  EXPECT_NEAR(31'104.0 + 3564.0, (seconds(2048) - seconds(1024)) / 1024, 1);
  EXPECT_NEAR(3564.0, (seconds(4096) - seconds(3072)) / 1024, 1);
}

TEST(Cards, are_named_once_with_plausible_figures) {
  std::set<std::string_view> names;
  for (const Card& entry : cards()) {
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
    EXPECT_GE(entry.memory_gib, 12) << entry.name;
    EXPECT_LE(entry.memory_gib, 80) << entry.name;
    EXPECT_GE(entry.bandwidth_gb, 288) << entry.name;
    EXPECT_LE(entry.bandwidth_gb, 3350) << entry.name;
  }
  EXPECT_EQ(13U, names.size());
}

}  // namespace
}  // namespace adit::miner
