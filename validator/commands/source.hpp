// SPDX-License-Identifier: MIT
// validator/commands/source.hpp
//
// Where a reading command (replay, explain, status) finds its ledger, charter and chain: from a validator's
// settings, or named one by one by anybody who has a published ledger.
//
// In       --config FILE, or --ledger FILE --charter FILE [--chain URL --validator SS58].
// Errors   kInvalidArgument: neither form; those of the files and of the chain.
// Threads  one.
// Tests    tests/integration/validator_cli_test.cpp
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/chain/client.hpp"
#include "validator/charter/charter.hpp"
#include "validator/store/ledger.hpp"

namespace adit::validator {

struct SourceOptions {
  std::string config;
  std::string ledger;
  std::string charter;
  std::string chain;
  std::string validator;
  bool offline = false;  // do not connect to the chain of --config
};

struct Source {
  Ledger ledger;
  Charter charter;
  std::unique_ptr<chain::ChainClient> chain;  // null: offline
  AccountId validator{};
};

[[nodiscard]] Result<Source> open_source(const SourceOptions& options);

}  // namespace adit::validator
