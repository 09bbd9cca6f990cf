// SPDX-License-Identifier: MIT
#include "validator/commands/source.hpp"

#include "common/chain/substrate_client.hpp"
#include "common/crypto/keyfile.hpp"
#include "common/crypto/ss58.hpp"
#include "validator/config.hpp"

namespace adit::validator {
namespace {

Result<Source> from_config(const SourceOptions& options) {
  ADIT_TRY(const ValidatorConfig config, load_config(options.config));
  ADIT_TRY(Charter charter, load_charter(config.charter));
  ADIT_TRY(Ledger ledger, Ledger::open(config.ledger(), true));
  Source out{std::move(ledger), std::move(charter), nullptr, {}};
  if (options.offline) return out;
  const auto paths = crypto::wallet_paths(config.wallet.dir, config.wallet.name, config.wallet.hotkey);
  ADIT_TRY(out.validator, crypto::load_public(paths.hotkeypub));
  ADIT_TRY(out.chain, chain::connect(config.chain.url));
  return out;
}

}  // namespace

Result<Source> open_source(const SourceOptions& options) {
  if (!options.config.empty()) return from_config(options);
  if (options.ledger.empty() || options.charter.empty()) {
    return invalid_argument("expected --config FILE, or --ledger FILE and --charter FILE");
  }
  ADIT_TRY(Charter charter, load_charter(options.charter));
  ADIT_TRY(Ledger ledger, Ledger::open(options.ledger, true));
  Source out{std::move(ledger), std::move(charter), nullptr, {}};
  if (options.chain.empty()) return out;
  if (options.validator.empty()) return invalid_argument("--chain: expected --validator SS58 beside it");
  ADIT_TRY(out.validator, crypto::ss58_decode(options.validator));
  ADIT_TRY(out.chain, chain::connect(options.chain));
  return out;
}

}  // namespace adit::validator
