// SPDX-License-Identifier: MIT
#include <cstdio>
#include <iostream>

#include "common/base/exit_code.hpp"
#include "common/base/shutdown.hpp"
#include "common/log/log.hpp"
#include "validator/app.hpp"
#include "validator/commands/explain.hpp"
#include "validator/commands/replay.hpp"
#include "validator/commands/run.hpp"
#include "validator/commands/summary.hpp"

namespace adit::validator {
namespace {

// What a failure to open a source is to the shell.
int source_code(const Error& error) {
  return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kDeadlineExceeded
             ? exit_code::kChain
             : exit_code::kConfig;
}

}  // namespace

int fail(const Error& error, int exit_code) {
  std::string line = error.message;
  for (char& c : line) c = c == '\n' || c == '\r' ? ' ' : c;
  std::fprintf(stderr, "adit-validator: %s\n", line.c_str());
  return exit_code;
}

int run_command(const std::string& config_file) {
  if (auto logging = log::init({}); !logging) return fail(logging.error(), exit_code::kUsage);
  shutdown::install();
  const auto config = load_config(config_file);
  if (!config) return fail(config.error(), exit_code::kConfig);
  SystemClock clock;
  OsRng rng;
  const auto app = App::prepare(*config, clock, rng);
  if (!app) return fail(app.error().error, app.error().exit_code);
  ADIT_LOG(kInfo, "validator_started", {"netuid", config->chain.netuid}, {"chain", config->chain.url});
  const auto ran = (*app)->run([](std::uint64_t pause_ns) {
    if (pause_ns == 0) return !shutdown::requested();
    return !shutdown::wait_for(std::chrono::milliseconds(pause_ns / 1'000'000));
  });
  log::flush();
  return ran ? exit_code::kOk : fail(ran.error(), exit_code::kFailed);
}

int replay_command(const SourceOptions& options) {
  auto source = open_source(options);
  if (!source) return fail(source.error(), source_code(source.error()));
  std::optional<ChainSide> side;
  if (source->chain) side.emplace(ChainSide{*source->chain, source->validator});
  const auto report = replay_ledger(std::cout, source->ledger, source->charter, side ? &*side : nullptr);
  if (!report) return fail(report.error(), source_code(report.error()));
  return report->equal ? exit_code::kOk : exit_code::kFailed;
}

int explain_command(const SourceOptions& options, Uid uid) {
  SourceOptions offline = options;
  offline.offline = true;
  auto source = open_source(offline);
  if (!source) return fail(source.error(), source_code(source.error()));
  const auto explained = explain(std::cout, source->ledger, source->charter.rules, uid);
  return explained ? exit_code::kOk : fail(explained.error(), exit_code::kFailed);
}

int status_command(const SourceOptions& options, bool json) {
  auto source = open_source(options);
  if (!source) return fail(source.error(), source_code(source.error()));
  std::optional<chain::Metagraph> graph;
  if (source->chain) {
    auto read = source->chain->metagraph(source->charter.netuid, std::nullopt);
    if (!read) return fail(read.error(), exit_code::kChain);
    graph = *std::move(read);
  }
  const auto summary = summarize(source->ledger, source->charter.rules, graph ? &*graph : nullptr);
  if (!summary) return fail(summary.error(), exit_code::kFailed);
  if (json) {
    std::cout << to_json(*summary) << '\n';
  } else {
    print_table(std::cout, *summary);
  }
  return exit_code::kOk;
}

int ledger_verify_command(const std::string& ledger_file) {
  const auto ledger = Ledger::open(ledger_file, true);
  if (!ledger) return fail(ledger.error(), exit_code::kConfig);
  const auto walked = ledger->walk(1, [](const Row&) -> Result<void> { return {}; });
  if (!walked) return fail(walked.error(), exit_code::kFailed);
  std::cout << fmt::format("{}: {} rows, hash chain whole, head {}\n", ledger_file, ledger->size(),
                           to_hex(ledger->head()));
  return exit_code::kOk;
}

}  // namespace adit::validator
