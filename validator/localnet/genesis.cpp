// SPDX-License-Identifier: MIT
// Block 0: rich developer accounts, //Alice as sudo, the root network and one empty subnet.
#include <array>

#include "common/crypto/hash.hpp"
#include "common/crypto/keypair.hpp"
#include "validator/localnet/accounts.hpp"
#include "validator/localnet/runtime.hpp"
#include "validator/localnet/subnet.hpp"

namespace adit::validator {
namespace {

constexpr std::array kRich = {"//Alice", "//Bob", "//Charlie", "//Dave", "//Eve", "//Ferdie"};
// 1 000 000 TAO
constexpr Rao kRichBalance = 1'000'000'000'000'000;
constexpr NetUid kFirstSubnet = 1;
constexpr std::uint16_t kFirstTempo = 100;
// Where the runtime's code would stand: what this chain runs is told by its metadata.
constexpr std::string_view kCodeKey = ":adit:metadata_hash";

AccountId developer(const char* uri) {
  const Result<crypto::Keypair> key = crypto::Keypair::from_uri(crypto::Scheme::kSr25519, uri);
  ADIT_CHECK(key.has_value());
  return key->public_key();
}

void add_root(State& state) {
  state.put(subtensor("NetworksAdded"), true, kRootNetUid);
  state.put(subtensor("TotalNetworks"), std::uint16_t{1});
  state.put(subtensor("SubnetworkN"), std::uint16_t{0}, kRootNetUid);
  state.put(subtensor("Tempo"), kFirstTempo, kRootNetUid);
  state.put(subtensor("SubtokenEnabled"), true, kRootNetUid);
  state.put(subtensor("MaxAllowedUids"), std::uint16_t{64}, kRootNetUid);
  state.put(subtensor("NetworkRegistrationAllowed"), false, kRootNetUid);
}

}  // namespace

BuiltBlock Runtime::genesis() const {
  const VersionedMap nothing(1);
  State state(metadata_, nothing, 0);
  state.set_raw(to_bytes(as_bytes(kCodeKey)), to_bytes(crypto::blake2b_256(blob_)));
  const AccountId alice = developer(kRich[0]);
  for (const char* uri : kRich) {
    write_account(state, developer(uri), {.providers = 1, .free = kRichBalance});
  }
  const Rao issued = kRichBalance * kRich.size();
  state.put(Item{"Balances", "TotalIssuance"}, issued);
  state.put(subtensor("TotalIssuance"), issued);
  state.put(Item{"Sudo", "Key"}, alice);
  state.put(Item{"System", "Number"}, std::uint32_t{0});
  scale::Encoder upgrade;
  upgrade.compact(version_.spec_version);
  upgrade.bytes(as_bytes(version_.spec_name));
  state.set_raw(state.key(Item{"System", "LastRuntimeUpgrade"}), upgrade.take());
  add_root(state);
  add_subnet(state, kFirstSubnet, alice, alice, 0);
  state.put(subtensor("Tempo"), kFirstTempo, kFirstSubnet);

  BuiltBlock built;
  built.changes = state.changes();
  built.block.header = {.parent = {},
                        .number = 0,
                        .state_root = nothing.root_with(built.changes),
                        .extrinsics_root = extrinsics_root({})};
  built.block.hash = built.block.header.hash();
  return built;
}

}  // namespace adit::validator
