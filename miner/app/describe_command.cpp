// SPDX-License-Identifier: MIT
#include "miner/app/describe_command.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/core.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "common/base/clock.hpp"
#include "common/base/exit_code.hpp"
#include "common/base/files.hpp"
#include "common/crypto/ss58.hpp"
#include "common/model/card.hpp"
#include "common/net/grpc_log.hpp"
#include "common/net/miner_channel.hpp"
#include "miner/app/serve_app.hpp"
#include "miner/command.hpp"

namespace adit::miner {
namespace {

constexpr std::chrono::seconds kWait{10};

struct Flags {
  std::string pack;
  std::string config;
  std::string kv = "f16";
  bool running = false;
  bool as_json = false;
};

nlohmann::json json_of(const protocol::Card& card) {
  return {{"card", to_hex(protocol::card_hash(card))},
          {"base", to_hex(card.base)},
          {"tokenizer", to_hex(card.tokenizer)},
          {"chat_template", to_hex(card.chat_template)},
          {"numerics", card.numerics},
          {"trace", card.trace},
          {"layers", card.layers},
          {"hidden", card.hidden},
          {"ffn", card.ffn},
          {"heads", card.heads},
          {"kv_heads", card.kv_heads},
          {"head_dim", card.head_dim},
          {"vocabulary", card.vocabulary},
          {"context", card.context},
          {"stop_ids", card.stop_ids}};
}

void print(const nlohmann::json& object, bool as_json) {
  if (as_json) {
    fmt::print("{}\n", object.dump(2));
    return;
  }
  for (const auto& [key, value] : object.items()) {
    fmt::print("{:<14} {}\n", key, value.is_string() ? value.get<std::string>() : value.dump());
  }
}

int describe_pack(const std::filesystem::path& path, const std::string& kv, bool as_json) {
  const auto pack = model::Pack::open(path);
  if (!pack) return fail(pack.error(), exit_code::kModel);
  const auto form = model::parse_kv(kv);
  if (!form) return fail(form.error().context("--kv"), exit_code::kUsage);
  if (const auto fits = model::check_kv(pack->config(), *form); !fits)
    return fail(fits.error().context("--kv int8"), exit_code::kUsage);
  nlohmann::json object = json_of(model::card_of(*pack, {}, *form));
  object["model"] = pack->config().name;
  if (pack->declaration()) {
    const model::Declaration& said = *pack->declaration();
    object["declaration"] = nlohmann::json::parse(model::declaration_json(said));
    if (!as_json) {
      object["declaration"] = fmt::format("mean KL {:.3g}, bound {:.3g}; {}, {} tokens of a text of {} bytes, {}",
                                          said.mean_kl, said.bound, said.against, said.positions,
                                          said.text_bytes, to_hex(said.text_hash));
    }
    object["keeps_bound"] = model::check_declaration(*pack).has_value();
  }
  print(object, as_json);
  return exit_code::kOk;
}

// The operator's own hotkey may always call its miner.
int describe_running(const ServeConfig& config, bool as_json) {
  net::redirect_grpc_log();
  auto key = load_hotkey(config.keys);
  if (!key) return fail(key.error(), exit_code::kKeys);
  OsRng rng;
  const SystemClock clock;
  crypto::KeypairSigner hotkey(*std::move(key), rng);
  protocol::NonceSource nonces(clock);
  net::MinerChannel::Options options{
      .endpoint = config.bind, .miner = hotkey.account(), .tls = std::nullopt};
  if (options.endpoint.is_unspecified()) {
    options.endpoint = *net::parse_endpoint(config.bind.is_v6 ? "[::1]:0" : "127.0.0.1:0");
    options.endpoint.port = config.bind.port;
  }
  if (!config.certificate.empty()) {
    const auto certificate = read_file(config.certificate, limits::kCertificateBytesMax);
    if (!certificate) return fail(certificate.error(), exit_code::kConfig);
    options.tls = net::TlsTrust{.roots_pem = std::string(as_text(*certificate)), .server_name = ""};
  }
  const auto description = net::MinerChannel(options, hotkey, nonces, clock).describe(kWait);
  if (!description) {
    return fail(description.error().context(options.endpoint.text()), exit_code::kUnavailable);
  }
  nlohmann::json object = json_of(description->card);
  object["model"] = description->model_name;
  object["software"] = description->software;
  object["hotkey"] = crypto::ss58_encode(description->hotkey);
  object["context"] = description->context;
  object["batch_max"] = description->batch_max;
  object["queue_max"] = description->queue_max;
  object["running"] = description->running;
  object["waiting"] = description->waiting;
  print(object, as_json);
  return exit_code::kOk;
}

int run(const Flags& flags) {
  if (!flags.pack.empty()) return describe_pack(flags.pack, flags.kv, flags.as_json);
  const auto config = load_serve_config(flags.config);
  if (!config) return fail(config.error().context("config"), exit_code::kConfig);
  return flags.running ? describe_running(*config, flags.as_json)
                       : describe_pack(config->pack, config->kv == KvChoice::kInt8 ? "int8" : "f16", flags.as_json);
}

}  // namespace

void add_describe_command(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command =
      app.add_subcommand("describe", "Print the card of a pack or of a running miner");
  auto* pack = command->add_option("--pack", flags->pack, "A pack file (.adit)");
  auto* config = command->add_option("--config", flags->config, "Settings of serve");
  pack->excludes(config);
  command->add_option("--kv", flags->kv, "With --pack: form of keys and values, f16 (numerics 1) or int8 (numerics 2)")
      ->check(CLI::IsMember({"f16", "int8"}))
      ->excludes(config)
      ->capture_default_str();
  command->add_flag("--running", flags->running, "Ask the running miner of these settings")
      ->needs(config);
  command->add_flag("--json", flags->as_json, "Print one JSON object");
  command->callback([flags, &exit_code] {
    if (flags->pack.empty() == flags->config.empty())
      throw CLI::RequiredError("--pack or --config");
    exit_code = run(*flags);
  });
}

}  // namespace adit::miner
