// SPDX-License-Identifier: MIT
#include "miner/plan/machine.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "common/base/check.hpp"
#include "common/base/clock.hpp"

namespace adit::miner {
namespace {

// Larger than the last cache of most machines, per thread.
constexpr std::uint64_t kThreadBytes = 64u << 20;

std::string text_of(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::optional<std::uint64_t> number(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

std::uint64_t sum_of(const std::vector<std::uint64_t>& words) {
  std::uint64_t sums[8] = {};
  for (std::size_t i = 0; i + 8 <= words.size(); i += 8) {
    for (std::size_t j = 0; j < 8; ++j) sums[j] += words[i + j];
  }
  std::uint64_t total = 0;
  for (const std::uint64_t sum : sums) total += sum;
  return total;
}

}  // namespace

std::optional<std::uint64_t> available_of(std::string_view meminfo) {
  constexpr std::string_view kKey = "MemAvailable:";
  const std::size_t at = meminfo.find(kKey);
  if (at == std::string_view::npos) return std::nullopt;
  const auto kib = number(meminfo.substr(at + kKey.size()));
  if (!kib) return std::nullopt;
  return *kib * 1024;
}

std::optional<std::uint64_t> group_left(std::string_view memory_max, std::string_view memory_current) {
  const auto most = number(memory_max);
  const auto used = number(memory_current);
  if (!most || !used) return std::nullopt;
  return *most - std::min(*most, *used);
}

double read_bandwidth(int threads, std::uint64_t buffer_bytes, double seconds) {
  const std::uint64_t words =
      std::max<std::uint64_t>(8, buffer_bytes / 64 / static_cast<unsigned>(threads) * 8);
  const SystemClock clock;
  // Each thread's best pass; the sum is what the machine reads when all of them read.
  std::vector<double> best(static_cast<std::size_t>(threads), 0);
  std::vector<std::thread> team;
  for (int t = 0; t < threads; ++t) {
    team.emplace_back([&, t] {
      const std::vector<std::uint64_t> buffer(words, 1);
      const std::uint64_t start = clock.steady_ns();
      const auto stop = start + static_cast<std::uint64_t>(seconds * 1e9);
      for (std::uint64_t now = start; now < stop || best[static_cast<std::size_t>(t)] == 0;) {
        const std::uint64_t sum = sum_of(buffer);
        ADIT_CHECK(sum == words);
        const std::uint64_t after = clock.steady_ns();
        const double rate = static_cast<double>(words * 8) * 1e9 /
                            static_cast<double>(std::max<std::uint64_t>(1, after - now));
        best[static_cast<std::size_t>(t)] = std::max(best[static_cast<std::size_t>(t)], rate);
        now = after;
      }
    });
  }
  for (std::thread& thread : team) thread.join();
  double total = 0;
  for (const double rate : best) total += rate;
  return total;
}

Result<Machine> measure_machine(double seconds) {
  Machine machine;
  machine.processors = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  machine.isa = kernels::best_isa();
  const auto available = available_of(text_of("/proc/meminfo"));
  if (!available) return unavailable("/proc/meminfo: no MemAvailable");
  machine.memory_bytes = *available;
  const auto left =
      group_left(text_of("/sys/fs/cgroup/memory.max"), text_of("/sys/fs/cgroup/memory.current"));
  if (left) machine.memory_bytes = std::min(machine.memory_bytes, *left);
  const std::uint64_t wanted = kThreadBytes * static_cast<std::uint64_t>(machine.processors);
  machine.read_bytes_per_second =
      read_bandwidth(machine.processors, std::min(wanted, machine.memory_bytes / 4), seconds);
  return machine;
}

}  // namespace adit::miner
