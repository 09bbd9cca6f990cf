// SPDX-License-Identifier: MIT
#include "miner/generate/bench_command.hpp"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/base/bytes.hpp"
#include "common/base/exit_code.hpp"
#include "common/base/limits.hpp"
#include "common/model/pack.hpp"
#include "miner/command.hpp"
#include "miner/generate/bench.hpp"
#include "miner/generate/run_flags.hpp"

namespace adit::miner {
namespace {

struct Flags {
  std::vector<std::string> packs;
  std::string isa;
  BenchOptions bench;
  bool as_json = false;
};

double load_now() {
  double load = 0;
  return getloadavg(&load, 1) == 1 ? load : -1.0;
}

void print_table(const std::string& path, const BenchOptions& options,
                 const std::vector<BenchRow>& rows) {
  fmt::print("{} ({}; load {:.2f})\n", path, kernels::isa_name(options.isa), load_now());
  fmt::print("  threads  pp{:<6} best  median   tg{:<6} best  median   (tokens per second)\n",
             options.prompt_tokens, options.decode_tokens);
  for (const BenchRow& row : rows) {
    fmt::print("  {:>7}  {:>13.1f}  {:>6.1f}  {:>14.1f}  {:>6.1f}\n", row.threads, row.prompt.best,
               row.prompt.median, row.decode.best, row.decode.median);
  }
}

nlohmann::json json_of(const model::Pack& pack, const std::string& path,
                       const std::vector<BenchRow>& rows) {
  nlohmann::json out{
      {"path", path}, {"pack", to_hex(pack.content_hash())}, {"rows", nlohmann::json::array()}};
  for (const BenchRow& row : rows) {
    out["rows"].push_back({{"threads", row.threads},
                           {"prompt_best", row.prompt.best},
                           {"prompt_median", row.prompt.median},
                           {"decode_best", row.decode.best},
                           {"decode_median", row.decode.median}});
  }
  return out;
}

int run(Flags& flags) {
  const Result<model::EngineOptions> engine = engine_options({.isa = flags.isa});
  if (!engine) return fail(engine.error(), exit_code::kUsage);
  flags.bench.isa = engine->isa;
  nlohmann::json all{{"isa", kernels::isa_name(flags.bench.isa)},
                     {"prompt_tokens", flags.bench.prompt_tokens},
                     {"decode_tokens", flags.bench.decode_tokens},
                     {"load", load_now()},
                     {"packs", nlohmann::json::array()}};
  for (const std::string& path : flags.packs) {
    const Result<model::Pack> pack = model::Pack::open(path);
    if (!pack) return fail(pack.error(), exit_code::kModel);
    const Result<std::vector<BenchRow>> rows = bench(*pack, flags.bench);
    if (!rows) return fail(rows.error(), exit_code::kModel);
    if (flags.as_json) {
      all["packs"].push_back(json_of(*pack, path, *rows));
    } else {
      print_table(path, flags.bench, *rows);
    }
  }
  if (flags.as_json) fmt::print("{}\n", all.dump(2));
  return exit_code::kOk;
}

}  // namespace

void add_bench_command(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<Flags>();
  BenchOptions& bench = flags->bench;
  CLI::App* command = app.add_subcommand("bench", "Measure prompt and decode speed of packs");
  command->add_option("--pack", flags->packs, "Pack files (.adit)")->required();
  command->add_option("--threads", bench.threads, "Thread counts, for example 1,2")
      ->delimiter(',')
      ->check(CLI::Range(1, limits::kEngineThreadsMax));
  command
      ->add_option("--isa", flags->isa,
                   "Instruction set: scalar, avx2 or avx512 (default: the widest here)")
      ->check(CLI::IsMember({"scalar", "avx2", "avx512"}));
  command->add_option("--prefill-chunk", bench.prefill_chunk, "Prompt tokens of one step")
      ->check(CLI::Range(1, limits::kBatchRowsMax))
      ->capture_default_str();
  command->add_option("--prompt-tokens", bench.prompt_tokens, "Length of the prompt")
      ->check(CLI::Range(1, 8192))
      ->capture_default_str();
  command->add_option("--tokens", bench.decode_tokens, "Tokens to decode")
      ->check(CLI::Range(1, 8192))
      ->capture_default_str();
  command->add_option("--repeat", bench.repetitions, "Repetitions")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  command->add_flag("--json", flags->as_json, "Print one JSON object");
  command->callback([flags, &exit_code] { exit_code = run(*flags); });
}

}  // namespace adit::miner
