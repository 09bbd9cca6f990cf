// SPDX-License-Identifier: MIT
#include "miner/pack/eval_command.hpp"

#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/base/bytes.hpp"
#include "common/base/exit_code.hpp"
#include "common/base/limits.hpp"
#include "miner/command.hpp"
#include "miner/generate/run_flags.hpp"
#include "miner/pack/candidate.hpp"
#include "miner/progress/progress_line.hpp"

namespace adit::miner {
namespace {

std::string form_of(const model::Pack& pack) {
  return fmt::format("{} {}", pack.weight_form() == kernels::WeightForm::kU4 ? "u4" : "int8",
                     pack.act_form() == kernels::ActForm::kA16 ? "a16" : "a8g32");
}

// Whether the pack's declaration speaks of this measurement: the same text in the same windows.
Result<bool> is_declared(const model::Pack& pack, const EvalCommand& command, const model::EvalReport& report) {
  if (!pack.declaration()) return false;
  const model::Declaration& said = *pack.declaration();
  ADIT_TRY(const model::Declaration here,
           declaration_of(report, said.bound, command.original, command.settings, pack.config().context));
  return here.text_hash == said.text_hash && here.window == said.window;
}

void print_json(const model::Pack& pack, const model::EvalReport& report, bool is_judged) {
  nlohmann::json json = {{"pack", pack.path().string()},
                               {"content_hash", to_hex(pack.content_hash())},
                               {"form", form_of(pack)},
                               {"positions", report.positions},
                               {"perplexity_reference", report.perplexity_reference},
                               {"perplexity_pack", report.perplexity_pack},
                               {"mean_kl", report.mean_kl},
                               {"max_kl", report.max_kl},
                               {"top1_agreement", report.top1}};
  if (pack.declaration()) {
    json["declaration"] = nlohmann::json::parse(model::declaration_json(*pack.declaration()));
    json["declaration"]["judged"] = is_judged;
  }
  fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void print_table(const model::Pack& pack, const model::EvalReport& report, bool is_judged) {
  const double change = (report.perplexity_pack / report.perplexity_reference - 1) * 100;
  fmt::print("pack                   {} ({})\n", pack.path().string(), form_of(pack));
  fmt::print("content hash           {}\n", to_hex(pack.content_hash()));
  fmt::print("positions              {}\n", report.positions);
  fmt::print("perplexity, f32        {:.4f}\n", report.perplexity_reference);
  fmt::print("perplexity, pack       {:.4f} ({:+.2f} %)\n", report.perplexity_pack, change);
  fmt::print("mean KL(f32 || pack)   {:.3g}\n", report.mean_kl);
  fmt::print("largest KL             {:.3g}\n", report.max_kl);
  fmt::print("top-1 agreement        {:.2f} %\n", report.top1 * 100);
  if (!pack.declaration()) return;
  fmt::print("declared mean KL       {:.3g}, bound {:.3g}{}\n", pack.declaration()->mean_kl,
             pack.declaration()->bound, is_judged ? "" : " (for another text or window: not judged)");
}

Result<void> run(const EvalCommand& command) {
  ADIT_TRY(const model::Pack pack, model::Pack::open(command.pack));
  model::EvalReport report;
  {
    ProgressLine line("measuring");
    ADIT_TRY(report,
             evaluate(pack, command.original, command.settings, [&](double done) { line.show(done); }));
  }
  ADIT_TRY(const bool is_judged, is_declared(pack, command, report));
  if (command.json) {
    print_json(pack, report, is_judged);
  } else {
    print_table(pack, report, is_judged);
  }
  if (command.max_kl) ADIT_TRY_VOID(keep_bound(command.pack, report.mean_kl, *command.max_kl));
  ADIT_TRY_VOID(model::check_declaration(pack));
  if (!is_judged) return {};
  return keep_bound(command.pack, report.mean_kl, pack.declaration()->bound, " that it declares");
}

}  // namespace

int run_eval(const EvalCommand& command) {
  const auto result = run(command);
  if (result) return exit_code::kOk;
  return fail(result.error(), pack_exit_code(result.error()));
}

void add_eval_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<EvalCommand>();
  auto flags = std::make_shared<RunFlags>();
  CLI::App* command = app.add_subcommand("eval", "Measure a pack against the f32 reference of its original");
  command->add_option("--pack", options->pack, "Pack file (.adit)")->required();
  command
      ->add_option("--original,--gguf", options->original, "GGUF file or folder that the pack was made from")
      ->required();
  command->add_option("--text", options->settings.text, "Text file (default: a built-in one)");
  command->add_option("--window", options->settings.window, "Tokens of one context")
      ->check(CLI::Range(2, static_cast<int>(limits::kContextMax)))
      ->capture_default_str();
  command->add_option("--max-kl", options->max_kl, "Fail if the mean KL is over this");
  command->add_flag("--json", options->json, "Print one JSON object");
  add_run_flags(*command, *flags);
  command->callback([options, flags, &exit_code] {
    const auto engine = engine_options(*flags);
    if (!engine) {
      exit_code = fail(engine.error(), exit_code::kUsage);
      return;
    }
    options->settings.isa = engine->isa;
    options->settings.threads = engine->threads;
    exit_code = run_eval(*options);
  });
}

}  // namespace adit::miner
