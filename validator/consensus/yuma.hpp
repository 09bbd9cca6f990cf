// SPDX-License-Identifier: MIT
// validator/consensus/yuma.hpp
//
// One Yuma epoch: from weights, bonds and stake to consensus, incentive, dividends, permits and new bonds.
//
// In       EpochInput: every vector has one item a uid; a row names uids below the count, none twice.
// Out      EpochOutput, one item a uid. A bond row is empty for a uid without a new permit.
// Units    shares are u16 with 65535 = 1; stake and emission in rao; times in blocks.
// Errors   run_epoch: kInvalidArgument when a length or a uid is wrong; no other way to fail.
// Exact    fixed point throughout: equal bits on every machine, equal to the chain's own epoch code.
// Threads  pure; any thread.
// Source   Yuma consensus as subtensor runs it (spec 425): classic and Yuma3 bonds, Liquid Alpha.
// Tests    tests/unit/validator/consensus/yuma_test.cpp, tests/vectors/yuma-300.txt.gz
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/strong.hpp"

namespace adit::validator {

using ShareRow = std::vector<std::pair<Uid, std::uint16_t>>;

struct EpochInput {
  BlockNumber block = 0;
  std::uint16_t tempo = 0;
  std::uint64_t activity_cutoff = 0;
  std::vector<BlockNumber> last_update;
  std::vector<BlockNumber> registered_at;
  std::vector<Rao> stake;
  Rao stake_threshold = 0;
  std::optional<Uid> owner;
  std::vector<bool> permits;
  std::uint16_t max_validators = 0;
  std::vector<ShareRow> weights;
  std::vector<ShareRow> bonds;
  bool commit_reveal = false;
  // The block of each uid's earliest unrevealed commit; read only with commit_reveal.
  std::vector<std::optional<BlockNumber>> commit_blocks;
  std::uint16_t kappa = 32767;
  std::uint16_t bonds_penalty = 65535;
  bool yuma3 = false;
  bool liquid_alpha = false;
  BlockNumber last_mechanism_step = 0;
  // Millionths.
  std::uint64_t bonds_moving_average = 900000;
  std::uint16_t alpha_low = 45875;
  std::uint16_t alpha_high = 58982;
  std::int16_t alpha_steepness = 1000;
  Rao emission = 0;
};

struct EpochOutput {
  std::vector<std::uint16_t> incentive;
  std::vector<std::uint16_t> dividends;
  std::vector<std::uint16_t> consensus;
  std::vector<std::uint16_t> validator_trust;
  std::vector<std::uint16_t> stake_weight;
  std::vector<bool> active;
  std::vector<Rao> emission;
  std::vector<Rao> server_emission;
  std::vector<Rao> validator_emission;
  std::vector<bool> permits;
  std::vector<ShareRow> bonds;

  bool operator==(const EpochOutput&) const = default;
};

[[nodiscard]] Result<EpochOutput> run_epoch(const EpochInput& input);

}  // namespace adit::validator
