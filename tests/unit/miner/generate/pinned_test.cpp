// SPDX-License-Identifier: MIT
// The pinned corpus: (pack, prompt, parameters, seed) -> (ids, trace root). A change of one bit
// anywhere in packing, tokenizer, chat template, numerics, sampler or trace fails here.
//
// To make it anew after a deliberate change of any of these:
//   ADIT_PINNED_OUT=tests/vectors/pinned build/dev/bin/adit_miner_generate_test
//   --gtest_filter='Pinned*'
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/model/pack_writer.hpp"
#include "miner/generate/generate.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_model.hpp"
#include "tests/support/tiny_model.hpp"

namespace adit::miner {
namespace {

using nlohmann::json;

struct Ask {
  const char* prompt;
  bool is_raw;
  std::uint64_t seed;
  std::uint32_t max_tokens;
  model::SamplingParams sampling;
};

const std::vector<Ask>& asks() {
  static const std::vector<Ask> all{
      {"What is the capital of France?", false, 0, 24, {}},
      {"Write one sentence about rain.",
       false,
       1,
       32,
       {.temperature_milli = 800, .top_p_65536 = 58982}},
      {"def fibonacci(n):\n", true, 2, 32, {.temperature_milli = 500, .top_k = 40}},
      {"Les élèves mangent à 12 h 30 — 日本語 🙂",
       true,
       3,
       16,
       {.temperature_milli = 1000, .min_p_65536 = 3277}},
      {"x", true, 4, 8, {.temperature_milli = 1500}},
  };
  return all;
}

json answer(const model::Pack& pack, const Ask& ask, model::KvForm kv) {
  GenerateOptions options;
  options.prompt = ask.prompt;
  options.is_raw = ask.is_raw;
  options.seed = ask.seed;
  options.params = {.max_tokens = ask.max_tokens, .sampling = ask.sampling};
  options.engine.threads = 2;
  options.engine.kv = kv;
  const Result<GenerateOutcome> outcome = generate(pack, options, [](std::string_view) {});
  if (!outcome) return json{{"error", outcome.error().message}};
  return json{{"prompt", ask.prompt},
              {"raw", ask.is_raw},
              {"seed", ask.seed},
              {"max_tokens", ask.max_tokens},
              {"temperature_milli", ask.sampling.temperature_milli},
              {"top_p_65536", ask.sampling.top_p_65536},
              {"top_k", ask.sampling.top_k},
              {"min_p_65536", ask.sampling.min_p_65536},
              {"prompt_ids", outcome->prompt_ids},
              {"ids", outcome->generated.ids},
              {"finish", model::name(outcome->generated.finish)},
              {"trace_root", to_hex(outcome->generated.trace_root)}};
}

json answers(const model::Pack& pack, model::KvForm kv) {
  json cases = json::array();
  for (const Ask& ask : asks()) cases.push_back(answer(pack, ask, kv));
  return json{{"pack", to_hex(pack.content_hash())}, {"cases", cases}};
}

std::optional<json> pinned(const std::string& name) {
  std::ifstream file(std::string(ADIT_TEST_VECTORS) + "/pinned/" + name + ".json");
  if (!file) return std::nullopt;
  return json::parse(file);
}

void check(const std::string& name, const model::Pack& pack, model::KvForm kv = model::KvForm::kF16) {
  const json got = answers(pack, kv);
  if (const char* out = std::getenv("ADIT_PINNED_OUT"); out != nullptr) {
    std::ofstream(std::string(out) + "/" + name + ".json") << got.dump(1) << '\n';
    return;
  }
  const std::optional<json> want = pinned(name);
  ASSERT_TRUE(want) << name << ".json is missing";
  EXPECT_EQ(want->at("pack"), got.at("pack")) << "the pack itself differs";
  ASSERT_EQ(want->at("cases").size(), got.at("cases").size());
  for (std::size_t i = 0; i < got.at("cases").size(); ++i) {
    EXPECT_EQ(want->at("cases")[i], got.at("cases")[i]) << name << ", case " << i;
  }
}

// The pack that set-up made, if it is the pinned one; else made here.
void check_real(int bits) {
  const auto gguf = test::test_model();
  if (!gguf) GTEST_SKIP() << test::kNoTestModel;
  const std::string name = "smollm2-135m-w" + std::to_string(bits);
  const std::optional<json> want = pinned(name);
  const auto made = gguf->parent_path().parent_path() / "packs" / (name + ".adit");
  Result<model::Pack> pack = model::Pack::open(made);
  const bool is_usable = pack && want && std::getenv("ADIT_PINNED_OUT") == nullptr &&
                         to_hex(pack->content_hash()) == want->at("pack").get<std::string>() &&
                         pack->verify_content_hash();
  const test::TempDir folder;
  if (!is_usable) {
    const auto path = folder.path() / "made.adit";
    const auto packed =
        model::pack_model(*gguf, path, {.bits = bits}, [](double, std::string_view) {});
    ASSERT_TRUE(packed) << packed.error().message;
    pack = model::Pack::open(path);
  }
  ASSERT_TRUE(pack) << pack.error().message;
  check(name, *pack);
}

TEST(Pinned, tiny_deepseek) {
  const test::TempDir folder;
  for (const std::string family : {"deepseek_v2", "deepseek_v3", "deepseek_v32"}) {
    const test::TinyModel model(test::tiny_config(family));
    check("tiny-" + family, test::pack_of(model, folder.path(), {.bits = family == "deepseek_v3" ? 4 : 8}));
  }
}

TEST(Pinned, tiny_w8_a16) {
  const test::TempDir folder;
  check("tiny-w8-a16", test::tiny_llama_pack(folder.path(), {}, {.bits = 8}));
}

TEST(Pinned, tiny_w4_a16) {
  const test::TempDir folder;
  check("tiny-w4-a16", test::tiny_llama_pack(folder.path(), {}, {.bits = 4}));
}

TEST(Pinned, tiny_w4_a8g32) {
  const test::TempDir folder;
  check("tiny-w4-a8g32",
        test::tiny_llama_pack(folder.path(), {}, {.bits = 4, .act = kernels::ActForm::kA8g32}));
}

// Numerics 2.
TEST(Pinned, tiny_w8_a16_int8_keys_and_values) {
  const test::TempDir folder;
  check("tiny-w8-a16-kv8", test::tiny_llama_pack(folder.path(), {}, {.bits = 8}), model::KvForm::kI8);
}

TEST(Pinned, smollm2_w8) {
  check_real(8);
}

TEST(Pinned, smollm2_w4) {
  check_real(4);
}

}  // namespace
}  // namespace adit::miner
