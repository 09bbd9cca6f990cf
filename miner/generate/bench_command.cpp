// SPDX-License-Identifier: MIT
#include "miner/generate/bench_command.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/base/bytes.hpp"
#include "common/base/exit_code.hpp"
#include "common/base/limits.hpp"
#include "common/model/model_parts.hpp"
#include "common/model/pack.hpp"
#include "miner/command.hpp"
#include "miner/generate/bench.hpp"
#include "miner/generate/cold_start.hpp"
#include "miner/generate/run_flags.hpp"

namespace adit::miner {
namespace {

constexpr int kLengthMax = 131072;

struct Flags {
  std::vector<std::string> packs;
  std::string isa;
  std::string kv = "f16";
  std::string pin = "none";
  BenchOptions bench;
  bool no_warm_up = false;
  bool cold = false;
  bool as_json = false;
};

struct ColdRow {
  int threads = 0;
  bool evicted = false;
  Samples seconds;
};

struct PackReport {
  std::string path;
  std::string hash;
  std::string model;
  std::string form;
  std::uint64_t bytes = 0;
  std::uint64_t weights = 0;
  std::vector<BenchRow> rows;
  std::vector<ColdRow> cold;
};

double load_now() {
  double load = 0;
  return getloadavg(&load, 1) == 1 ? load : -1.0;
}

PackReport describe(const model::Pack& pack, const std::string& path) {
  PackReport out;
  out.path = path;
  out.hash = to_hex(pack.content_hash());
  out.model = pack.config().name.empty() ? std::filesystem::path(path).stem().string() : pack.config().name;
  out.form = fmt::format("{} {}", pack.weight_form() == kernels::WeightForm::kU4 ? "u4" : "int8",
                         pack.act_form() == kernels::ActForm::kA16 ? "a16" : "a8g32");
  out.bytes = pack.file_bytes();
  for (const model::Part& part : model::model_parts(pack.config())) {
    const bool is_stored = part.kind == model::PartKind::kLinear || part.kind == model::PartKind::kMatrix;
    if (is_stored) out.weights += static_cast<std::uint64_t>(part.m) * static_cast<std::uint64_t>(part.k);
  }
  return out;
}

void print_head() {
  fmt::print("| {:<30} | {:>10} | {:>9} | {:<10} | {:<6} | {:>7} | {:>11} | {:>20} |\n", "model", "size",
             "weights", "form", "isa", "threads", "test", "t/s");
  fmt::print("| {:-<30} | {:->9}: | {:->8}: | {:-<10} | {:-<6} | {:->6}: | {:->10}: | {:->19}: |\n", "", "",
             "", "", "", "", "", "");
}

void print_row(const PackReport& pack, const BenchOptions& options, int threads, const std::string& test,
               const std::string& figure) {
  fmt::print("| {:<30} | {:>6.1f} MiB | {:>7.1f} M | {:<10} | {:<6} | {:>7} | {:>11} | {:>20} |\n",
             pack.model.substr(0, 30), static_cast<double>(pack.bytes) / (1 << 20),
             static_cast<double>(pack.weights) / 1e6, pack.form, kernels::isa_name(options.isa), threads,
             test, figure);
  std::fflush(stdout);
}

nlohmann::json json_of(const Samples& samples) {
  return {{"mean", samples.mean()},
          {"sd", samples.deviation()},
          {"best", samples.best()},
          {"median", samples.median()},
          {"samples", samples.values}};
}

nlohmann::json json_of(const PackReport& pack) {
  nlohmann::json out{{"path", pack.path},
                     {"pack", pack.hash},
                     {"model", pack.model},
                     {"form", pack.form},
                     {"bytes", pack.bytes},
                     {"weights", pack.weights},
                     {"rows", nlohmann::json::array()}};
  for (const BenchRow& row : pack.rows) {
    out["rows"].push_back({{"threads", row.threads},
                           {"test", row.test()},
                           {"kind", row.is_prompt ? "prompt" : "decode"},
                           {"tokens", row.tokens},
                           {"batch", row.batch},
                           {"tokens_per_second", json_of(row.speed)}});
  }
  for (const ColdRow& row : pack.cold) {
    nlohmann::json seconds = json_of(row.seconds);
    seconds.erase("best");
    out["cold"].push_back(
        {{"threads", row.threads}, {"evicted", row.evicted}, {"seconds", std::move(seconds)}});
  }
  return out;
}

Result<void> measure_cold(const Flags& flags, PackReport& report) {
  for (const int threads : flags.bench.threads) {
    for (const bool evicted : {false, true}) {
      ADIT_TRY(Samples seconds, cold_start({.pack = report.path,
                                            .threads = threads,
                                            .kv = flags.bench.kv,
                                            .isa = flags.bench.isa,
                                            .repetitions = flags.bench.repetitions,
                                            .evict = evicted}));
      if (!flags.as_json) {
        print_row(report, flags.bench, threads, evicted ? "first, disk" : "first",
                  fmt::format("{:.3f} ± {:.3f} s", seconds.mean(), seconds.deviation()));
      }
      report.cold.push_back({threads, evicted, std::move(seconds)});
    }
  }
  return {};
}

Result<PackReport> measure(const Flags& flags, const std::string& path) {
  PackReport report;
  {
    ADIT_TRY(const model::Pack pack, model::Pack::open(path));
    report = describe(pack, path);
    ADIT_TRY_VOID(bench(pack, flags.bench, [&](const BenchRow& row) {
      report.rows.push_back(row);
      if (flags.as_json) return;
      print_row(report, flags.bench, row.threads, row.test(),
                fmt::format("{:.2f} ± {:.2f}", row.speed.mean(), row.speed.deviation()));
    }));
  }
  // The pack is closed: its pages can be dropped.
  if (flags.cold) ADIT_TRY_VOID(measure_cold(flags, report));
  return report;
}

int run(Flags& flags) {
  const Result<model::EngineOptions> engine = engine_options({.isa = flags.isa, .kv = flags.kv});
  if (!engine) return fail(engine.error(), exit_code::kUsage);
  const auto pin = model::parse_pin(flags.pin);
  if (!pin) return fail(pin.error().context("--pin"), exit_code::kUsage);
  flags.bench.pin = *pin;
  for (const int threads : flags.bench.threads) {
    const auto cpus = model::place_workers(*pin, threads);
    if (!cpus) return fail(cpus.error().context("--pin"), exit_code::kUsage);
  }
  flags.bench.isa = engine->isa;
  flags.bench.kv = engine->kv;
  flags.bench.warm_up = !flags.no_warm_up;
  nlohmann::json all{{"isa", kernels::isa_name(flags.bench.isa)},
                     {"kv", model::name(flags.bench.kv)},
                     {"pin", flags.bench.pin.text()},
                     {"prefill_chunk", flags.bench.prefill_chunk},
                     {"repetitions", flags.bench.repetitions},
                     {"warm_up", flags.bench.warm_up},
                     {"load", load_now()},
                     {"packs", nlohmann::json::array()}};
  if (!flags.as_json) print_head();
  for (const std::string& path : flags.packs) {
    const auto report = measure(flags, path);
    if (!report) return fail(report.error(), exit_code::kModel);
    if (flags.as_json) all["packs"].push_back(json_of(*report));
  }
  if (flags.as_json) {
    fmt::print("{}\n", all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    fmt::print("\nload {:.2f} before and {:.2f} after; tg x N: N sequences, their tokens together",
               all["load"].get<double>(), load_now());
    fmt::print("{}\n",
               flags.cold ? "; first: from process start to the first token (disk: pack not in memory)" : "");
  }
  return exit_code::kOk;
}

// "1,4,16": a list of whole numbers.
void add_list(CLI::App& command, const char* names, std::vector<int>& values, int max, const char* what) {
  command.add_option(names, values, what)->delimiter(',')->check(CLI::Range(1, max))->capture_default_str();
}

}  // namespace

void add_bench_command(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<Flags>();
  BenchOptions& bench = flags->bench;
  bench.threads = {
      std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, limits::kEngineThreadsMax)};
  CLI::App* command = app.add_subcommand("bench", "Measure prompt and decode speed of packs");
  command->add_option("--pack", flags->packs, "Pack files (.adit)")->required();
  add_list(*command, "-t,--threads", bench.threads, limits::kEngineThreadsMax,
           "Thread counts, for example 1,2");
  add_list(*command, "-p,--prompt-tokens", bench.prompts, kLengthMax, "Lengths of the prompt");
  add_list(*command, "-n,--tokens", bench.decodes, kLengthMax, "Numbers of tokens to decode");
  add_list(*command, "-b,--batch", bench.batches, limits::kBatchSequencesMax,
           "Sequences that decode side by side");
  command->add_option("-r,--repeat", bench.repetitions, "Repetitions")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  command
      ->add_option("--isa", flags->isa, "Instruction set: scalar, avx2 or avx512 (default: the widest here)")
      ->check(CLI::IsMember({"scalar", "avx2", "avx512"}));
  add_pin_flag(*command, flags->pin);
  command->add_option("--prefill-chunk", bench.prefill_chunk, "Prompt tokens of one step")
      ->check(CLI::Range(1, limits::kBatchRowsMax))
      ->capture_default_str();
  add_kv_flag(*command, flags->kv);
  command->add_flag("--no-warmup", flags->no_warm_up, "Measure the first round too");
  command->add_flag("--cold", flags->cold,
                    "Also the time from process start to the first token, pack in memory and not");
  command->add_flag("--json", flags->as_json, "Print one JSON object");
  command->callback([flags, &exit_code] { exit_code = run(*flags); });
}

}  // namespace adit::miner
