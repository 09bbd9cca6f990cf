// SPDX-License-Identifier: MIT
#include "common/model/thread_pins.hpp"

#include <fstream>
#include <set>
#include <thread>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/model/memory_spread.hpp"
#include "common/model/thread_team.hpp"
#include "tests/support/temp_dir.hpp"

namespace adit::model {
namespace {

// A tree as /sys/devices/system.
class Tree {
 public:
  void put(const std::string& file, const std::string& line) const {
    std::filesystem::create_directories((folder_.path() / file).parent_path());
    std::ofstream(folder_.path() / file) << line << '\n';
  }
  void core(std::initializer_list<int> threads) const {
    std::string list;
    for (const int id : threads) list += (list.empty() ? "" : ",") + std::to_string(id);
    for (const int id : threads) put("cpu/cpu" + std::to_string(id) + "/topology/core_cpus_list", list);
  }
  [[nodiscard]] std::vector<Cpu> cpus(const std::vector<int>& allowed) const {
    auto out = read_cpus(folder_.path(), allowed);
    EXPECT_TRUE(out) << (out ? "" : out.error().message);
    return out ? *out : std::vector<Cpu>{};
  }
  [[nodiscard]] const std::filesystem::path& path() const { return folder_.path(); }

 private:
  test::TempDir folder_;
};

std::vector<int> up_to(int count) {
  std::vector<int> out;
  for (int i = 0; i < count; ++i) out.push_back(i);
  return out;
}

std::vector<int> placed(std::string_view choice, int workers, const std::vector<Cpu>& cpus) {
  const auto out = place_workers(parse_pin(choice).value(), workers, cpus);
  EXPECT_TRUE(out) << (out ? "" : out.error().message);
  return out ? *out : std::vector<int>{};
}

std::string refused(std::string_view choice, int workers, const std::vector<Cpu>& cpus) {
  const auto out = place_workers(parse_pin(choice).value(), workers, cpus);
  EXPECT_FALSE(out);
  return out ? "" : out.error().message;
}

// Two sockets, two cores each, two threads a core, numbered as Linux does: first threads 0-3, second threads 4-7.
void two_sockets(const Tree& tree) {
  tree.put("cpu/online", "0-7");
  tree.put("node/node0/cpulist", "0-1,4-5");
  tree.put("node/node1/cpulist", "2-3,6-7");
  tree.put("node/has_memory", "0-1");
  for (const int core : {0, 1, 2, 3}) tree.core({core, core + 4});
}

TEST(CpuLists, are_the_kernels) {
  EXPECT_EQ(*parse_cpu_list(""), std::vector<int>{});
  EXPECT_EQ(*parse_cpu_list("5"), (std::vector<int>{5}));
  EXPECT_EQ(*parse_cpu_list("0-3,8,10-11"), (std::vector<int>{0, 1, 2, 3, 8, 10, 11}));
  EXPECT_EQ(*parse_cpu_list("3,1-2,2"), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(parse_cpu_list("8191")->front(), 8191);
  for (const char* bad : {",", "1,", ",1", "1-", "-1", "3-1", "1 2", "a", "1-2-3", "8192", "99999999999999", "0x1"}) {
    const auto list = parse_cpu_list(bad);
    ASSERT_FALSE(list) << bad;
    EXPECT_NE(list.error().message.find(bad), std::string::npos) << list.error().message;
  }
}

TEST(CpuTopology, one_node_without_second_threads) {
  const Tree tree;
  tree.put("cpu/online", "0-3");
  tree.put("node/node0/cpulist", "0-3");
  for (const int core : {0, 1, 2, 3}) tree.core({core});
  const auto cpus = tree.cpus(up_to(4));
  ASSERT_EQ(cpus.size(), 4u);
  EXPECT_EQ(cpus[2], (Cpu{.id = 2, .core = 2, .node = 0}));
  EXPECT_EQ(placed("cores", 3, cpus), (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(threads_of(parse_pin("cores").value(), cpus), 4);
  EXPECT_TRUE(placed("none", 64, cpus).empty());
}

TEST(CpuTopology, two_nodes_share_the_workers_and_second_threads_come_last) {
  const Tree tree;
  two_sockets(tree);
  const auto cpus = tree.cpus(up_to(8));
  EXPECT_EQ(cpus[6], (Cpu{.id = 6, .core = 2, .node = 1}));
  EXPECT_EQ(placed("cores", 1, cpus), (std::vector<int>{0}));
  // One on each node; all cores; then second threads. A node's workers are neighbours.
  EXPECT_EQ(placed("cores", 2, cpus), (std::vector<int>{0, 2}));
  EXPECT_EQ(placed("cores", 3, cpus), (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(placed("cores", 4, cpus), (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(placed("cores", 5, cpus), (std::vector<int>{0, 1, 4, 2, 3}));
  EXPECT_EQ(placed("cores", 8, cpus), (std::vector<int>{0, 1, 4, 5, 2, 3, 6, 7}));
  EXPECT_EQ(threads_of(parse_pin("cores").value(), cpus), 4);
  EXPECT_NE(refused("cores", 9, cpus).find("9 threads, but this process may use 8"), std::string::npos);
  EXPECT_EQ(*memory_nodes(tree.path()), (std::vector<int>{0, 1}));
}

TEST(CpuTopology, siblings_side_by_side_are_one_core) {
  const Tree tree;
  tree.put("cpu/online", "0-3");
  // An older kernel's name.
  for (const int id : {0, 1}) tree.put("cpu/cpu" + std::to_string(id) + "/topology/thread_siblings_list", "0-1");
  for (const int id : {2, 3}) tree.put("cpu/cpu" + std::to_string(id) + "/topology/thread_siblings_list", "2-3");
  const auto cpus = tree.cpus(up_to(4));
  EXPECT_EQ(placed("cores", 2, cpus), (std::vector<int>{0, 2}));
  EXPECT_EQ(placed("cores", 4, cpus), (std::vector<int>{0, 2, 1, 3}));
}

TEST(CpuTopology, offline_processors_are_left_out) {
  const Tree tree;
  two_sockets(tree);
  tree.put("cpu/online", "0,2-7");
  const auto cpus = tree.cpus(up_to(8));
  EXPECT_EQ(cpus.size(), 7u);
  // Core 1 has its second thread only, which is now its first.
  EXPECT_EQ(placed("cores", 4, cpus), (std::vector<int>{0, 5, 2, 3}));
  EXPECT_NE(refused("0-1", 2, cpus).find("processor 1 is offline"), std::string::npos);
}

TEST(CpuTopology, what_a_cpuset_leaves_is_used) {
  const Tree tree;
  two_sockets(tree);
  const auto cpus = tree.cpus({1, 3, 5});
  EXPECT_EQ(placed("cores", 2, cpus), (std::vector<int>{1, 3}));
  EXPECT_EQ(placed("cores", 3, cpus), (std::vector<int>{1, 5, 3}));
  EXPECT_NE(refused("cores", 4, cpus).find("4 threads"), std::string::npos);
  EXPECT_EQ(threads_of(parse_pin("cores").value(), cpus), 2);
}

TEST(CpuTopology, a_list_is_taken_as_it_stands) {
  const Tree tree;
  two_sockets(tree);
  const auto cpus = tree.cpus(up_to(8));
  EXPECT_EQ(placed("6,1-2", 3, cpus), (std::vector<int>{1, 2, 6}));
  EXPECT_EQ(placed("6,1-2", 2, cpus), (std::vector<int>{1, 2}));
  EXPECT_EQ(threads_of(parse_pin("6,1-2").value(), cpus), 3);
  EXPECT_NE(refused("1-2", 3, cpus).find("3 threads, but the list has 2"), std::string::npos);
  EXPECT_NE(refused("8", 1, cpus).find("processor 8"), std::string::npos);
  for (const char* bad : {"", "core", "1;2", "auto"}) {
    EXPECT_NE(parse_pin(bad).error().message.find("expected none, cores or a list"), std::string::npos) << bad;
  }
  EXPECT_EQ(parse_pin("6,1-2")->text(), "1,2,6");
}

TEST(CpuTopology, a_machine_that_says_nothing_is_one_node_of_cores) {
  const Tree tree;
  EXPECT_EQ(placed("cores", 2, tree.cpus({4, 7})), (std::vector<int>{4, 7}));
  EXPECT_TRUE(memory_nodes(tree.path())->empty());
}

TEST(CpuTopology, nonsense_in_the_tree_is_named) {
  const Tree tree;
  tree.put("cpu/online", "0-x");
  const auto cpus = read_cpus(tree.path(), up_to(2));
  ASSERT_FALSE(cpus);
  EXPECT_NE(cpus.error().message.find("cpu/online"), std::string::npos);
}

TEST(CpuTopology, of_this_machine) {
  const std::vector<int> allowed = allowed_cpus();
  ASSERT_FALSE(allowed.empty());
  const auto cpus = read_cpus(kSystemTree, allowed);
  ASSERT_TRUE(cpus) << cpus.error().message;
  ASSERT_FALSE(cpus->empty());
  EXPECT_EQ(place_workers(parse_pin("cores").value(), 1)->size(), 1u);
  EXPECT_GE(threads_here(parse_pin("cores").value()), 1);
}

// Workers stay where they were told; the caller may move again afterwards.
TEST(PinnedTeam, workers_stay_on_their_processors) {
  const std::vector<int> allowed = allowed_cpus();
  const int threads = static_cast<int>(std::min<std::size_t>(allowed.size(), 4));
  // From the last to the first, which no scheduler would do by itself.
  const std::vector<int> cpus(allowed.rbegin(), allowed.rbegin() + threads);
  {
    ThreadTeam team(threads, cpus);
    EXPECT_FALSE(team.is_pinned());
    std::vector<std::vector<int>> masks(static_cast<std::size_t>(threads));
    std::vector<int> where(static_cast<std::size_t>(threads), -1);
    for (int round = 0; round < 20; ++round) {
      team.run([&](int worker) {
        masks[static_cast<std::size_t>(worker)] = allowed_cpus();
        where[static_cast<std::size_t>(worker)] = sched_getcpu();
      });
      for (int w = 0; w < threads; ++w) {
        const auto at = static_cast<std::size_t>(w);
        EXPECT_EQ(masks[at], std::vector<int>{cpus[at]});
        EXPECT_EQ(where[at], cpus[at]);
      }
    }
    EXPECT_TRUE(team.is_pinned());
  }
  EXPECT_EQ(allowed_cpus(), allowed);
}

// The thread that makes an engine is not the one that runs it.
TEST(PinnedTeam, whoever_runs_it_is_worker_0) {
  const std::vector<int> allowed = allowed_cpus();
  ThreadTeam team(1, {allowed.back()});
  std::thread([&] {
    team.run([&](int) { EXPECT_EQ(allowed_cpus(), std::vector<int>{allowed.back()}); });
    EXPECT_TRUE(team.is_pinned());
  }).join();
  EXPECT_EQ(allowed_cpus(), allowed);
}

TEST(PinnedTeam, a_processor_that_is_not_there_pins_nobody) {
  ThreadTeam team(1, {kCpusMax - 1});
  int runs = 0;
  team.run([&](int) { ++runs; });
  EXPECT_EQ(runs, 1);
  EXPECT_FALSE(team.is_pinned());
}

// One node is enough to see that the policy comes and goes.
TEST(MemorySpread, holds_as_long_as_it_lives) {
  const auto mode = [] {
    int out = -1;
    return syscall(SYS_get_mempolicy, &out, nullptr, 0UL, nullptr, 0UL) == 0 ? out : -1;
  };
  const int before = mode();
  if (before != 0) GTEST_SKIP() << "this system has no memory policies, or the test runs under one (numactl)";
  const auto nodes = memory_nodes(kSystemTree);
  ASSERT_TRUE(nodes);
  if (nodes->empty()) GTEST_SKIP() << "this system does not say which nodes have memory";
  {
    const MemorySpread spread(*nodes, 1);
    EXPECT_TRUE(spread.is_active());
    EXPECT_EQ(mode(), 3);
    // Inside another one nothing changes.
    const MemorySpread inner(*nodes, 1);
    EXPECT_FALSE(inner.is_active());
  }
  EXPECT_EQ(mode(), before);
  EXPECT_FALSE(MemorySpread(std::vector<int>{0}).is_active());
}

}  // namespace
}  // namespace adit::model
