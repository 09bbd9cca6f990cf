// SPDX-License-Identifier: MIT
// A cheat: has no model and signs what another miner answered.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "common/model/card.hpp"
#include "miner/app/engine_factory.hpp"
#include "tests/demo/cheat_cli.hpp"
#include "tests/demo/copier_source.hpp"

int main(int argc, char** argv) {
  std::string config;
  std::string journal;
  CLI::App app("Serves the answers of another miner", "adit-cheat-copier");
  app.add_option("--config", config, "Settings; their pack is only read for its card")->required();
  app.add_option("--victim", journal, "The journal of the miner to copy from")->required();
  CLI11_PARSE(app, argc, argv);
  return adit::test::serve_as("adit-cheat-copier", config,
                              [&](const adit::miner::ServeConfig& settings)
                                  -> adit::Result<std::unique_ptr<adit::miner::AnswerSource>> {
                                ADIT_TRY(const adit::model::Pack pack,
                                         adit::model::Pack::open(settings.pack));
                                return std::make_unique<adit::test::CopierSource>(
                                    adit::model::card_of(pack), pack.config().name, journal);
                              });
}
