// SPDX-License-Identifier: MIT
#include "miner/app/serve_app.hpp"

#include <fmt/core.h>

#include <chrono>
#include <cstdio>
#include <optional>
#include <utility>

#include "common/base/clock.hpp"
#include "common/base/exit_code.hpp"
#include "common/base/files.hpp"
#include "common/base/limits.hpp"
#include "common/base/rng.hpp"
#include "common/base/shutdown.hpp"
#include "common/chain/substrate_client.hpp"
#include "common/crypto/keyfile.hpp"
#include "common/crypto/ss58.hpp"
#include "common/log/log.hpp"
#include "common/model/card.hpp"
#include "common/net/grpc_log.hpp"
#include "common/net/miner_server.hpp"
#include "miner/announce/announcer.hpp"
#include "miner/announce/metagraph_view.hpp"
#include "miner/app/engine_factory.hpp"
#include "miner/openai/api_key.hpp"
#include "miner/openai/http_server.hpp"
#include "miner/serve/admission.hpp"
#include "miner/serve/engine_source.hpp"
#include "miner/serve/journal.hpp"
#include "miner/serve/miner_service.hpp"

namespace adit::miner {
namespace {

using Failed = tl::unexpected<ServeFailure>;

Failed failed(Error error, int exit_code) {
  return Failed({std::move(error), exit_code});
}

std::chrono::milliseconds to_ms(std::uint64_t ns) {
  return std::chrono::milliseconds(ns / 1'000'000);
}

net::ServerOptions server_options(const ServeConfig& config) {
  net::ServerOptions out{
      .bind = config.bind,
      .tls = std::nullopt,
      .allow_insecure = config.allow_insecure,
      .threads_max = config.threads,
      .streams_per_connection_max = config.streams_per_connection,
      .rate = {.per_second = config.calls_per_second, .burst = config.calls_burst}};
  if (!config.certificate.empty()) {
    out.tls = net::TlsFiles{config.certificate.string(), config.certificate_key.string()};
  }
  return out;
}

int exit_code_of(const Error& server_error) {
  const bool is_setting = server_error.code == ErrorCode::kFailedPrecondition ||
                          server_error.code == ErrorCode::kInvalidArgument ||
                          server_error.code == ErrorCode::kNotFound;
  return is_setting ? exit_code::kConfig : exit_code::kUnavailable;
}

// Keeps the metagraph fresh and the announcement true until the end is asked for.
class Presence {
 public:
  Presence(chain::ChainClient& chain, MetagraphView& view, Announcer& announcer,
           const AccountId& hotkey)
      : chain_(chain), view_(view), announcer_(announcer), hotkey_(hotkey) {}

  void round() {
    const auto refreshed = view_.refresh(chain_);
    if (!refreshed) {
      if (!stale_) ADIT_LOG(kWarn, "metagraph_stale", {"reason", refreshed.error().message});
      stale_ = true;
      return;
    }
    if (stale_) ADIT_LOG(kInfo, "metagraph_fresh_again", {"block", view_.latest()->block});
    stale_ = false;
    const auto metagraph = view_.latest();
    const bool registered = metagraph->find(hotkey_) != nullptr;
    if (registered_ && !registered) {
      ADIT_LOG(kError, "deregistered", {"block", metagraph->block},
               {"hotkey", crypto::ss58_encode(hotkey_)});
    }
    registered_ = registered;
    const auto announced = announcer_.ensure_announced(*metagraph);
    if (!announced) {
      ADIT_LOG(kWarn, "announce_failed", {"reason", announced.error().message});
    } else if (*announced) {
      ADIT_LOG(kInfo, "announced", {"block", metagraph->block});
    }
  }

 private:
  chain::ChainClient& chain_;
  MetagraphView& view_;
  Announcer& announcer_;
  const AccountId hotkey_;
  bool stale_ = false;
  bool registered_ = false;
};

// Everything that serves, in the order in which it is made; destroyed in the reverse order.
struct Parts {
  OsRng rng;
  SystemClock clock;
  std::optional<crypto::KeypairSigner> hotkey;
  std::optional<crypto::KeypairSigner> coldkey;
  std::unique_ptr<AnswerSource> source;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<chain::ChainClient> chain;
  std::optional<MetagraphView> view;
  std::optional<Admission> admission;
  std::optional<MinerService> service;
  std::unique_ptr<net::MinerServer> server;
  std::unique_ptr<openai::Service> local_service;
  std::unique_ptr<openai::HttpServer> local_server;
};

tl::expected<void, ServeFailure> load(Parts& parts, const ServeConfig& config,
                                      const SourceFactory& factory) {
  auto hotkey = load_hotkey(config.keys);
  if (!hotkey) return failed(hotkey.error(), exit_code::kKeys);
  parts.hotkey.emplace(*std::move(hotkey), parts.rng);
  if (!config.keys.coldkey_file.empty()) {
    auto coldkey = crypto::load_keyfile(config.keys.coldkey_file);
    if (!coldkey) return failed(coldkey.error(), exit_code::kKeys);
    parts.coldkey.emplace(*std::move(coldkey), parts.rng);
  }
  auto source = factory(config);
  if (!source) return failed(source.error(), exit_code::kModel);
  parts.source = *std::move(source);
  auto journal = Journal::open(config.journal, config.journal_bytes_max);
  if (!journal) return failed(journal.error(), exit_code::kUnavailable);
  parts.journal = *std::move(journal);
  if (parts.journal->dropped_bytes() > 0) {
    ADIT_LOG(kWarn, "journal_repaired", {"dropped_bytes", parts.journal->dropped_bytes()},
             {"kept_as", config.journal.string() + ".damaged"});
  }
  return {};
}

tl::expected<void, ServeFailure> open(Parts& parts, const ServeConfig& config,
                                      const ServeSeams& seams) {
  auto chain = seams.connect ? seams.connect(config.chain_url) : chain::connect(config.chain_url);
  if (!chain) return failed(chain.error(), exit_code::kChain);
  parts.chain = *std::move(chain);
  MetagraphView& view = parts.view.emplace(config.netuid);
  if (const auto first = view.refresh(*parts.chain); !first) {
    return failed(first.error(), exit_code::kChain);
  }
  const AdmissionRules rules{.require_permit = config.require_permit,
                             .min_stake = config.min_stake,
                             .questions_per_hotkey = config.questions_per_hotkey};
  parts.admission.emplace(rules, parts.hotkey->account(), [&view] { return view.latest(); });
  parts.service.emplace(ServiceParts{.source = *parts.source,
                                     .admission = *parts.admission,
                                     .journal = *parts.journal,
                                     .hotkey = *parts.hotkey,
                                     .clock = parts.clock,
                                     .charters = config.charters,
                                     .software = "adit-miner",
                                     .context_max = static_cast<std::uint32_t>(config.context)});
  auto server = net::MinerServer::start(server_options(config), parts.hotkey->account(),
                                        *parts.service, parts.clock);
  if (!server) return failed(server.error(), exit_code_of(server.error()));
  parts.server = *std::move(server);
  return {};
}

// The endpoint for local users, on the engine that answers the subnet.
tl::expected<void, ServeFailure> open_http(Parts& parts, const ServeConfig& config, const ServeSeams& seams) {
  if (!config.http_listen) return {};
  auto* source = dynamic_cast<EngineSource*>(parts.source.get());
  if (source == nullptr) {
    return failed({ErrorCode::kFailedPrecondition, "http: this source of answers has no engine"}, exit_code::kConfig);
  }
  auto key = openai::read_api_key(config.http_api_key_file);
  if (!key) return failed(key.error().context("http.api_key_file"), exit_code::kConfig);
  std::string chat_template;
  if (!config.http_chat_template.empty()) {
    const auto bytes = read_file(config.http_chat_template, limits::kChatTemplateBytesMax);
    if (!bytes) return failed(bytes.error().context("http.chat_template"), exit_code::kConfig);
    chat_template = as_text(*bytes);
  }
  auto service = openai::Service::make(source->pack(), source->engine(), "", std::move(chat_template),
                                       config.http_adapters, kv_form_of(config.kv));
  if (!service) return failed(service.error().context("http"), exit_code::kModel);
  parts.local_service = *std::move(service);
  auto server =
      openai::HttpServer::start({.listen = *config.http_listen, .api_key = *std::move(key)}, *parts.local_service);
  if (!server) return failed(server.error().context("http"), exit_code_of(server.error()));
  parts.local_server = *std::move(server);
  const net::Endpoint bound = parts.local_server->bound();
  ADIT_LOG(kInfo, "serving_http", {"listen", bound.text()}, {"model", parts.local_service->model_name()});
  if (seams.on_http) seams.on_http(bound);
  return {};
}

// Registration is asked for once, before anything is announced: it costs money.
Result<void> join_subnet(Parts& parts, Announcer& announcer) {
  ADIT_TRY(const bool registered_now, announcer.ensure_registered(*parts.view->latest()));
  if (registered_now) {
    ADIT_LOG(kInfo, "registered", {"hotkey", crypto::ss58_encode(parts.hotkey->account())});
  }
  return {};
}

void report_ready(const Parts& parts, const ServeConfig& config, const ServeSeams& seams) {
  net::Endpoint bound = config.bind;
  bound.port = parts.server->port();
  const Hash256 card = protocol::card_hash(parts.source->card());
  ADIT_LOG(kInfo, "serving", {"bind", bound.text()}, {"advertise", config.advertise.text()},
           {"hotkey", crypto::ss58_encode(parts.hotkey->account())}, {"card", to_hex(card)});
  if (seams.on_ready) {
    seams.on_ready(bound, card);
    return;
  }
  fmt::print("ready {} card {}\n", bound.text(), to_hex(card));
  std::fflush(stdout);
}

}  // namespace

tl::expected<void, ServeFailure> serve(const ServeConfig& config, const ServeSeams& seams) {
  net::redirect_grpc_log();
  Parts parts;
  if (auto loaded = load(parts, config, seams.make_source); !loaded) return loaded;
  if (auto opened = open(parts, config, seams); !opened) return opened;
  if (auto opened = open_http(parts, config, seams); !opened) return opened;
  crypto::Signer* coldkey = parts.coldkey ? &*parts.coldkey : nullptr;
  Announcer announcer(*parts.chain, *parts.hotkey, coldkey,
                      {.netuid = config.netuid,
                       .advertise = config.advertise,
                       .register_if_missing = config.register_hotkey});
  if (const auto joined = join_subnet(parts, announcer); !joined) {
    return failed(joined.error(), exit_code::kChain);
  }
  report_ready(parts, config, seams);
  Presence presence(*parts.chain, *parts.view, announcer, parts.hotkey->account());
  do {
    presence.round();
  } while (!shutdown::wait_for(to_ms(config.refresh_ns)));
  ADIT_LOG(kInfo, "draining", {"running", parts.source->load().running},
           {"waiting", parts.source->load().waiting});
  parts.server->stop(to_ms(config.drain_ns));
  if (parts.local_server) parts.local_server->stop(to_ms(config.drain_ns));
  ADIT_LOG(kInfo, "stopped");
  log::flush();
  return {};
}

Result<crypto::Keypair> load_hotkey(const KeysConfig& keys) {
  if (!keys.hotkey_file.empty()) return crypto::load_keyfile(keys.hotkey_file);
  return crypto::load_keyfile(crypto::wallet_paths(keys.dir, keys.name, keys.hotkey).hotkey);
}

Result<std::unique_ptr<AnswerSource>> make_honest_source(const ServeConfig& config) {
  ADIT_TRY(std::shared_ptr<const model::Pack> pack, open_checked_pack(config.pack));
  protocol::Card card = model::card_of(*pack, {}, kv_form_of(config.kv));
  return make_engine_source(config, std::move(pack), std::move(card));
}

}  // namespace adit::miner
