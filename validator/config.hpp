// SPDX-License-Identifier: MIT
// validator/config.hpp
//
// The settings of one validator process: one YAML file, read once, checked as a whole.
//
// In       a YAML file; relative paths start at its folder. configs/validator.example.yaml names every key.
// Errors   kInvalidArgument "file: line N: key: expected …" (common/config/yaml_reader.hpp).
// Units    in the names; durations are ns inside, "30s" in the file.
// Threads  plain value.
// Tests    tests/unit/validator/config_test.cpp
#pragma once

#include <filesystem>
#include <string>

#include "common/base/result.hpp"
#include "common/base/strong.hpp"

namespace adit::validator {

struct ValidatorConfig {
  struct Chain {
    std::string url = "ws://127.0.0.1:9944";
    NetUid netuid = 1;
    MechId mechanism = 0;
  } chain;
  struct Wallet {
    std::filesystem::path dir = "~/.bittensor/wallets";
    std::string name = "default";
    std::string hotkey = "default";
  } wallet;
  std::filesystem::path charter;
  std::filesystem::path pack;
  std::filesystem::path state = "adit-validator-state";
  struct Query {
    unsigned threads = 16;
    unsigned per_miner = 1;
    bool allow_loopback_miners = false;
    std::filesystem::path tls_root;
  } query;
  struct Verify {
    unsigned threads = 2;
    std::string isa = "auto";
  } verify;
  // A step begins only with at least this many blocks of its epoch left.
  BlockNumber blocks_left_min = 10;
  // … and this many blocks after the epoch began, so that miners have seen its permits.
  BlockNumber blocks_after_epoch = 3;
  // How often the chain is looked at while no step is due.
  std::uint64_t poll_ns = 1'000'000'000;

  [[nodiscard]] std::filesystem::path ledger() const { return state / "ledger.sqlite"; }
};

[[nodiscard]] Result<ValidatorConfig> load_config(const std::filesystem::path& file);

}  // namespace adit::validator
