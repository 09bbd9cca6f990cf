// SPDX-License-Identifier: MIT
#include "common/base/shutdown.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>

#include "common/base/check.hpp"

namespace adit::shutdown {
namespace {

std::atomic<bool> g_requested{false};
int g_pipe[2] = {-1, -1};

void on_signal(int) { request(); }

void make_pipe() {
  if (g_pipe[0] < 0) ADIT_CHECK(pipe2(g_pipe, O_CLOEXEC | O_NONBLOCK) == 0);
}

}  // namespace

void install() {
  make_pipe();
  struct sigaction action{};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

void request() noexcept {
  const int saved = errno;
  g_requested.store(true);
  if (g_pipe[1] >= 0) {
    const char byte = 1;
    [[maybe_unused]] const ssize_t wrote = ::write(g_pipe[1], &byte, 1);
  }
  errno = saved;
}

bool requested() noexcept { return g_requested.load(); }

bool wait_for(std::chrono::milliseconds wait) {
  if (requested()) return true;
  make_pipe();
  pollfd fd{g_pipe[0], POLLIN, 0};
  poll(&fd, 1, static_cast<int>(wait.count()));
  return requested();
}

void wait() {
  while (!wait_for(std::chrono::milliseconds(60'000))) {
  }
}

}  // namespace adit::shutdown
