// SPDX-License-Identifier: MIT
#include "common/model/cpu_topology.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include <sched.h>

namespace adit::model {
namespace {

std::optional<std::string> line_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  if (!file || !std::getline(file, line)) return std::nullopt;
  return line;
}

// The list in a file; nullopt if there is no such file.
Result<std::optional<std::vector<int>>> list_in(const std::filesystem::path& path) {
  const auto line = line_of(path);
  if (!line) return std::nullopt;
  auto list = parse_cpu_list(*line);
  if (!list) return tl::unexpected<Error>(list.error().context(path.string()));
  return *std::move(list);
}

bool contains(const std::vector<int>& ascending, int value) {
  return std::binary_search(ascending.begin(), ascending.end(), value);
}

Result<int> number_at(std::string_view& text, std::string_view whole) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || value < 0 || value >= kCpusMax) {
    return invalid_argument("expected a list of numbers below {} as 0-3,8, got '{}'", kCpusMax, whole.substr(0, 80));
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

// "node12" is 12.
std::optional<int> node_number(const std::string& name) {
  constexpr std::string_view kPrefix = "node";
  if (!name.starts_with(kPrefix) || name.size() == kPrefix.size()) return std::nullopt;
  int value = 0;
  const char* end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data() + kPrefix.size(), end, value);
  if (error != std::errc{} || rest != end || value < 0) return std::nullopt;
  return value;
}

Result<void> read_nodes(const std::filesystem::path& tree, std::vector<Cpu>& cpus) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(tree / "node", ignored)) {
    const auto node = node_number(entry.path().filename().string());
    if (!node) continue;
    ADIT_TRY(const auto list, list_in(entry.path() / "cpulist"));
    if (!list) continue;
    for (Cpu& cpu : cpus) {
      if (contains(*list, cpu.id)) cpu.node = *node;
    }
  }
  return {};
}

}  // namespace

Result<std::vector<int>> parse_cpu_list(std::string_view text) {
  std::set<int> out;
  std::string_view rest = text;
  while (!rest.empty()) {
    ADIT_TRY(const int first, number_at(rest, text));
    int last = first;
    if (rest.starts_with('-')) {
      rest.remove_prefix(1);
      ADIT_TRY(last, number_at(rest, text));
    }
    const bool is_next = rest.starts_with(',') && rest.size() > 1;
    if (last < first || (!rest.empty() && !is_next)) {
      return invalid_argument("expected a list of numbers below {} as 0-3,8, got '{}'", kCpusMax, text.substr(0, 80));
    }
    if (is_next) rest.remove_prefix(1);
    for (int id = first; id <= last; ++id) out.insert(id);
  }
  return std::vector<int>(out.begin(), out.end());
}

Result<std::vector<Cpu>> read_cpus(const std::filesystem::path& tree, std::span<const int> allowed) {
  const std::filesystem::path folder = tree / "cpu";
  ADIT_TRY(const auto online, list_in(folder / "online"));
  std::vector<Cpu> cpus;
  for (const int id : std::set<int>(allowed.begin(), allowed.end())) {
    if (online && !contains(*online, id)) continue;
    const std::filesystem::path topology = folder / ("cpu" + std::to_string(id)) / "topology";
    // Kernels before 5.3 know the second name only.
    ADIT_TRY(auto siblings, list_in(topology / "core_cpus_list"));
    if (!siblings) {
      ADIT_TRY(siblings, list_in(topology / "thread_siblings_list"));
    }
    const bool is_known = siblings && !siblings->empty();
    cpus.push_back({.id = id, .core = is_known ? siblings->front() : id, .node = 0});
  }
  ADIT_TRY_VOID(read_nodes(tree, cpus));
  return cpus;
}

std::vector<int> allowed_cpus() {
  std::vector<int> out;
  const std::size_t bytes = CPU_ALLOC_SIZE(kCpusMax);
  const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(kCpusMax), [](cpu_set_t* s) { CPU_FREE(s); });
  if (set == nullptr || sched_getaffinity(0, bytes, set.get()) != 0) return out;
  for (std::size_t id = 0; id < static_cast<std::size_t>(kCpusMax); ++id) {
    if (CPU_ISSET_S(id, bytes, set.get())) out.push_back(static_cast<int>(id));
  }
  return out;
}

Result<std::vector<int>> memory_nodes(const std::filesystem::path& tree) {
  ADIT_TRY(auto nodes, list_in(tree / "node" / "has_memory"));
  return nodes ? *std::move(nodes) : std::vector<int>{};
}

}  // namespace adit::model
