// SPDX-License-Identifier: MIT
#include "common/base/shutdown.hpp"

#include <csignal>

#include <gtest/gtest.h>

namespace adit {
namespace {

TEST(Shutdown, a_signal_ends_the_wait) {
  shutdown::install();
  EXPECT_FALSE(shutdown::wait_for(std::chrono::milliseconds(1)));
  std::raise(SIGTERM);
  EXPECT_TRUE(shutdown::wait_for(std::chrono::milliseconds(1)));
  shutdown::wait();
  EXPECT_TRUE(shutdown::requested());
}

}  // namespace
}  // namespace adit
