// SPDX-License-Identifier: MIT
#include "miner/app/serve_command.hpp"

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "common/base/exit_code.hpp"
#include "common/base/shutdown.hpp"
#include "miner/app/serve_app.hpp"
#include "miner/command.hpp"

namespace adit::miner {
namespace {

int run(const std::string& config_file) {
  shutdown::install();
  const auto config = load_serve_config(config_file);
  if (!config) return fail(config.error().context("config"), exit_code::kConfig);
  const auto served = serve(*config, {.make_source = make_honest_source});
  return served ? exit_code::kOk : fail(served.error().error, served.error().exit_code);
}

}  // namespace

void add_serve_command(CLI::App& app, int& exit_code) {
  auto config_file = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("serve", "Answer validators until SIGTERM");
  command
      ->add_option("--config", *config_file, "YAML settings (configs/miner.example.yaml shows every key)")
      ->required();
  command->callback([config_file, &exit_code] { exit_code = run(*config_file); });
}

}  // namespace adit::miner
