// SPDX-License-Identifier: MIT
#include "common/model/thread_pins.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <thread>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/base/limits.hpp"

namespace adit::model {
namespace {

struct Ranked {
  Cpu cpu;
  // How many threads of its core, and how many threads of that rank of its node, come before it.
  int in_core = 0;
  int in_node = 0;
};

// Cores before their second threads; within a rank the nodes in turns.
std::vector<Ranked> ranked(std::span<const Cpu> cpus) {
  std::map<int, int> of_core;
  std::map<std::pair<int, int>, int> of_node;
  std::vector<Ranked> out;
  for (const Cpu& cpu : cpus) {
    const int in_core = of_core[cpu.core]++;
    out.push_back({.cpu = cpu, .in_core = in_core, .in_node = of_node[{cpu.node, in_core}]++});
  }
  std::sort(out.begin(), out.end(), [](const Ranked& a, const Ranked& b) {
    return std::tie(a.in_core, a.in_node, a.cpu.node) < std::tie(b.in_core, b.in_node, b.cpu.node);
  });
  return out;
}

}  // namespace

std::string PinChoice::text() const {
  switch (kind) {
    case Kind::kNone: return "none";
    case Kind::kCores: return "cores";
    case Kind::kList: break;
  }
  return fmt::format("{}", fmt::join(cpus, ","));
}

Result<PinChoice> parse_pin(std::string_view text) {
  if (text == "none") return PinChoice{};
  if (text == "cores") return PinChoice{.kind = PinChoice::Kind::kCores};
  auto cpus = parse_cpu_list(text);
  if (!cpus || cpus->empty()) {
    return invalid_argument("expected none, cores or a list of processors as 0-3,8, got '{}'", text.substr(0, 80));
  }
  return PinChoice{.kind = PinChoice::Kind::kList, .cpus = *std::move(cpus)};
}

Result<std::vector<int>> place_workers(const PinChoice& choice, int workers, std::span<const Cpu> cpus) {
  if (choice.kind == PinChoice::Kind::kNone) return std::vector<int>{};
  const auto count = static_cast<std::size_t>(workers);
  if (choice.kind == PinChoice::Kind::kList) {
    for (const int id : choice.cpus) {
      const bool is_there = std::any_of(cpus.begin(), cpus.end(), [&](const Cpu& cpu) { return cpu.id == id; });
      if (!is_there) return failed_precondition("processor {} is offline or not allowed to this process", id);
    }
    if (choice.cpus.size() < count) {
      return failed_precondition("{} threads, but the list has {} processors", workers, choice.cpus.size());
    }
    return std::vector<int>(choice.cpus.begin(), choice.cpus.begin() + workers);
  }
  std::vector<Ranked> order = ranked(cpus);
  if (order.size() < count) {
    return failed_precondition("{} threads, but this process may use {} processors", workers, order.size());
  }
  order.resize(count);
  std::stable_sort(order.begin(), order.end(),
                   [](const Ranked& a, const Ranked& b) { return a.cpu.node < b.cpu.node; });
  std::vector<int> out;
  for (const Ranked& each : order) out.push_back(each.cpu.id);
  return out;
}

int threads_of(const PinChoice& choice, std::span<const Cpu> cpus) {
  if (choice.kind == PinChoice::Kind::kList) return static_cast<int>(choice.cpus.size());
  if (choice.kind == PinChoice::Kind::kNone) return static_cast<int>(cpus.size());
  std::set<int> cores;
  for (const Cpu& cpu : cpus) cores.insert(cpu.core);
  return static_cast<int>(cores.size());
}

Result<std::vector<int>> place_workers(const PinChoice& choice, int workers) {
  if (choice.kind == PinChoice::Kind::kNone) return std::vector<int>{};
  ADIT_TRY(const std::vector<Cpu> cpus, read_cpus(kSystemTree, allowed_cpus()));
  return place_workers(choice, workers, cpus);
}

int threads_here(const PinChoice& choice) {
  int threads = static_cast<int>(std::thread::hardware_concurrency());
  if (choice.kind != PinChoice::Kind::kNone) {
    const auto cpus = read_cpus(kSystemTree, allowed_cpus());
    if (cpus) threads = threads_of(choice, *cpus);
  }
  return std::clamp(threads, 1, limits::kEngineThreadsMax);
}

}  // namespace adit::model
