// SPDX-License-Identifier: MIT
#include "miner/plan/plan_command.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/base/exit_code.hpp"
#include "common/base/limits.hpp"
#include "common/model/pack_format.hpp"
#include "miner/command.hpp"
#include "miner/plan/machine.hpp"
#include "miner/plan/plan.hpp"
#include "miner/plan/plan_source.hpp"

namespace adit::miner {
namespace {

struct Flags {
  std::filesystem::path model;
  std::uint64_t context = 4096;
  double probe_seconds = 0.5;
  // Empty: the pack's, else 32.
  std::string group;
  std::string kv = "f16";
  bool as_json = false;
};

struct Report {
  PlanSource source;
  Footprint size;
  std::string kv;
  std::uint64_t context = 0;
  std::vector<DevicePlan> devices;
};

std::string in_units(std::uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  return value < 1e9 ? fmt::format("{:.1f} MB", value / 1e6) : fmt::format("{:.2f} GB", value / 1e9);
}

void print_model(const Report& report) {
  const model::ModelConfig& config = report.source.config;
  const Footprint& size = report.size;
  fmt::print("model     {} ({}, {} layers of {}), {} {}\n", config.name.empty() ? "unnamed" : config.name,
             config.family, config.layers, config.hidden, report.source.kind, report.source.label);
  fmt::print("weights   {:.3f} billion, {:.3f} of them for one token\n",
             static_cast<double>(size.weights) / 1e9, static_cast<double>(size.active_weights) / 1e9);
  for (const PackSize& pack : size.packs) {
    fmt::print("{} bits    {} (a16 or a8g), one token reads {}\n", pack.bits, in_units(pack.bytes),
               in_units(pack.token_bytes));
  }
  fmt::print("KV        {:.1f} MB for 1000 tokens ({}{})\n", static_cast<double>(kv_bytes(size, 1000)) / 1e6,
             report.kv, config.is_mla() ? ", latent" : "");
  fmt::print(
      "context   {} tokens in the columns below: tokens/s is the ceiling at its end, at {:.0f} % of the "
      "bandwidth\n\n",
      report.context, kBandwidthShare * 100);
}

std::string pack_cells(const PackPlan& pack) {
  if (pack.context_max == 0) return fmt::format("{:>9}  {:>8}", "no", "-");
  return fmt::format("{:>9}  {:>8.1f}", pack.context_max, pack.tokens_per_second);
}

void print_table(const Report& report) {
  print_model(report);
  fmt::print("{:<34}  {:>7}  {:>6}  {:>19}  {:>19}\n", "", "memory", "reads", "8 bits", "4 bits");
  fmt::print("{:<34}  {:>7}  {:>6}  {:>9}  {:>8}  {:>9}  {:>8}  {}\n", "device", "GB", "GB/s", "context",
             "tokens/s", "context", "tokens/s", "pack");
  for (const DevicePlan& plan : report.devices) {
    const std::string pack = plan.recommended == 0 ? "none fits" : fmt::format("{} bits", plan.recommended);
    fmt::print("{:<34}  {:>7.1f}  {:>6.0f}  {}  {}  {}\n", plan.device.name,
               static_cast<double>(plan.device.memory_bytes) / 1e9, plan.device.bytes_per_second / 1e9,
               pack_cells(plan.packs[kEightBit]), pack_cells(plan.packs[kFourBit]), pack);
  }
  fmt::print(
      "\ncontext: the longest sequence that fits beside the weights and {} MB of other things ({} on this "
      "machine)\n",
      kCardOverheadBytes / 1'000'000, kHostOverheadBytes / 1'000'000);
}

nlohmann::json json_of(const Report& report) {
  const model::ModelConfig& config = report.source.config;
  nlohmann::json root{{"model", config.name},
                      {"family", config.family},
                      {"path", report.source.label},
                      {"kind", report.source.kind},
                      {"weights", report.size.weights},
                      {"active_weights", report.size.active_weights},
                      {"kv", report.kv},
                      {"kv_bytes_per_1k_tokens", kv_bytes(report.size, 1000)},
                      {"context", report.context},
                      {"packs", nlohmann::json::array()},
                      {"devices", nlohmann::json::array()}};
  for (const PackSize& pack : report.size.packs) {
    root["packs"].push_back({{"bits", pack.bits}, {"bytes", pack.bytes}, {"token_bytes", pack.token_bytes}});
  }
  for (const DevicePlan& plan : report.devices) {
    nlohmann::json device{{"name", plan.device.name},
                          {"memory_bytes", plan.device.memory_bytes},
                          {"bytes_per_second", plan.device.bytes_per_second},
                          {"packs", nlohmann::json::array()}};
    for (std::size_t i = 0; i < plan.packs.size(); ++i) {
      device["packs"].push_back({{"bits", report.size.packs[i].bits},
                                 {"fits", plan.packs[i].fits},
                                 {"context_max", plan.packs[i].context_max},
                                 {"tokens_per_second", plan.packs[i].tokens_per_second}});
    }
    device["recommended_bits"] = plan.recommended == 0 ? nlohmann::json() : nlohmann::json(plan.recommended);
    root["devices"].push_back(std::move(device));
  }
  return root;
}

int run(const Flags& flags) {
  auto source = read_plan_source(flags.model);
  if (!source) return fail(source.error(), exit_code::kModel);
  const auto machine = measure_machine(flags.probe_seconds);
  if (!machine) return fail(machine.error(), exit_code::kUnavailable);
  Report report;
  report.source = *std::move(source);
  const model::ModelConfig& config = report.source.config;
  const auto group = flags.group.empty() ? report.source.group : model::parse_group(flags.group).value();
  const model::KvForm kv = model::parse_kv(flags.kv).value_or(model::KvForm::kF16);
  if (const auto fits = model::check_kv(config, kv); !fits)
    return fail(fits.error().context("--kv int8"), exit_code::kUsage);
  report.kv = model::name(kv);
  report.size = footprint(config, group, kv);
  report.context = std::min(flags.context, static_cast<std::uint64_t>(config.context));
  std::vector<Device> devices{{.name = fmt::format("this machine ({} processors, {})", machine->processors,
                                                   kernels::isa_name(machine->isa)),
                               .memory_bytes = machine->memory_bytes,
                               .bytes_per_second = machine->read_bytes_per_second,
                               .overhead_bytes = kHostOverheadBytes}};
  for (Device& card : card_devices()) devices.push_back(std::move(card));
  for (const Device& device : devices) {
    report.devices.push_back(plan_device(config, report.size, device, report.context, report.source.bits));
  }
  if (flags.as_json) {
    fmt::print("{}\n", json_of(report).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    print_table(report);
  }
  return exit_code::kOk;
}

}  // namespace

void add_plan_command(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("plan", "Say what of a model fits where, and how fast it can be");
  command->add_option("model", flags->model, "GGUF file, pack, or folder with a config.json")->required();
  command->add_option("--context", flags->context, "Length of the sequence to plan for")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{limits::kContextMax}))
      ->capture_default_str();
  command->add_option("--kv", flags->kv, "Form of keys and values: f16 (numerics 1) or int8 (numerics 2)")
      ->check(CLI::IsMember({"f16", "int8"}))
      ->capture_default_str();
  command->add_option("--group", flags->group, "Columns that share a scale (default: those of the pack; else 32)")
      ->check(CLI::IsMember({"32", "64", "128", "row"}));
  command->add_option("--probe", flags->probe_seconds, "Seconds to measure this machine's memory")
      ->check(CLI::Range(0.001, 30.0))
      ->capture_default_str();
  command->add_flag("--json", flags->as_json, "Print one JSON object");
  command->callback([flags, &exit_code] { exit_code = run(*flags); });
}

}  // namespace adit::miner
