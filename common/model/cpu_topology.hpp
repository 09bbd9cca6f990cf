// SPDX-License-Identifier: MIT
// common/model/cpu_topology.hpp
//
// Which processors a program may use, and which of them share a core or a memory node.
//
// In       read_cpus: a tree as /sys/devices/system, and the processors that the process may use; those that are
//          offline are left out. parse_cpu_list: the kernel's lists, "0-3,8,10-11"; none: "".
// Out      processors in ascending order. A core is named by its lowest processor that the tree names. What the tree
//          does not say (old kernels, containers without sysfs): every processor is a core, all on node 0.
// Errors   kInvalidArgument: a list that is none, with the file it stands in; an empty result is no error.
// Threads  pure, but for allowed_cpus, which asks for the calling thread (sched_getaffinity: also what a control
//          group's cpuset leaves).
// Source   Linux: Documentation/ABI/stable/sysfs-devices-node, admin-guide/cputopology.rst
// Tests    tests/unit/common/model/thread_pins_test.cpp
#pragma once

#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace adit::model {

// Larger numbers are refused.
inline constexpr int kCpusMax = 8192;
inline constexpr const char* kSystemTree = "/sys/devices/system";

struct Cpu {
  int id = 0;
  int core = 0;
  int node = 0;
  friend bool operator==(const Cpu&, const Cpu&) = default;
};

[[nodiscard]] Result<std::vector<int>> parse_cpu_list(std::string_view text);
[[nodiscard]] Result<std::vector<Cpu>> read_cpus(const std::filesystem::path& tree, std::span<const int> allowed);
[[nodiscard]] std::vector<int> allowed_cpus();

// Nodes of the tree that have memory, in ascending order; none where the tree does not say.
[[nodiscard]] Result<std::vector<int>> memory_nodes(const std::filesystem::path& tree);

}  // namespace adit::model
