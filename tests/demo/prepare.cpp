// SPDX-License-Identifier: MIT
// adit-demo-prepare: makes a subnet on a fresh local chain ready, as its owner would.
//
//   adit-demo-prepare --chain ws://127.0.0.1:9944 --wallets DIR --tempo 40 --miner honest1 --miner honest2 …
//
// New wallets (a coldkey and a hotkey "default" each) for "validator" and every miner, TAO for their coldkeys
// from //Alice, hyperparameters by sudo, the validator registered and staked. Miners register themselves.
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/base/exit_code.hpp"
#include "common/base/rng.hpp"
#include "common/chain/calls.hpp"
#include "common/chain/substrate_client.hpp"
#include "common/crypto/keyfile.hpp"
#include "common/crypto/mnemonic.hpp"

namespace adit::demo {
namespace {

constexpr Rao kTao = 1'000'000'000;

struct Options {
  std::string chain;
  std::filesystem::path wallets;
  std::vector<std::string> miners;
  NetUid netuid = 1;
  std::uint64_t tempo = 40;
};

struct Wallet {
  crypto::Keypair coldkey;
  crypto::Keypair hotkey;
};

Result<Wallet> make_wallet(const Options& options, const std::string& name, Rng& rng) {
  const crypto::WalletPaths paths = crypto::wallet_paths(options.wallets, name, "default");
  std::error_code made;
  std::filesystem::create_directories(paths.hotkey.parent_path(), made);
  ADIT_TRY(crypto::Keypair coldkey,
           crypto::store_keyfile(paths.coldkey, crypto::Scheme::kSr25519, crypto::make_mnemonic(rng)));
  ADIT_TRY(crypto::Keypair hotkey,
           crypto::store_keyfile(paths.hotkey, crypto::Scheme::kSr25519, crypto::make_mnemonic(rng)));
  return Wallet{std::move(coldkey), std::move(hotkey)};
}

Result<void> send(chain::ChainClient& chain, const char* what, const Result<Bytes>& call,
                  crypto::Signer& signer) {
  if (!call) return tl::unexpected<Error>(call.error().context(what));
  const auto sent = chain.submit(*call, signer);
  if (!sent) return tl::unexpected<Error>(sent.error().context(what));
  if (!sent->success) return failed_precondition("{}: {}", what, sent->error);
  fmt::print("prepare: {} in block {}\n", what, sent->block.number);
  std::fflush(stdout);
  return {};
}

Result<void> set(chain::ChainClient& chain, crypto::Signer& sudo, const Options& options, const char* what,
                 std::uint64_t value) {
  ADIT_TRY(const Bytes inner, chain::admin_set(chain.metadata(), what, options.netuid, value));
  return send(chain, what, chain::sudo(chain.metadata(), inner), sudo);
}

Result<void> set_hyperparameters(chain::ChainClient& chain, crypto::Signer& sudo, const Options& options) {
  ADIT_TRY_VOID(set(chain, sudo, options, "tempo", options.tempo));
  ADIT_TRY_VOID(set(chain, sudo, options, "commit_reveal_weights_enabled", 0));
  ADIT_TRY_VOID(set(chain, sudo, options, "weights_set_rate_limit", 5));
  ADIT_TRY_VOID(set(chain, sudo, options, "serving_rate_limit", 1));
  ADIT_TRY_VOID(set(chain, sudo, options, "min_allowed_weights", 1));
  return {};
}

Result<void> prepare(const Options& options) {
  OsRng rng;
  ADIT_TRY(const auto chain, chain::connect(options.chain));
  ADIT_TRY(crypto::Keypair alice, crypto::Keypair::from_uri(crypto::Scheme::kSr25519, "//Alice"));
  crypto::KeypairSigner sudo(std::move(alice), rng);
  ADIT_TRY_VOID(set_hyperparameters(*chain, sudo, options));
  ADIT_TRY(Wallet validator, make_wallet(options, "validator", rng));
  const AccountId hotkey = validator.hotkey.public_key();
  const chain::Metadata& metadata = chain->metadata();
  ADIT_TRY_VOID(send(*chain, "funding the validator",
                     chain::transfer_keep_alive(metadata, validator.coldkey.public_key(), 5000 * kTao),
                     sudo));
  for (const std::string& name : options.miners) {
    ADIT_TRY(const Wallet miner, make_wallet(options, name, rng));
    ADIT_TRY_VOID(send(*chain, ("funding " + name).c_str(),
                       chain::transfer_keep_alive(metadata, miner.coldkey.public_key(), 100 * kTao), sudo));
  }
  crypto::KeypairSigner owner(std::move(validator.coldkey), rng);
  ADIT_TRY_VOID(send(*chain, "registering the validator",
                     chain::burned_register(metadata, options.netuid, hotkey), owner));
  return send(*chain, "staking to the validator",
              chain::add_stake(metadata, hotkey, options.netuid, 2000 * kTao), owner);
}

}  // namespace
}  // namespace adit::demo

int main(int argc, char** argv) {
  adit::demo::Options options;
  CLI::App app("Makes a subnet on a fresh local chain ready", "adit-demo-prepare");
  app.add_option("--chain", options.chain, "Address of the local chain")->required();
  app.add_option("--wallets", options.wallets, "Folder for the new wallets")->required();
  app.add_option("--miner", options.miners, "Name of a miner's wallet; may be repeated");
  app.add_option("--netuid", options.netuid, "The subnet");
  app.add_option("--tempo", options.tempo, "Blocks an epoch");
  CLI11_PARSE(app, argc, argv);
  if (const auto done = adit::demo::prepare(options); !done) {
    fmt::print(stderr, "adit-demo-prepare: {}\n", done.error().message);
    return adit::exit_code::kChain;
  }
  return adit::exit_code::kOk;
}
