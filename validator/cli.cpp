// SPDX-License-Identifier: MIT
#include "validator/cli.hpp"

#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/base/exit_code.hpp"
#include "common/protocol/messages.hpp"
#include "validator/commands/charter_check.hpp"
#include "validator/commands/run.hpp"
#include "validator/consensus/yuma_command.hpp"
#include "validator/localnet/localnet_command.hpp"

namespace adit::validator {
namespace {

void add_source(CLI::App* command, SourceOptions& source) {
  command->add_option("--config", source.config, "Settings of a validator (YAML)");
  command->add_option("--ledger", source.ledger, "A ledger file, instead of --config");
  command->add_option("--charter", source.charter, "The ledger's charter");
  command->add_option("--chain", source.chain, "ws:// or wss:// address of a node, to compare with");
  command->add_option("--validator", source.validator, "The ledger's validator hotkey (ss58)");
  command->add_flag("--offline", source.offline, "Do not connect to the chain of --config");
}

void add_run(CLI::App& app, int& code) {
  auto file = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("run", "Ask, prove, score and set weights until stopped");
  command->add_option("--config", *file, "Settings (YAML)")->required();
  command->callback([file, &code] { code = run_command(*file); });
}

void add_reading_commands(CLI::App& app, int& code) {
  auto source = std::make_shared<SourceOptions>();
  auto uid = std::make_shared<Uid>();
  auto json = std::make_shared<bool>(false);
  CLI::App* replay =
      app.add_subcommand("replay", "Recompute the weights of a ledger, compare with the chain");
  add_source(replay, *source);
  replay->callback([source, &code] { code = replay_command(*source); });
  CLI::App* explain = app.add_subcommand("explain", "Say why a miner's weight is what it is");
  add_source(explain, *source);
  explain->add_option("--uid", *uid, "The miner's uid")->required();
  explain->callback([source, uid, &code] { code = explain_command(*source, *uid); });
  CLI::App* status = app.add_subcommand("status", "A table of miners: verdicts, score, weight, incentive");
  add_source(status, *source);
  status->add_flag("--json", *json, "One line of JSON instead of a table");
  status->callback([source, json, &code] { code = status_command(*source, *json); });
}

void add_file_commands(CLI::App& app, int& code) {
  auto file = std::make_shared<std::string>();
  CLI::App* ledger = app.add_subcommand("ledger", "Work on a ledger file")->require_subcommand(1);
  CLI::App* verify = ledger->add_subcommand("verify", "Check the hash chain of every row");
  verify->add_option("FILE", *file, "The ledger")->required();
  verify->callback([file, &code] { code = ledger_verify_command(*file); });
  CLI::App* charter = app.add_subcommand("charter", "Work on a charter")->require_subcommand(1);
  CLI::App* check = charter->add_subcommand("check", "Read a charter, print every key and its hash");
  check->add_option("FILE", *file, "The charter (YAML)")->required();
  check->callback([file, &code] { code = run_charter_check(*file, std::cout, std::cerr); });
}

// Commands with argument rules of their own; everything after the name goes to them.
void name_own_commands(CLI::App& app) {
  app.add_subcommand("localnet", "Run a local chain (--rpc HOST:PORT --block-time 250ms --state DIR)");
  app.add_subcommand("yuma", "Yuma epochs: cases on stdin, outputs on stdout");
}

std::string version_text() {
  return fmt::format("adit-validator {} (numerics 1 and 2, trace 1, protocol {})", ADIT_VERSION,
                     protocol::kProtocolVersion);
}

std::string command_names(const CLI::App& app) {
  std::string names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names += (names.empty() ? "" : ", ") + command->get_name();
  }
  return names;
}

}  // namespace

int run_cli(int argc, const char* const* argv) {
  const std::string name = argc > 1 ? argv[1] : "";
  const std::vector<std::string> rest(argv + std::min(argc, 2), argv + argc);
  if (name == "localnet") return run_localnet_command(rest, std::cout, std::cerr);
  if (name == "yuma") return run_yuma_command(rest, {std::cin, std::cout, std::cerr});

  CLI::App app("Asks miners, proves their answers, sets weights", "adit-validator");
  app.set_version_flag("--version", version_text());
  app.set_help_flag("--help,-h", "Print this help and exit");
  int code = exit_code::kOk;
  add_run(app, code);
  add_reading_commands(app, code);
  add_file_commands(app, code);
  name_own_commands(app);
  const auto named = [&](const CLI::App* command) { return command->get_name() == name; };
  if (!name.empty() && name[0] != '-' && app.get_subcommands(named).empty()) {
    return fail({ErrorCode::kInvalidArgument,
                 fmt::format("unknown command '{}', expected one of: {}", name, command_names(app))},
                exit_code::kUsage);
  }
  app.require_subcommand(1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    for (const CLI::App* command : app.get_subcommands()) {
      std::cout << command->help();
      return exit_code::kOk;
    }
    std::cout << app.help();
    return exit_code::kOk;
  } catch (const CLI::CallForVersion&) {
    std::cout << version_text() << '\n';
    return exit_code::kOk;
  } catch (const CLI::ParseError& error) {
    return fail({ErrorCode::kInvalidArgument, error.what()}, exit_code::kUsage);
  }
  return code;
}

}  // namespace adit::validator
