// SPDX-License-Identifier: MIT
#include "validator/config.hpp"

#include "common/config/yaml_reader.hpp"

namespace adit::validator {
namespace {

constexpr std::size_t kNameCharsMax = 256;

void read_chain(config::YamlReader in, ValidatorConfig::Chain& out) {
  in.text("url", out.url, 2048, "WebSocket address of a subtensor node (ws:// or wss://).");
  in.integer("netuid", out.netuid, 0, 65535, "The subnet.");
  in.integer("mechanism", out.mechanism, 0, 15, "The mechanism of the subnet that is scored.");
}

void read_wallet(config::YamlReader in, ValidatorConfig::Wallet& out) {
  in.path("dir", out.dir, "Folder of Bittensor wallets.");
  in.text("name", out.name, kNameCharsMax, "The wallet (coldkey) name.");
  in.text("hotkey", out.hotkey, kNameCharsMax, "The hotkey name; its file must not be encrypted.");
}

void read_query(config::YamlReader in, ValidatorConfig::Query& out) {
  in.integer("threads", out.threads, 1, 256, "Questions under way at the same time.");
  in.integer("per_miner", out.per_miner, 1, 64, "Questions under way at one miner at the same time.");
  in.boolean("allow_loopback_miners", out.allow_loopback_miners,
             "Reach miners that announce address 0 at 127.0.0.1 (a subnet on one machine).");
  in.path("tls_root", out.tls_root, "PEM file of certificates that miners' TLS must lead to; empty: no TLS.");
}

void read_verify(config::YamlReader in, ValidatorConfig::Verify& out) {
  in.integer("threads", out.threads, 1, 256, "Threads that replay answers.");
  in.text("isa", out.isa, 16, "auto, scalar, avx2 or avx512; the verdicts are the same.");
  if (out.isa != "auto" && out.isa != "scalar" && out.isa != "avx2" && out.isa != "avx512") {
    in.fail("isa", "expected auto, scalar, avx2 or avx512, got '" + out.isa + "'");
  }
}

}  // namespace

Result<ValidatorConfig> load_config(const std::filesystem::path& file) {
  ADIT_TRY(config::YamlReader root, config::YamlReader::from_file(file));
  ValidatorConfig out;
  read_chain(root.section("chain", "Which chain and subnet."), out.chain);
  read_wallet(root.section("wallet", "Who we are."), out.wallet);
  root.path("charter", out.charter, "The subnet's charter.");
  root.path("pack", out.pack, "The pack of the charter's model: what replays compute with.");
  root.path("state", out.state, "Folder of the ledger.");
  read_query(root.section("query", "How miners are asked."), out.query);
  read_verify(root.section("verify", "How answers are replayed."), out.verify);
  root.integer("blocks_left_min", out.blocks_left_min, 1, 50'400,
               "A step begins only with at least this many blocks of its epoch left.");
  root.integer("blocks_after_epoch", out.blocks_after_epoch, 0, 50'400,
               "A step begins this many blocks after its epoch, when miners have seen the permits.");
  root.duration_ns("poll", out.poll_ns, 10'000'000, 600'000'000'000,
                   "How often the chain is looked at while no step is due.");
  root.require({"charter", "pack"});
  ADIT_TRY_VOID(root.finish());
  return out;
}

}  // namespace adit::validator
