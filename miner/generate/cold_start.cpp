// SPDX-License-Identifier: MIT
#include "miner/generate/cold_start.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.hpp"
#include "common/base/files.hpp"

extern char** environ;  // NOLINT(readability-redundant-declaration)

namespace adit::miner {
namespace {

// Both ends of a pipe, closed in the end.
class Pipe {
 public:
  Pipe() { open_ = ::pipe2(ends_.data(), O_CLOEXEC) == 0; }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    if (open_) ::close(ends_[0]);
    close_write();
  }
  [[nodiscard]] bool is_open() const { return open_; }
  [[nodiscard]] int read_end() const { return ends_[0]; }
  [[nodiscard]] int write_end() const { return ends_[1]; }
  void close_write() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
  bool open_ = false;
};

Result<void> evict(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return system_error(path, "opening", errno);
  ::fsync(fd);
  const int error = ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  ::close(fd);
  if (error != 0) return system_error(path, "dropping from memory", error);
  return {};
}

Result<pid_t> start(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                    const Pipe& pipe) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe.write_end(), STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, program.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return unavailable("{}: starting: {}", program.string(), std::strerror(error));
  return child;
}

Result<double> once(const ColdStart& options, const std::vector<std::string>& arguments) {
  if (options.evict) ADIT_TRY_VOID(evict(options.pack));
  Pipe pipe;
  if (!pipe.is_open()) return unavailable("no pipe: {}", std::strerror(errno));
  const SystemClock clock;
  const std::uint64_t before = clock.steady_ns();
  ADIT_TRY(const pid_t child, start(options.program, arguments, pipe));
  pipe.close_write();
  std::uint64_t first = 0;
  std::array<char, 4096> chunk{};
  for (;;) {
    const ssize_t got = ::read(pipe.read_end(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    if (first == 0) first = clock.steady_ns();
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || first == 0) {
    return internal_error("{}: `generate` on this pack ended with status {}", options.pack.string(), status);
  }
  return static_cast<double>(first - before) * 1e-9;
}

}  // namespace

Result<Samples> cold_start(const ColdStart& options) {
  const std::vector<std::string> arguments{"adit-miner",
                                           "generate",
                                           "--raw",
                                           "--max-tokens",
                                           "1",
                                           "--pack",
                                           options.pack.string(),
                                           "--prompt",
                                           options.prompt,
                                           "--threads",
                                           std::to_string(options.threads),
                                           "--isa",
                                           kernels::isa_name(options.isa),
                                           "--kv",
                                           model::name(options.kv)};
  Samples out;
  for (int i = 0; i < options.repetitions; ++i) {
    ADIT_TRY(const double seconds, once(options, arguments));
    out.values.push_back(seconds);
  }
  return out;
}

}  // namespace adit::miner
