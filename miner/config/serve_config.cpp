// SPDX-License-Identifier: MIT
#include "miner/config/serve_config.hpp"

#include <array>
#include <string_view>

#include "common/base/limits.hpp"

namespace adit::miner {
namespace {

constexpr std::array<std::string_view, 4> kIsaNames{"auto", "scalar", "avx2", "avx512"};
constexpr std::array<std::string_view, 2> kKvNames{"f16", "int8"};

void read_endpoint(config::YamlReader& from, std::string_view key, net::Endpoint& value,
                   std::string_view sentence) {
  from.parsed(
      key, "a numeric address and port", value.text(),
      [&](std::string_view text) -> Result<void> {
        ADIT_TRY(value, net::parse_endpoint(text));
        return {};
      },
      sentence);
}

void read_keys(config::YamlReader& root, KeysConfig& keys) {
  config::YamlReader from = root.section("wallet", "The hotkey that signs receipts.");
  from.path("dir", keys.dir, "Folder of the wallets, as ~/.bittensor/wallets.");
  from.text("name", keys.name, 64, "Name of the wallet.");
  from.text("hotkey", keys.hotkey, 64, "Name of the hotkey.");
  from.path("hotkey_file", keys.hotkey_file,
            "A hotkey file by itself, instead of dir, name and hotkey.");
  from.path("coldkey_file", keys.coldkey_file,
            "Unencrypted coldkey file that pays for register: true.");
  if (keys.dir.empty() == keys.hotkey_file.empty()) {
    from.fail("dir", "expected either dir (with name and hotkey) or hotkey_file");
  }
}

void read_chain(config::YamlReader& root, ServeConfig& out) {
  config::YamlReader from = root.section("chain", "Which subnet of which chain.");
  from.text("url", out.chain_url, 256, "WebSocket address of a node.");
  from.integer("netuid", out.netuid, 0, 65535, "The subnet.");
  from.boolean("register", out.register_hotkey,
               "Register the hotkey by burning TAO if it is not registered.");
  from.duration_ns("refresh", out.refresh_ns, 100'000'000, 600'000'000'000,
                   "How often to read the metagraph.");
  if (out.register_hotkey && out.keys.coldkey_file.empty()) {
    from.fail("register", "needs wallet.coldkey_file");
  }
}

void read_server(config::YamlReader& root, ServeConfig& out) {
  config::YamlReader from = root.section("server", "Where validators reach this miner.");
  read_endpoint(from, "bind", out.bind, "Address to listen on.");
  read_endpoint(from, "advertise", out.advertise,
                "Address to announce on chain; 0.0.0.0 with a port for a subnet on one machine, "
                "whose validators set "
                "allow_loopback_miners.");
  from.boolean("allow_insecure", out.allow_insecure, "Listen beyond loopback without TLS.");
  from.path("certificate", out.certificate, "PEM certificate; TLS is used when it is set.");
  from.path("certificate_key", out.certificate_key, "PEM private key of the certificate.");
  from.integer("threads", out.threads, 4, 1024, "Calls that are served at the same time.");
  from.integer("streams_per_connection", out.streams_per_connection, 1, 10'000,
               "Calls of one connection.");
  from.duration_ns("drain", out.drain_ns, 0, 3600'000'000'000,
                   "How long running questions may go on after SIGTERM.");
  from.require({"bind", "advertise"});
  if (out.certificate.empty() != out.certificate_key.empty()) {
    from.fail("certificate", "certificate and certificate_key go together");
  }
  if (out.advertise.port == 0) from.fail("advertise", "port 0 cannot be announced");
}

void read_admission(config::YamlReader& root, ServeConfig& out) {
  config::YamlReader from = root.section("admission", "Who may ask, and how much.");
  from.boolean("require_permit", out.require_permit, "Only hotkeys with a validator permit.");
  from.decimal("min_stake", out.min_stake, 9, 0, 21'000'000'000'000'000,
               "Least stake of a caller, in TAO.");
  from.integer("questions_per_hotkey", out.questions_per_hotkey, 1, 10'000,
               "Questions of one hotkey at a time.");
  from.integer("calls_per_second", out.calls_per_second, 1, 100'000, "Rate of one hotkey.");
  from.integer("calls_burst", out.calls_burst, 1, 100'000,
               "Calls above the rate that one hotkey may save up.");
  from.hashes("charters", out.charters, 64, "Charters this miner works for; none: any.");
}

void read_engine(config::YamlReader& root, ServeConfig& out) {
  config::YamlReader from = root.section("engine", "How the model is run.");
  from.choice("isa", out.isa, kIsaNames, "Instruction set; every choice gives the same bits.");
  from.integer("threads", out.engine_threads, 0, 1024,
               "Threads of the engine; 0: one for each processor, or as many as pin names.");
  from.parsed(
      "pin", "none, cores or a list of processors as 0-3,8", out.pin.text(),
      [&](std::string_view text) -> Result<void> {
        ADIT_TRY(out.pin, model::parse_pin(text));
        return {};
      },
      "Keep each thread on a processor: cores is one a core, spread over memory nodes.");
  from.integer("batch", out.batch_max, 1, 1024, "Questions that run together.");
  from.integer("queue", out.queue_max, 0, 100'000, "Questions that wait for a place.");
  from.integer("prefill_chunk", out.prefill_chunk, 1, 8192, "Prompt tokens of one step.");
  from.choice("kv", out.kv, kKvNames, "Form of keys and values: f16 (numerics 1) or int8 (numerics 2).");
  from.path("charter_file", out.charter_file,
            "The charter to serve by: its pack and numerics must be the pack's and those of engine.kv.");
  from.size_bytes("kv_bytes", out.kv_bytes, 0, std::uint64_t{1} << 44,
                  "Memory of keys and values, and of prefixes that are kept; 0: a quarter of the machine's.");
  from.integer("context", out.context, 0, limits::kContextMax,
               "Longest prompt and answer together; 0: the model's. Longer questions are refused.");
}

void read_http(config::YamlReader& root, ServeConfig& out) {
  const bool is_there = root.has("http");
  config::YamlReader from =
      root.section("http", "OpenAI's HTTP API for local users, beside the subnet, whose questions go first.");
  net::Endpoint listen = *net::parse_endpoint("127.0.0.1:8000");
  read_endpoint(from, "listen", listen, "Address to listen on; beyond loopback only with api_key_file.");
  from.path("api_key_file", out.http_api_key_file, "File whose first line is the key that clients send.");
  from.path("chat_template", out.http_chat_template,
            "File with a chat template (Jinja) for local requests instead of the pack's.");
  config::YamlReader adapters =
      from.section("adapters", "LoRA adapters for local requests; the name is what a request gives as its model.");
  for (const std::string& name : adapters.keys()) {
    std::filesystem::path folder;
    adapters.path(name, folder, "Folder of the adapter, as PEFT saves it.");
    if (name.empty() || name.size() > limits::kNameBytesMax) {
      adapters.fail(name, fmt::format("expected a name of 1 to {} bytes", limits::kNameBytesMax));
    }
    out.http_adapters.emplace_back(name, std::move(folder));
  }
  if (!is_there) return;
  out.http_listen = listen;
  if (!listen.is_loopback() && out.http_api_key_file.empty()) {
    from.fail("listen", "beyond loopback it needs api_key_file");
  }
}

}  // namespace

Result<ServeConfig> read_serve_config(config::YamlReader& root) {
  ServeConfig out;
  root.path("pack", out.pack, "The pack to serve (adit-miner pack).");
  root.require({"pack"});
  read_keys(root, out.keys);
  read_chain(root, out);
  read_server(root, out);
  read_admission(root, out);
  read_engine(root, out);
  read_http(root, out);
  config::YamlReader journal = root.section("journal", "Receipts on disk.");
  journal.path("path", out.journal, "Append-only file of signed receipts.");
  journal.size_bytes("bytes_max", out.journal_bytes_max, 1u << 16, limits::kJournalBytesMax,
                     "Size at which the file is rotated; twice this is kept.");
  ADIT_TRY_VOID(root.finish());
  if (out.journal.empty()) return invalid_argument("journal.path: expected a path");
  return out;
}

Result<ServeConfig> load_serve_config(const std::filesystem::path& file) {
  ADIT_TRY(config::YamlReader root, config::YamlReader::from_file(file));
  return read_serve_config(root);
}

}  // namespace adit::miner
