// SPDX-License-Identifier: MIT
#include "validator/localnet/localnet_command.hpp"

#include <charconv>
#include <ostream>

#include "common/base/clock.hpp"
#include "common/base/exit_code.hpp"
#include "common/base/shutdown.hpp"
#include "validator/localnet/localnet.hpp"

namespace adit::validator {
namespace {

constexpr std::uint64_t kBlockTimeMsMax = 3'600'000;
constexpr std::chrono::milliseconds kWatchInterval{200};

constexpr const char* kHelp =
    "usage: adit-validator localnet [--rpc HOST:PORT] [--block-time 250ms|12s|manual] [--state DIR]\n"
    "Runs a local chain that speaks the JSON-RPC of a Bittensor node.\n"
    "  --rpc         where to listen, loopback only (127.0.0.1:9944); port 0 takes a free one\n"
    "  --block-time  time between blocks (12s); manual: only by the RPC method dev_newBlock\n"
    "  --state       folder to keep the chain in and resume from; without it the chain is kept in memory\n"
    "Prints `ready ws://HOST:PORT` when it answers. //Alice is sudo; subnet 1 exists and is empty.\n";

Result<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return invalid_argument("expected a number, got '{}'", text);
  }
  return value;
}

Result<void> read_rpc(std::string_view text, RpcServerOptions& rpc) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) {
    return invalid_argument("--rpc {}: expected HOST:PORT", text);
  }
  const Result<std::uint64_t> port = number(text.substr(colon + 1));
  if (!port || *port > 65535) return invalid_argument("--rpc {}: expected a port of 0 to 65535", text);
  rpc.host = text.substr(0, colon);
  if (rpc.host.starts_with('[') && rpc.host.ends_with(']'))
    rpc.host = rpc.host.substr(1, rpc.host.size() - 2);
  if (rpc.host == "localhost") rpc.host = "127.0.0.1";
  rpc.port = static_cast<std::uint16_t>(*port);
  return {};
}

Result<void> read_block_time(std::string_view text, RpcServerOptions& rpc) {
  if (text == "manual") {
    rpc.block_time.reset();
    return {};
  }
  const bool ms = text.ends_with("ms");
  const bool seconds = !ms && text.ends_with("s");
  const Result<std::uint64_t> value = number(text.substr(0, text.size() - (ms ? 2 : seconds ? 1 : 0)));
  if (!(ms || seconds) || !value || *value == 0 || *value > kBlockTimeMsMax / (ms ? 1 : 1000)) {
    return invalid_argument("--block-time {}: expected for example 250ms, 12s or manual", text);
  }
  rpc.block_time = std::chrono::milliseconds(*value * (ms ? 1 : 1000));
  return {};
}

Result<LocalnetOptions> read_options(std::span<const std::string> arguments) {
  LocalnetOptions options;
  options.rpc.port = 9944;
  options.rpc.block_time = std::chrono::seconds(12);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view name = arguments[i];
    const bool known = name == "--rpc" || name == "--block-time" || name == "--state";
    if (!known) return invalid_argument("unknown argument '{}'; see --help", name);
    if (++i == arguments.size()) return invalid_argument("{}: expected a value", name);
    if (name == "--rpc") ADIT_TRY_VOID(read_rpc(arguments[i], options.rpc));
    if (name == "--block-time") ADIT_TRY_VOID(read_block_time(arguments[i], options.rpc));
    if (name == "--state") options.state_dir = arguments[i];
  }
  return options;
}

int say(std::ostream& errors, const Error& error) {
  errors << "adit-validator: localnet: " << error.message << '\n';
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
      return exit_code::kUsage;
    case ErrorCode::kDataLoss:
    case ErrorCode::kFailedPrecondition:
      return exit_code::kConfig;
    case ErrorCode::kInternal:
      return exit_code::kInternal;
    default:
      return exit_code::kUnavailable;
  }
}

}  // namespace

int run_localnet_command(std::span<const std::string> arguments, std::ostream& out, std::ostream& errors) {
  for (const std::string& argument : arguments) {
    if (argument != "--help" && argument != "-h") continue;
    out << kHelp;
    return 0;
  }
  const Result<LocalnetOptions> options = read_options(arguments);
  if (!options) return say(errors, options.error());
  const SystemClock clock;
  shutdown::install();
  const Result<std::unique_ptr<Localnet>> chain = Localnet::start(*options, clock);
  if (!chain) return say(errors, chain.error());
  out << "ready " << (*chain)->url() << std::endl;
  while (!shutdown::wait_for(kWatchInterval)) {
    if (const std::optional<Error> failed = (*chain)->failure()) return say(errors, *failed);
  }
  return exit_code::kOk;
}

}  // namespace adit::validator
