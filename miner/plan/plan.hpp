// SPDX-License-Identifier: MIT
// miner/plan/plan.hpp
//
// What a model takes, and what fits where: arithmetic over its configuration, before anything is loaded.
//
// In       a configuration; columns that share a scale; a context; devices by memory and bandwidth.
// Out      Footprint: bytes of an 8-bit and a 4-bit pack (tensors; tokenizer and table of contents come on top), those
//          that one token reads, those of keys and values. A16 and A8g packs are of the same size.
//          DevicePlan: fits = weights + KV of one sequence of `context` + the device's overhead <= its memory;
//          the ceiling is 85 % of its bandwidth over the bytes that the token after `context` tokens reads.
//          Recommended: 8 bits where they fit and read at least kComfortable tokens a second, else 4 bits; 4 bits
//          wherever they fit when the source itself has no more (source_bits).
// Units    bytes, tokens a second.
// Threads  pure.
// Source   ARCHITECTURE.md 5; the roofline of a decode that reads each weight once
// Tests    tests/unit/miner/plan/plan_test.cpp
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "common/model/kv_form.hpp"
#include "common/model/model_config.hpp"
#include "kernels/linear/params.h"

namespace adit::miner {

inline constexpr double kBandwidthShare = 0.85;
inline constexpr double kComfortable = 15;
inline constexpr std::uint64_t kCardOverheadBytes = 600'000'000;
inline constexpr std::uint64_t kHostOverheadBytes = 150'000'000;
inline constexpr double kFourBitSource = 5.6;
// Index into Footprint::packs and DevicePlan::packs.
enum PackChoice : std::uint8_t { kEightBit = 0, kFourBit = 1 };

struct PackSize {
  int bits = 8;
  std::uint64_t bytes = 0;
  // Of the tensors, what one token reads: all linears but the experts it does not choose, one row of the embedding.
  std::uint64_t token_bytes = 0;
};

struct Footprint {
  std::uint64_t weights = 0;
  std::uint64_t active_weights = 0;
  std::array<PackSize, 2> packs;
  // Keys and values that one more position takes, and that one token reads of one earlier position.
  std::uint64_t kv_position_bytes = 0;
  // With an indexer: of this many positions at most; beside the index keys, which are read of all.
  std::uint64_t kv_rows_max = 0;
  std::uint64_t index_position_bytes = 0;
};

struct Device {
  std::string name;
  std::uint64_t memory_bytes = 0;
  double bytes_per_second = 0;
  std::uint64_t overhead_bytes = 0;
};

struct PackPlan {
  bool fits = false;
  // The longest sequence that fits beside the weights, at most the model's; 0: the weights alone do not fit.
  std::uint64_t context_max = 0;
  double tokens_per_second = 0;
};

struct DevicePlan {
  Device device;
  std::array<PackPlan, 2> packs;
  // Bits; 0: none fits.
  int recommended = 0;
};

// group: columns that share a scale. kv: of cached keys and values; check_kv(config, kv) holds.
[[nodiscard]] Footprint footprint(const model::ModelConfig& config,
                                  kernels::ScaleGroup group = kernels::ScaleGroup::k32,
                                  model::KvForm kv = model::KvForm::kF16);
// Bytes of keys, values and index keys that a sequence of so many positions takes.
[[nodiscard]] std::uint64_t kv_bytes(const Footprint& size, std::uint64_t positions);
// source_bits: bits a weight of the file in hand, 0 if not known.
[[nodiscard]] DevicePlan plan_device(const model::ModelConfig& config, const Footprint& size,
                                     const Device& device, std::uint64_t context, double source_bits);
// This table's cards.
[[nodiscard]] std::vector<Device> card_devices();

}  // namespace adit::miner
