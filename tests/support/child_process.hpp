// SPDX-License-Identifier: MIT
// tests/support/child_process.hpp
//
// A program that a test starts, with its output in a file, and what it holds in memory.
//
// In       the program, its arguments, the file for its standard output.
// Out      ready_line: the first line that begins with "ready", as servers print it; memory: /proc/PID/status now;
//          wait: exit code and peak resident bytes.
// Errors   empty or -1; the test says what it expected.
// Units    bytes.
// Threads  one at a time; memory() from any.
#pragma once

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;  // NOLINT(readability-redundant-declaration)

namespace adit::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kIsSanitized = true;
#else
inline constexpr bool kIsSanitized = false;
#endif
inline constexpr const char* kNotWhenSanitized =
    "a sanitizer's shadow memory and time are not the program's: run this in the dev build";

struct ProcessMemory {
  // Peak resident bytes so far; now: of no file, of mapped files.
  std::uint64_t peak = 0;
  std::uint64_t anonymous = 0;
  std::uint64_t file = 0;
};

struct Ended {
  int code = -1;
  std::uint64_t peak_bytes = 0;
};

class ChildProcess {
 public:
  // posix_spawn: a forked copy of the test's process would count as the child's memory.
  ChildProcess(std::string program, std::vector<std::string> arguments, std::filesystem::path out)
      : out_(std::move(out)) {
    std::vector<char*> argv{program.data()};
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv.data(), environ) != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  [[nodiscard]] std::string ready_line(std::chrono::seconds patience) const {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < deadline && pid_ > 0) {
      std::ifstream file(out_);
      for (std::string line; std::getline(file, line);) {
        if (line.starts_with("ready ") && !file.eof()) return line;
      }
      siginfo_t state{};
      if (waitid(P_PID, static_cast<id_t>(pid_), &state, WEXITED | WNOHANG | WNOWAIT) == 0 && state.si_pid != 0) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return {};
  }

  [[nodiscard]] ProcessMemory memory() const {
    ProcessMemory out;
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    for (std::string line; std::getline(status, line);) {
      std::istringstream words(line);
      std::string key;
      std::uint64_t kilobytes = 0;
      words >> key >> kilobytes;
      if (key == "VmHWM:") out.peak = kilobytes * 1024;
      if (key == "RssAnon:") out.anonymous = kilobytes * 1024;
      if (key == "RssFile:") out.file = kilobytes * 1024;
    }
    return out;
  }

  void terminate() const { kill(pid_, SIGTERM); }
  Ended wait() {
    int status = 0;
    rusage usage{};
    pid_t got = -1;
    while (pid_ > 0 && (got = wait4(pid_, &status, 0, &usage)) < 0 && errno == EINTR) {
    }
    if (got < 0 || got != std::exchange(pid_, -1)) return {};
    return {.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
            .peak_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024};
  }

 private:
  std::filesystem::path out_;
  pid_t pid_ = -1;
};

}  // namespace adit::test
