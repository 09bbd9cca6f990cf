// SPDX-License-Identifier: MIT
#include "miner/generate/generate_command.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/base/bytes.hpp"
#include "common/base/exit_code.hpp"
#include "common/base/limits.hpp"
#include "common/model/pack.hpp"
#include "kernels/core/isa.h"
#include "miner/command.hpp"
#include "miner/generate/generate.hpp"
#include "miner/generate/run_flags.hpp"

namespace adit::miner {
namespace {

struct Flags {
  GenerateOptions generate;
  RunFlags run;
  double temperature = 0;
  double top_p = 1;
  double min_p = 0;
  std::string adapter;
  bool as_json = false;
};

std::uint32_t rounded(double value, std::uint32_t units) {
  return static_cast<std::uint32_t>(std::lround(value * units));
}

void print_json(const model::Pack& pack, const GenerateOptions& options,
                const GenerateOutcome& outcome) {
  const nlohmann::json json{
      {"ids", outcome.generated.ids},
      {"text", outcome.text},
      {"trace_root", to_hex(outcome.generated.trace_root)},
      {"finish_reason", model::name(outcome.generated.finish)},
      {"prompt_tokens", outcome.prompt_ids.size()},
      {"prompt_ids", outcome.prompt_ids},
      {"tokens_per_second", outcome.tokens_per_second},
      {"prefill_tokens_per_second", outcome.prefill_tokens_per_second},
      {"pack", to_hex(pack.content_hash())},
      {"adapter", options.adapter ? nlohmann::json(to_hex(options.adapter->content_hash())) : nullptr},
      {"card", to_hex(outcome.binding.card)},
      {"request", to_hex(outcome.binding.request)},
      {"request_seed", to_hex(outcome.binding.seed)},
      {"seed", options.seed},
      {"isa", kernels::isa_name(options.engine.isa)},
      {"kv", model::name(options.engine.kv)},
      {"threads", options.engine.threads},
      {"prefill_chunk", options.engine.prefill_chunk},
  };
  const std::string text = json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
}

int run(Flags& flags) {
  GenerateOptions& options = flags.generate;
  const Result<model::EngineOptions> engine = engine_options(flags.run);
  if (!engine) return fail(engine.error(), exit_code::kUsage);
  options.engine = *engine;
  options.params.sampling.temperature_milli = rounded(flags.temperature, 1000);
  options.params.sampling.top_p_65536 = std::max(1U, rounded(flags.top_p, model::kTopPOff));
  options.params.sampling.min_p_65536 = rounded(flags.min_p, model::kTopPOff);

  const Result<model::Pack> pack = model::Pack::open(options.pack);
  if (!pack) return fail(pack.error(), exit_code::kModel);
  const Result<void> declared = model::check_declaration(*pack);
  if (!declared) return fail(declared.error(), exit_code::kModel);
  if (!flags.adapter.empty()) {
    const auto adapter = model::Adapter::load(flags.adapter, *pack);
    if (!adapter) return fail(adapter.error().context("--adapter"), exit_code::kModel);
    options.adapter = *adapter;
  }
  const Result<GenerateOutcome> outcome = generate(*pack, options, [&](std::string_view text) {
    if (flags.as_json) return;
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  });
  if (!outcome) {
    return fail(outcome.error(), outcome.error().code == ErrorCode::kInvalidArgument
                                     ? exit_code::kUsage
                                     : exit_code::kModel);
  }
  if (flags.as_json) {
    print_json(*pack, options, *outcome);
  } else {
    std::fputc('\n', stdout);
    fmt::print(
        stderr,
        "{} tokens, {:.1f} tok/s; prompt {} tokens, {:.1f} tok/s; {} x{}; end: {}; trace {}\n",
        outcome->generated.ids.size(), outcome->tokens_per_second, outcome->prompt_ids.size(),
        outcome->prefill_tokens_per_second, kernels::isa_name(options.engine.isa),
        options.engine.threads, model::name(outcome->generated.finish),
        to_hex(outcome->generated.trace_root));
  }
  return exit_code::kOk;
}

}  // namespace

void add_generate_command(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<Flags>();
  flags->generate.params.max_tokens = 128;
  GenerateOptions& options = flags->generate;
  CLI::App* command =
      app.add_subcommand("generate", "Generate from one prompt and print text, ids and trace root");
  command->add_option("--pack", options.pack, "Pack file (.adit)")->required();
  command->add_option("--adapter", flags->adapter, "Folder of a LoRA adapter, as PEFT saves it");
  command
      ->add_option("--prompt", options.prompt, "User message, or with --raw the text to go on with")
      ->required();
  command->add_flag("--raw", options.is_raw, "No chat template");
  command->add_option("--seed", options.seed, "Number that selects the noise")
      ->capture_default_str();
  command->add_option("--temperature", flags->temperature, "0: greedy")
      ->check(CLI::Range(0.0, 100.0));
  command->add_option("--top-p", flags->top_p, "1: off")->check(CLI::Range(0.0, 1.0));
  command->add_option("--top-k", options.params.sampling.top_k, "0: off")
      ->check(CLI::Range(std::uint32_t{0}, limits::kVocabularyMax));
  command->add_option("--min-p", flags->min_p, "0: off")->check(CLI::Range(0.0, 1.0));
  command->add_option("--max-tokens", options.params.max_tokens, "Tokens at most")
      ->check(CLI::Range(std::uint32_t{1}, limits::kNewTokensMax))
      ->capture_default_str();
  command->add_flag("--json", flags->as_json, "Print one JSON object");
  add_run_flags(*command, flags->run);
  command->callback([flags, &exit_code] { exit_code = run(*flags); });
}

}  // namespace adit::miner
