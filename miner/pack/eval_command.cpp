// SPDX-License-Identifier: MIT
#include "miner/pack/eval_command.hpp"

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/base/bytes.hpp"
#include "common/base/exit_code.hpp"
#include "common/base/limits.hpp"
#include "miner/command.hpp"
#include "miner/generate/run_flags.hpp"
#include "miner/pack/candidate.hpp"
#include "miner/pack/task_accuracy.hpp"
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

struct Measured {
  model::EvalReport report;
  // Whether it can be held against what the pack declares.
  bool is_judged = false;
  std::optional<TaskReport> tasks;
};

double share(std::size_t part, std::size_t whole) { return static_cast<double>(part) / static_cast<double>(whole); }

nlohmann::json json_of(const TaskCounts& counts) {
  return {{"tasks", counts.tasks},
          {"right_pack", counts.right_pack},
          {"right_reference", counts.right_reference},
          {"same_answer", counts.same_answer},
          {"same_text", counts.same_text},
          {"accuracy_pack", share(counts.right_pack, counts.tasks)},
          {"accuracy_reference", share(counts.right_reference, counts.tasks)}};
}

nlohmann::json json_of(const TaskReport& tasks) {
  nlohmann::json json = {{"all", json_of(tasks.all)}, {"kinds", nlohmann::json::object()}};
  for (const auto& [kind, counts] : tasks.kinds) json["kinds"][kind] = json_of(counts);
  return json;
}

void print_json(const model::Pack& pack, const Measured& measured) {
  const model::EvalReport& report = measured.report;
  nlohmann::json json = {{"pack", pack.path().string()},
                         {"content_hash", to_hex(pack.content_hash())},
                         {"form", form_of(pack)},
                         {"positions", report.positions},
                         {"perplexity_reference", report.perplexity_reference},
                         {"perplexity_pack", report.perplexity_pack},
                         {"mean_kl", report.mean_kl},
                         {"max_kl", report.max_kl},
                         {"top1_agreement", report.top1}};
  if (measured.tasks) json["tasks"] = json_of(*measured.tasks);
  if (pack.declaration()) {
    json["declaration"] = nlohmann::json::parse(model::declaration_json(*pack.declaration()));
    json["declaration"]["judged"] = measured.is_judged;
  }
  fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void print_tasks(const std::string& kind, const TaskCounts& counts) {
  fmt::print("tasks, {:<16}{}: pack {} right ({:.1f} %), f32 {} right ({:.1f} %), same answer {}, same text {}\n", kind,
             counts.tasks, counts.right_pack, 100 * share(counts.right_pack, counts.tasks), counts.right_reference,
             100 * share(counts.right_reference, counts.tasks), counts.same_answer, counts.same_text);
}

void print_table(const model::Pack& pack, const Measured& measured) {
  const model::EvalReport& report = measured.report;
  const double change = (report.perplexity_pack / report.perplexity_reference - 1) * 100;
  fmt::print("pack                   {} ({})\n", pack.path().string(), form_of(pack));
  fmt::print("content hash           {}\n", to_hex(pack.content_hash()));
  fmt::print("positions              {}\n", report.positions);
  fmt::print("perplexity, f32        {:.4f}\n", report.perplexity_reference);
  fmt::print("perplexity, pack       {:.4f} ({:+.2f} %)\n", report.perplexity_pack, change);
  fmt::print("mean KL(f32 || pack)   {:.3g}\n", report.mean_kl);
  fmt::print("largest KL             {:.3g}\n", report.max_kl);
  fmt::print("top-1 agreement        {:.2f} %\n", report.top1 * 100);
  if (measured.tasks) {
    for (const auto& [kind, counts] : measured.tasks->kinds) print_tasks(kind, counts);
    print_tasks("all", measured.tasks->all);
  }
  if (!pack.declaration()) return;
  fmt::print("declared mean KL       {:.3g}, bound {:.3g}{}\n", pack.declaration()->mean_kl,
             pack.declaration()->bound, measured.is_judged ? "" : " (for another text or window: not judged)");
}

Result<TaskReport> answer(const model::Pack& pack, const EvalCommand& command, std::span<const TaskItem> tasks) {
  if (auto fits = model::check_kv(pack.config(), command.settings.kv); !fits)
    return tl::unexpected<Error>(fits.error().context("--kv int8"));
  const int threads = command.settings.threads > 0
                          ? command.settings.threads
                          : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  ADIT_TRY(const auto published, model::open_weights(command.original));
  ADIT_TRY(const model::Reference reference, model::Reference::from_source(*published, threads));
  ProgressLine line("answering");
  return answer_tasks(pack, reference, tasks,
                      {.max_tokens = command.task_tokens, .threads = threads, .isa = command.settings.isa,
                       .kv = command.settings.kv},
                      [&](double done) { line.show(done); });
}

Result<void> run(const EvalCommand& command) {
  ADIT_TRY(const model::Pack pack, model::Pack::open(command.pack));
  std::vector<TaskItem> tasks;
  if (!command.tasks.empty()) {
    ADIT_TRY(tasks, load_tasks(command.tasks));
  }
  Measured measured;
  {
    ProgressLine line("measuring");
    ADIT_TRY(measured.report,
             evaluate(pack, command.original, command.settings, [&](double done) { line.show(done); }));
  }
  const model::EvalReport& report = measured.report;
  if (!tasks.empty()) {
    ADIT_TRY(measured.tasks, answer(pack, command, tasks));
  }
  ADIT_TRY(measured.is_judged, is_declared(pack, command, report));
  if (command.json) {
    print_json(pack, measured);
  } else {
    print_table(pack, measured);
  }
  if (command.max_kl) ADIT_TRY_VOID(keep_bound(command.pack, report.mean_kl, *command.max_kl));
  ADIT_TRY_VOID(model::check_declaration(pack));
  if (!measured.is_judged) return {};
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
  command->add_option("--tasks", options->tasks,
                      "Questions to answer: a file with a JSON object a line, or \"builtin\"");
  command->add_option("--task-tokens", options->task_tokens, "Tokens of one answer")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print one JSON object");
  add_run_flags(*command, *flags);
  command->callback([options, flags, &exit_code] {
    const auto engine = engine_options(*flags);
    if (!engine) {
      exit_code = fail(engine.error(), exit_code::kUsage);
      return;
    }
    options->settings.isa = engine->isa;
    options->settings.kv = engine->kv;
    options->settings.threads = engine->threads;
    exit_code = run_eval(*options);
  });
}

}  // namespace adit::miner
