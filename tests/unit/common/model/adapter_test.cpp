// SPDX-License-Identifier: MIT
// An adapter as integers, and one token through one layer with it, computed here by the sums of kernels/NUMERICS.md.
#include "common/model/adapter.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "common/model/forward.hpp"
#include "kernels/core/numerics.h"
#include "kernels/linear/linear.h"
#include "kernels/norm/rms_norm.h"
#include "kernels/ops/rows.h"
#include "kernels/swiglu/swiglu.h"
#include "tests/support/adapter_folder.hpp"
#include "tests/support/batch_jobs.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_adapter.hpp"

namespace adit::model {
namespace {

using kernels::ActForm;
using kernels::Isa;
using kernels::LinearWeights;
using Row = std::vector<float>;

std::size_t z(int value) {
  return static_cast<std::size_t>(value);
}

// (float(sum W X) * rs) * as + bias, the sum in int64.
Row linear_by_definition(const LinearWeights& weights, const Row& x) {
  kernels::ActBuffer act;
  act.prepare(Isa::kScalar, weights.act, 1, weights.k);
  EXPECT_TRUE(kernels::quantize(Isa::kScalar, x.data(), 0, act, 0, 1));
  Row y;
  for (int row = 0; row < weights.m; ++row) {
    std::int64_t acc = 0;
    for (int k = 0; k < weights.k; ++k) {
      const std::int64_t value = weights.act == ActForm::kA16
                                     ? 256 * std::int64_t{act.hi(0)[k]} + act.lo(0)[k]
                                     : std::int64_t{act.hi(0)[k]} * (1 << act.shift(0)[k / kernels::kGroup]);
      acc += value * kernels::effective_weight(weights, row, k);
    }
    y.push_back((static_cast<float>(acc) * weights.rs[row]) * act.scale(0));
    if (weights.bias != nullptr) y.back() = y.back() + weights.bias[row];
  }
  return y;
}

class OneLayer {
 public:
  OneLayer(const Pack& pack, const Adapter& adapter) : pack_(pack), adapter_(adapter) {}

  Row logits(TokenId token) const {
    const ModelConfig& c = pack_.config();
    const LayerWeights& w = pack_.layers()[0];
    Row x(z(c.hidden));
    kernels::embedding_row(pack_.embedding(), token, x.data());
    // Of one position the attention gives the value itself, as f16.
    const Row v = adapted(w.v, 0, PartRole::kAttnV, norm(x, w.attn_norm));
    Row heads;
    for (int head = 0; head < c.heads; ++head) {
      for (int i = 0; i < c.head_dim; ++i) {
        const float value = v[z(head / (c.heads / c.kv_heads) * c.head_dim + i)];
        heads.push_back(kernels::f32_from_f16(kernels::f16_from_f32(value)));
      }
    }
    add(x, adapted(w.o, 0, PartRole::kAttnO, heads));
    const Row h = norm(x, w.ffn_norm);
    Row gate = adapted(w.gate, 0, PartRole::kFfnGate, h);
    const Row up = adapted(w.up, 0, PartRole::kFfnUp, h);
    kernels::swiglu(Isa::kScalar, gate.data(), up.data(), c.ffn, gate.data());
    add(x, adapted(w.down, 0, PartRole::kFfnDown, gate));
    return adapted(pack_.head(), -1, PartRole::kHead, norm(x, pack_.final_norm()));
  }

 private:
  Row norm(const Row& x, const float* weight) const {
    Row out(x.size());
    kernels::rms_norm(Isa::kScalar, x.data(), weight, static_cast<int>(x.size()), pack_.config().norm_eps,
                      out.data());
    return out;
  }
  static void add(Row& x, const Row& y) {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = x[i] + y[i];
  }
  Row adapted(const LinearWeights& base, int layer, PartRole role, const Row& x) const {
    Row y = linear_by_definition(base, x);
    const LowRank* pair = adapter_.find(layer, role);
    if (pair != nullptr) add(y, linear_by_definition(pair->b, linear_by_definition(pair->a, x)));
    return y;
  }

  const Pack& pack_;
  const Adapter& adapter_;
};

TEST(Adapter, one_token_of_one_layer_is_the_definition) {
  const test::TempDir folder;
  ModelConfig config = test::tiny_config("qwen2");
  config.layers = 1;
  for (const ActForm act : {ActForm::kA16, ActForm::kA8g32}) {
    const Pack pack = test::pack_of(test::TinyModel(config), folder.path(), {.bits = 8, .act = act});
    for (const std::uint64_t seed : {1, 2, 3}) {
      const auto adapter = test::adapter_of(test::random_lora(config, seed, seed == 1 ? 100 : 60), pack);
      for (const TokenId token : {7, 130}) {
        const Row want = OneLayer(pack, *adapter).logits(token);
        for (const Isa isa : test::isas()) {
          Forward forward(pack, {.isa = isa, .threads = 2, .rows_max = 1, .logits_rows_max = 1});
          KvCache cache = KvCache::make(config, 1).value();
          const Segment segment{.cache = &cache, .tokens = std::span(&token, 1), .adapter = adapter.get()};
          ASSERT_TRUE(forward.step(std::span(&segment, 1)));
          const float* logits = forward.logits(0, 1).value();
          EXPECT_EQ(Row(logits, logits + config.vocab), want) << kernels::isa_name(isa) << " " << seed;
        }
      }
    }
  }
}

// Shapes, rows beyond a pair's rank, and the scale.
TEST(Adapter, holds_the_rows_of_both_matrices) {
  const test::TempDir folder;
  const ModelConfig config = test::tiny_config("llama");
  const Pack pack =
      test::pack_of(test::TinyModel(config), folder.path(), {.bits = 4, .act = ActForm::kA8g32});
  const LoraAdapter lora = test::random_lora(config, 5, 50, 40);
  const auto adapter = test::adapter_of(lora, pack);
  EXPECT_EQ(adapter->pairs(), lora.pairs.size());
  EXPECT_EQ(adapter->find(0, PartRole::kAttnNorm), nullptr);
  EXPECT_EQ(adapter->find(config.layers, PartRole::kAttnQ), nullptr);
  for (const LoraPair& pair : lora.pairs) {
    const LowRank* found = adapter->find(pair.part.layer, pair.part.role);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->a.act, ActForm::kA8g32);
    EXPECT_EQ(found->b.act, ActForm::kA16);
    EXPECT_EQ(found->a.m, adapter->width());
    EXPECT_EQ(found->b.k, adapter->width());
    const auto near = [](const LinearWeights& w, int row, int column, float want, float scale) {
      // Half a step of the largest group scale.
      const float step = 511 * std::abs(w.rs[row]);
      const float got = static_cast<float>(kernels::effective_weight(w, row, column)) * w.rs[row];
      return std::abs(got - want * scale) <= step;
    };
    for (int row = 0; row < adapter->width(); ++row) {
      for (int column = 0; column < pair.part.k; ++column) {
        const float want = row < pair.rank ? pair.a[z(row * pair.part.k + column)] : 0.0f;
        ASSERT_TRUE(near(found->a, row, column, want, 1)) << pair.part.name << " A " << row << " " << column;
      }
    }
    for (int row = 0; row < pair.part.m; ++row) {
      for (int column = 0; column < adapter->width(); ++column) {
        const float want = column < pair.rank ? pair.b[z(row * pair.rank + column)] : 0.0f;
        ASSERT_TRUE(near(found->b, row, column, want, pair.scale))
            << pair.part.name << " B " << row << " " << column;
      }
    }
  }
}

TEST(Adapter, is_read_from_a_folder) {
  const test::TempDir folder;
  const ModelConfig config = test::tiny_config("llama");
  const Pack pack = test::pack_of(test::TinyModel(config), folder.path(), {.bits = 8});
  const LoraAdapter lora = test::random_lora(config, 6);
  const auto path = test::write_adapter(folder.path() / "lora", lora);
  const auto read = Adapter::load(path, pack);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ((*read)->content_hash(), test::adapter_of(lora, pack)->content_hash());
  std::filesystem::remove(path / "adapter_config.json");
  EXPECT_EQ(Adapter::load(path, pack).error().code, ErrorCode::kNotFound);
}

TEST(Adapter, its_hash_depends_on_every_number) {
  const test::TempDir folder;
  const ModelConfig config = test::tiny_config("llama");
  const Pack pack = test::pack_of(test::TinyModel(config), folder.path(), {.bits = 8});
  const LoraAdapter lora = test::random_lora(config, 5, 40, 10);
  const Hash256 whole = test::adapter_of(lora, pack)->content_hash();
  const auto changed = [&](const auto& change) {
    LoraAdapter other = lora;
    change(other.pairs[1]);
    return test::adapter_of(other, pack)->content_hash() != whole;
  };
  EXPECT_FALSE(changed([](LoraPair&) {}));
  EXPECT_TRUE(changed([](LoraPair& pair) { pair.scale *= 1.5f; }));
  EXPECT_TRUE(changed([](LoraPair& pair) { pair.a.back() += 0.5f; }));
  EXPECT_TRUE(changed([](LoraPair& pair) { pair.b.front() += 0.5f; }));
  // One more rank that adds nothing is another adapter all the same.
  EXPECT_TRUE(changed([](LoraPair& pair) {
    pair.a.resize(pair.a.size() + z(pair.part.k));
    Row b;
    for (std::size_t i = 0; i < pair.b.size(); ++i) {
      b.push_back(pair.b[i]);
      if ((i + 1) % z(pair.rank) == 0) b.push_back(0);
    }
    pair.b = b;
    ++pair.rank;
  }));
}

// From subnormal to nearly too large: answers, or an error that says why there is none.
TEST(Adapter, values_of_any_size_are_answered_or_refused) {
  const test::TempDir folder;
  const ModelConfig config = test::tiny_config("llama");
  const Pack pack = test::pack_of(test::TinyModel(config), folder.path(), {.bits = 8});
  for (const double size : {1e-44, 1e-20, 1e10, 1e20, 3e37}) {
    LoraAdapter lora = test::random_lora(config, 7, 50);
    for (LoraPair& pair : lora.pairs) {
      for (float& x : pair.a) x = static_cast<float>(static_cast<double>(x) * size);
    }
    const auto adapter = Adapter::make(lora, pack);
    ASSERT_TRUE(adapter) << adapter.error().message;
    std::vector<Row> answers;
    for (const Isa isa : test::isas()) {
      Forward forward(pack, {.isa = isa, .rows_max = 3, .logits_rows_max = 1});
      KvCache cache = KvCache::make(config, 3).value();
      const std::vector<TokenId> ids{7, 8, 9};
      const Segment segment{.cache = &cache, .tokens = ids, .first_wanted = 2, .adapter = adapter->get()};
      const auto done = forward.step(std::span(&segment, 1));
      if (!done) {
        EXPECT_EQ(done.error().code, ErrorCode::kDataLoss) << size;
        answers.emplace_back();
        continue;
      }
      const float* logits = forward.logits(0, 1).value();
      answers.emplace_back(logits, logits + config.vocab);
    }
    for (const Row& answer : answers) EXPECT_EQ(answer, answers.front()) << size;
    EXPECT_EQ(answers.front().empty(), size == 3e37) << size;
  }
}

TEST(Adapter, refuses_what_does_not_fit) {
  const test::TempDir folder;
  const ModelConfig config = test::tiny_config("llama");
  const Pack pack = test::pack_of(test::TinyModel(config), folder.path(), {.bits = 8});
  const auto message = [&](const auto& change) {
    LoraAdapter lora = test::random_lora(config, 5);
    change(lora.pairs[0]);
    const auto made = Adapter::make(lora, pack);
    return made ? std::string() : made.error().message;
  };
  EXPECT_EQ(message([](LoraPair&) {}), "");
  EXPECT_NE(message([](LoraPair& p) { p.part.name = "layers.9.attn_q"; }).find("layers.9.attn_q: "),
            std::string::npos);
  EXPECT_NE(message([](LoraPair& p) { p.part.k = 80; }).find("the pack has 96 x 96"), std::string::npos);
  EXPECT_NE(message([](LoraPair& p) { p.a.pop_back(); }).find("the pack has 96 x 96"), std::string::npos);
  const std::string nan = message([](LoraPair& p) { p.a[100] = std::numeric_limits<float>::quiet_NaN(); });
  EXPECT_NE(nan.find("adapter: layers.0.attn_q: A: row 1: "), std::string::npos) << nan;
  const std::string large = message([](LoraPair& p) {
    p.b[0] = 1e38f;
    p.scale = 1e10f;
  });
  EXPECT_NE(large.find("adapter: layers.0.attn_q: B: row 0: too large"), std::string::npos) << large;
  EXPECT_FALSE(Adapter::make({}, pack));
}

}  // namespace
}  // namespace adit::model
