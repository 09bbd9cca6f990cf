// SPDX-License-Identifier: MIT
#include "miner/cli.hpp"

#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <fmt/ranges.h>

#include "common/base/exit_code.hpp"
#include "common/proof/trace.hpp"
#include "common/protocol/messages.hpp"
#include "miner/app/describe_command.hpp"
#include "miner/app/serve_command.hpp"
#include "miner/command.hpp"
#include "miner/fetch/fetch_command.hpp"
#include "miner/generate/bench_command.hpp"
#include "miner/generate/generate_command.hpp"
#include "miner/openai/serve_http_command.hpp"
#include "miner/pack/eval_command.hpp"
#include "miner/pack/pack_command.hpp"
#include "miner/pack/prune_command.hpp"
#include "miner/plan/plan_command.hpp"

namespace adit::miner {
namespace {

std::string version_text() {
  return fmt::format("adit-miner {} (numerics 1 and 2, trace {}, protocol {})", ADIT_VERSION,
                     proof::kTraceVersion, protocol::kProtocolVersion);
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

}  // namespace

int run_cli(int argc, const char* const* argv) {
  CLI::App app("Serves and proves exact generations of open models", "adit-miner");
  app.set_version_flag("--version", version_text());
  app.set_help_flag("--help,-h", "Print this help and exit");
  int exit_code = exit_code::kOk;
  add_fetch_command(app, exit_code);
  add_plan_command(app, exit_code);
  add_pack_command(app, exit_code);
  add_prune_command(app, exit_code);
  add_generate_command(app, exit_code);
  add_eval_command(app, exit_code);
  add_bench_command(app, exit_code);
  add_serve_command(app, exit_code);
  add_serve_http_command(app, exit_code);
  add_describe_command(app, exit_code);

  const std::vector<std::string> names = command_names(app);
  const bool has_command = argc > 1 && argv[1][0] != '-';
  if (has_command && std::find(names.begin(), names.end(), argv[1]) == names.end()) {
    return fail(
        {ErrorCode::kInvalidArgument,
         fmt::format("unknown command '{}', expected one of: {}", argv[1], fmt::join(names, ", "))},
        exit_code::kUsage);
  }
  app.require_subcommand(1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help() << std::flush;
    return exit_code::kOk;
  } catch (const CLI::CallForVersion&) {
    std::cout << version_text() << std::endl;
    return exit_code::kOk;
  } catch (const CLI::ParseError& error) {
    return fail({ErrorCode::kInvalidArgument, error.what()}, exit_code::kUsage);
  }
  return exit_code;
}

}  // namespace adit::miner
