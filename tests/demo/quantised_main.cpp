// SPDX-License-Identifier: MIT
// A cheat: computes with the pack of its settings (a smaller one) and declares the card of another.
#include <CLI/CLI.hpp>
#include <string>
#include <utility>

#include "common/model/card.hpp"
#include "miner/app/engine_factory.hpp"
#include "tests/demo/cheat_cli.hpp"

int main(int argc, char** argv) {
  std::string config;
  std::string declared;
  CLI::App app("Serves one pack under the card of another", "adit-cheat-quantised");
  app.add_option("--config", config, "Settings; their pack is what is run")->required();
  app.add_option("--declare", declared, "The pack whose card is declared")->required();
  CLI11_PARSE(app, argc, argv);
  return adit::test::serve_as("adit-cheat-quantised", config,
                              [&](const adit::miner::ServeConfig& settings)
                                  -> adit::Result<std::unique_ptr<adit::miner::AnswerSource>> {
                                ADIT_TRY(const auto shown,
                                         adit::miner::open_checked_pack(declared));
                                ADIT_TRY(auto pack, adit::miner::open_checked_pack(settings.pack));
                                return adit::miner::make_engine_source(
                                    settings, std::move(pack), adit::model::card_of(*shown));
                              });
}
