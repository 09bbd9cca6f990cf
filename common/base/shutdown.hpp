// SPDX-License-Identifier: MIT
// common/base/shutdown.hpp
//
// Turns SIGINT and SIGTERM into a flag that the main thread waits on.
//
// Use      install() once, early in main, before any thread starts; wait() blocks until a signal or
//          request().
// Threads  request() and requested() from any thread; the handler is async-signal-safe (a pipe write).
// Errors   none; failing to make the pipe aborts (nothing can run without it).
// Tests    tests/unit/common/base/shutdown_test.cpp
#pragma once

#include <chrono>

namespace adit::shutdown {

void install();
void request() noexcept;
[[nodiscard]] bool requested() noexcept;
// True: shutdown was requested within `wait`.
[[nodiscard]] bool wait_for(std::chrono::milliseconds wait);
void wait();

}  // namespace adit::shutdown
