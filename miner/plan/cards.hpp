// SPDX-License-Identifier: MIT
// miner/plan/cards.hpp
//
// Memory and memory bandwidth of cards that miners have.
//
// Out      the table, by generation.
// Units    memory: GiB as the vendor names the card; bandwidth: 10^9 bytes a second.
// Threads  constants.
// Source   NVIDIA's published specifications: the GeForce product pages (30, 40 and 50 series) and the data sheets of
//          T4, A100 and H100 (SXM). An RTX 4060 Ti, for example: 128-bit GDDR6 of 18 Gbit/s = 288 GB/s.
// Tests    tests/unit/miner/plan/plan_test.cpp
#pragma once

#include <span>
#include <string_view>

namespace adit::miner {

struct Card {
  std::string_view name;
  double memory_gib = 0;
  double bandwidth_gb = 0;
};

[[nodiscard]] std::span<const Card> cards();

}  // namespace adit::miner
