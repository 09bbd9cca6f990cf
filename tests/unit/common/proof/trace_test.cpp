// SPDX-License-Identifier: MIT
#include "common/proof/trace.hpp"

#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/base/rng.hpp"
#include "common/crypto/hash.hpp"
#include "common/proof/lane_stack.hpp"
#include "kernels/hash/hash_rows.h"

namespace adit::proof {
namespace {

using kernels::Isa;
using kernels::kDigestBytes;

std::vector<Hash256> random_leaves(std::size_t count, std::uint64_t seed) {
  SeededRng rng(seed);
  std::vector<Hash256> leaves(count);
  for (Hash256& leaf : leaves) rng.fill(leaf);
  return leaves;
}

Hash256 node(const Hash256& left, const Hash256& right) {
  Bytes pair = to_bytes(left);
  append(pair, right);
  return crypto::b2("adit1.node", pair);
}

// The recursive definition, for comparison with the stack.
Hash256 tree_root(std::span<const Hash256> leaves) {
  if (leaves.size() == 1) return leaves[0];
  std::size_t split = 1;
  while (split * 2 < leaves.size()) split *= 2;
  return node(tree_root(leaves.first(split)), tree_root(leaves.subspan(split)));
}

Hash256 stack_root(std::span<const Hash256> leaves) {
  LaneStack stack(1, Isa::kScalar);
  for (const Hash256& leaf : leaves) stack.append(leaf.data());
  const Bytes roots = stack.roots();
  Hash256 root;
  std::copy(roots.begin(), roots.end(), root.begin());
  return root;
}

// As tests/conformance/make_trace_vectors.py.
Bytes golden_row(std::size_t lane, std::size_t position, std::size_t size) {
  Bytes row;
  append_le<std::uint32_t>(row, lane);
  append_le<std::uint32_t>(row, position);
  for (std::size_t j = 0; row.size() < size; ++j) {
    row.push_back(static_cast<std::uint8_t>(lane * 131 + position * 17 + j * 7 + j / 256));
  }
  return row;
}

Hash256 hash_of(const nlohmann::json& hex) {
  return *fixed_from_hex<32>(hex.get<std::string>());
}

std::string golden_root(const nlohmann::json& c, Isa isa) {
  const TraceShape shape{.layers = c["layers"], .kv_heads = c["kv_heads"]};
  const std::uint32_t n_p = c["n_p"];
  const std::vector<TokenId> ids = c["ids"];
  TraceBuilder builder(shape, n_p, isa);
  Bytes leaves(lane_count(shape) * kDigestBytes);
  for (std::uint32_t t = 0; t + 1 < ids.size(); ++t) {
    for (std::size_t lane = 0; lane < lane_count(shape); ++lane) {
      const bool residual = lane % static_cast<std::size_t>(1 + shape.kv_heads) == 0;
      const Bytes row = golden_row(lane, t, residual ? c["residual_bytes"] : c["kv_bytes"]);
      kernels::hash_rows(isa, residual ? kResidualDomain : kKvDomain, row.data(), row.size(),
                         row.size(), 1, leaves.data() + lane * kDigestBytes);
    }
    builder.append(t, leaves.data());
  }
  const TraceBinding binding{hash_of(c["card"]), hash_of(c["request"]), hash_of(c["seed"])};
  return to_hex(builder.root(binding, ids));
}

TEST(Trace, has_the_golden_roots_on_every_isa) {
  std::ifstream file(ADIT_TEST_VECTORS "/trace/trace1.json");
  const nlohmann::json cases = nlohmann::json::parse(file);
  ASSERT_EQ(45U, cases.size());
  for (const nlohmann::json& c : cases) {
    for (const Isa isa : kernels::kIsas) {
      if (!kernels::isa_supported(isa)) continue;
      EXPECT_EQ(c["root"].get<std::string>(), golden_root(c, isa))
          << c["layers"] << " " << c["n_p"];
    }
  }
}

TEST(LaneStack, equals_the_recursive_definition_for_every_size) {
  const std::vector<Hash256> leaves = random_leaves(200, 1);
  for (std::size_t size = 1; size <= leaves.size(); ++size) {
    EXPECT_EQ(tree_root(std::span(leaves).first(size)), stack_root(std::span(leaves).first(size)))
        << size;
  }
}

// Attack 20: an inner node passed off as a leaf. A leaf is a hash in another domain, so no row
// hashes to the node, and a lane of the two halves' roots is told apart by the row hashes that must
// stand under it.
TEST(Trace, node_as_leaf) {
  const std::vector<Hash256> leaves = random_leaves(4, 2);
  const Hash256 left = node(leaves[0], leaves[1]);
  const Hash256 right = node(leaves[2], leaves[3]);
  Bytes pair = to_bytes(leaves[0]);
  append(pair, leaves[1]);
  EXPECT_NE(left, crypto::b2(kResidualDomain, pair));
  EXPECT_NE(left, crypto::b2(kKvDomain, pair));

  // The same lane root with two positions instead of four gives another trace root: the size is in
  // it.
  ASSERT_EQ(stack_root(leaves), stack_root(std::vector<Hash256>{left, right}));
  const TraceShape shape{.layers = 1, .kv_heads = 1};
  const auto root_of = [&](const std::vector<Hash256>& lane, std::vector<TokenId> ids) {
    TraceBuilder builder(shape, 1, Isa::kScalar);
    for (std::uint32_t t = 0; t < lane.size(); ++t) {
      Bytes row = to_bytes(lane[t]);
      append(row, lane[t]);
      builder.append(t, row.data());
    }
    return builder.root({}, ids);
  };
  EXPECT_NE(root_of(leaves, {1, 2, 3, 4, 5}), root_of({left, right}, {1, 2, 3}));
}

// Attack 21: the last leaf doubled does not keep the root (no odd-leaf duplication).
TEST(Trace, odd_duplication) {
  for (std::size_t size = 1; size <= 33; ++size) {
    std::vector<Hash256> leaves = random_leaves(size, 3);
    const Hash256 root = stack_root(leaves);
    leaves.push_back(leaves.back());
    EXPECT_NE(root, stack_root(leaves)) << size;
    leaves.push_back(leaves.back());
    EXPECT_NE(root, stack_root(leaves)) << size;
  }
}

// Attack 22: leaves, layers or heads in another order.
TEST(Trace, order) {
  const TraceShape shape{.layers = 3, .kv_heads = 2};
  const std::size_t lanes = lane_count(shape);
  const std::vector<Hash256> leaves = random_leaves(lanes * 6, 4);
  const std::vector<TokenId> ids{1, 2, 3, 4, 5, 6, 7};
  const auto root_of = [&](const std::vector<Hash256>& all) {
    TraceBuilder builder(shape, 2, Isa::kScalar);
    for (std::uint32_t t = 0; t < 6; ++t) builder.append(t, all[t * lanes].data());
    return builder.root({}, ids);
  };
  const Hash256 honest = root_of(leaves);
  EXPECT_EQ(honest, root_of(leaves));
  const auto swapped = [&](std::size_t a, std::size_t b) {
    std::vector<Hash256> other = leaves;
    std::swap(other[a], other[b]);
    return root_of(other);
  };
  // Two positions of one lane; two heads of one position; two layers of one position.
  EXPECT_NE(honest, swapped(2 * lanes + 1, 3 * lanes + 1));
  EXPECT_NE(honest, swapped(4 * lanes + kv_lane(shape, 1, 0), 4 * lanes + kv_lane(shape, 1, 1)));
  EXPECT_NE(honest,
            swapped(4 * lanes + residual_lane(shape, 0), 4 * lanes + residual_lane(shape, 1)));
}

TEST(Trace, every_bound_value_changes_the_root) {
  const TraceShape shape{.layers = 2, .kv_heads = 1};
  const std::vector<Hash256> leaves = random_leaves(lane_count(shape) * 4, 5);
  const auto builder_of = [&](std::uint32_t n_p) {
    TraceBuilder builder(shape, n_p, Isa::kScalar);
    for (std::uint32_t t = 0; t < 4; ++t) builder.append(t, leaves[t * lane_count(shape)].data());
    return builder;
  };
  const TraceBuilder builder = builder_of(2);
  const std::vector<TokenId> ids{1, 2, 3, 4, 5};
  const TraceBinding binding{};
  const Hash256 honest = builder.root(binding, ids);
  TraceBinding card = binding;
  card.card[31] ^= 1;
  TraceBinding request = binding;
  request.request[0] ^= 1;
  TraceBinding seed = binding;
  seed.seed[7] ^= 0x80;
  EXPECT_NE(honest, builder.root(card, ids));
  EXPECT_NE(honest, builder.root(request, ids));
  EXPECT_NE(honest, builder.root(seed, ids));
  EXPECT_NE(honest, builder.root(binding, std::vector<TokenId>{1, 2, 3, 4, 6}));
  EXPECT_NE(honest, builder_of(3).root(binding, ids));
}

// The rows of the last residual lane before the last prompt position may be left out by the miner,
// so what stands there must not matter.
TEST(Trace, does_not_read_the_skipped_rows) {
  const TraceShape shape{.layers = 2, .kv_heads = 1};
  std::vector<Hash256> leaves = random_leaves(lane_count(shape) * 4, 6);
  const auto root_of = [&] {
    TraceBuilder builder(shape, 3, Isa::kScalar);
    for (std::uint32_t t = 0; t < 4; ++t) builder.append(t, leaves[t * lane_count(shape)].data());
    return builder.root({}, std::vector<TokenId>{1, 2, 3, 4, 5});
  };
  const Hash256 honest = root_of();
  leaves[lane_count(shape) * 1 + residual_lane(shape, 1)][0] ^= 1;
  EXPECT_EQ(honest, root_of());
  leaves[lane_count(shape) * 2 + residual_lane(shape, 1)][0] ^= 1;
  EXPECT_NE(honest, root_of());
}

}  // namespace
}  // namespace adit::proof
