// SPDX-License-Identifier: MIT
#include "miner/openai/serve_http_command.hpp"

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/base/exit_code.hpp"
#include "common/base/files.hpp"
#include "common/base/limits.hpp"
#include "common/base/shutdown.hpp"
#include "common/log/log.hpp"
#include "miner/command.hpp"
#include "miner/generate/run_flags.hpp"
#include "miner/openai/api_key.hpp"
#include "miner/openai/http_server.hpp"

namespace adit::miner {
namespace {

constexpr int kHttpThreadsMax = 1024;

struct Flags {
  std::string pack;
  std::string listen = "127.0.0.1:8000";
  std::string api_key_file;
  std::string model_name;
  std::string chat_template;
  std::vector<std::string> adapters;
  RunFlags run;
  int batch = 8;
  std::uint32_t queue = 64;
  int http_threads = 64;
  int drain_s = 30;
};

// NAME=PATH each.
Result<openai::AdapterFolders> adapter_folders(const std::vector<std::string>& flags) {
  openai::AdapterFolders out;
  for (const std::string& flag : flags) {
    const std::size_t sign = flag.find('=');
    if (sign == 0 || sign == flag.npos || sign + 1 == flag.size()) {
      return invalid_argument("--adapter: expected NAME=PATH, got '{}'", flag);
    }
    out.emplace_back(flag.substr(0, sign), flag.substr(sign + 1));
  }
  return out;
}

int run(const Flags& flags) {
  shutdown::install();
  Result<model::EngineOptions> options = engine_options(flags.run);
  if (!options) return fail(options.error(), exit_code::kUsage);
  options->batch_max = flags.batch;
  const auto listen = net::parse_endpoint(flags.listen);
  if (!listen) return fail(listen.error().context("--listen"), exit_code::kUsage);
  const auto key = openai::read_api_key(flags.api_key_file);
  if (!key) return fail(key.error().context("--api-key-file"), exit_code::kConfig);
  if (key->empty() && !listen->is_loopback()) {
    return fail({ErrorCode::kFailedPrecondition,
                 fmt::format("--listen {} is not loopback: give --api-key-file", flags.listen)},
                exit_code::kUsage);
  }
  const auto adapters = adapter_folders(flags.adapters);
  if (!adapters) return fail(adapters.error(), exit_code::kUsage);
  std::string chat_template;
  if (!flags.chat_template.empty()) {
    const auto bytes = read_file(flags.chat_template, limits::kChatTemplateBytesMax);
    if (!bytes) return fail(bytes.error().context("--chat-template"), exit_code::kConfig);
    chat_template = as_text(*bytes);
  }
  auto opened = model::Pack::open(flags.pack);
  if (!opened) return fail(opened.error(), exit_code::kModel);
  const auto declared = model::check_declaration(*opened);
  if (!declared) return fail(declared.error(), exit_code::kModel);
  const auto pack = std::make_shared<const model::Pack>(*std::move(opened));
  if (const auto fits = model::check_kv(pack->config(), options->kv); !fits)
    return fail(fits.error().context("--kv int8"), exit_code::kUsage);
  EngineThread engine(pack, *options, flags.queue);
  const auto service =
      openai::Service::make(pack, engine, flags.model_name, std::move(chat_template), *adapters, options->kv);
  if (!service) return fail(service.error(), exit_code::kModel);
  const auto server = openai::HttpServer::start(
      {.listen = *listen, .api_key = *key, .threads = flags.http_threads}, **service);
  if (!server) return fail(server.error(), exit_code::kUnavailable);
  fmt::print("ready {} model {}\n", (*server)->bound().text(), (*service)->model_name());
  std::fflush(stdout);
  shutdown::wait();
  ADIT_LOG(kInfo, "draining", {"running", engine.load().running}, {"waiting", engine.load().waiting});
  (*server)->stop(std::chrono::seconds(flags.drain_s));
  engine.stop();
  log::flush();
  return exit_code::kOk;
}

}  // namespace

void add_serve_http_command(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<Flags>();
  flags->run.prefill_chunk = 128;
  CLI::App* command =
      app.add_subcommand("serve-http", "Serve OpenAI's HTTP API to local users until SIGTERM");
  command->add_option("--pack", flags->pack, "Pack file (.adit)")->required();
  command->add_option("--listen", flags->listen, "Address; beyond loopback only with --api-key-file")
      ->capture_default_str();
  command->add_option("--api-key-file", flags->api_key_file,
                      "File whose first line is the key that clients send");
  command->add_option("--model-name", flags->model_name,
                      "Name that requests give (default: the pack file's, without .adit)");
  command->add_option("--chat-template", flags->chat_template,
                      "File with a chat template (Jinja) to use instead of the pack's");
  command->add_option("--adapter", flags->adapters,
                      "NAME=PATH: requests for model NAME get the LoRA adapter in the folder PATH (repeatable)");
  command->add_option("--batch", flags->batch, "Answers that are made together")
      ->check(CLI::Range(1, limits::kBatchSequencesMax))
      ->capture_default_str();
  command->add_option("--queue", flags->queue, "Answers that wait for a place")
      ->check(CLI::Range(0, 100'000))
      ->capture_default_str();
  command->add_option("--http-threads", flags->http_threads, "Connections that are served at once")
      ->check(CLI::Range(1, kHttpThreadsMax))
      ->capture_default_str();
  command->add_option("--drain", flags->drain_s, "Seconds that running requests get after SIGTERM")
      ->check(CLI::Range(0, 3600))
      ->capture_default_str();
  add_run_flags(*command, flags->run);
  command->callback([flags, &exit_code] { exit_code = run(*flags); });
}

}  // namespace adit::miner
