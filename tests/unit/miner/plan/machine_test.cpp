// SPDX-License-Identifier: MIT
#include "miner/plan/machine.hpp"

#include <gtest/gtest.h>

namespace adit::miner {
namespace {

TEST(Machine, reads_what_the_system_says) {
  EXPECT_EQ(2048ULL * 1024, available_of("MemTotal:  9999 kB\nMemAvailable:       2048 kB\nBuffers: 1 kB\n"));
  EXPECT_FALSE(available_of("MemTotal: 9999 kB\n"));
  EXPECT_FALSE(available_of("MemAvailable: much\n"));
}

TEST(Machine, a_control_group_may_leave_less) {
  EXPECT_EQ(70U, group_left("100\n", "30\n"));
  EXPECT_EQ(0U, group_left("100\n", "130\n"));
  EXPECT_FALSE(group_left("max\n", "30\n"));
  EXPECT_FALSE(group_left("", ""));
}

TEST(Machine, measures_itself) {
  const auto machine = measure_machine(0.01);
  ASSERT_TRUE(machine) << machine.error().message;
  EXPECT_GE(machine->processors, 1);
  EXPECT_GT(machine->memory_bytes, 16U << 20);
  // Any machine that can run this reads between 100 MB and 10 TB a second.
  EXPECT_GT(machine->read_bytes_per_second, 1e8);
  EXPECT_LT(machine->read_bytes_per_second, 1e13);
}

TEST(Machine, one_pass_at_least_however_short_the_time) {
  EXPECT_GT(read_bandwidth(3, 1000, 0), 0);
}

}  // namespace
}  // namespace adit::miner
