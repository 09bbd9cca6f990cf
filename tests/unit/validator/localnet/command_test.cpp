// SPDX-License-Identifier: MIT
// `adit-validator localnet` as a process: readiness, SIGKILL and resumption, and one-line errors.
#include <array>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.hpp"
#include "tests/support/temp_dir.hpp"
#include "validator/localnet/localnet.hpp"
#include "validator/localnet/localnet_command.hpp"

namespace adit::validator {
namespace {

// The command in a child process; its output through a pipe.
class Child {
 public:
  explicit Child(const std::vector<std::string>& arguments) {
    std::array<int, 2> pipe_ends{};
    if (pipe(pipe_ends.data()) != 0) throw std::runtime_error("pipe");
    pid_ = fork();
    if (pid_ == 0) {
      close(pipe_ends[0]);
      dup2(pipe_ends[1], STDOUT_FILENO);
      std::ostringstream errors;
      // Line by line to the pipe: the parent waits for the ready line.
      class PipeBuffer final : public std::streambuf {
        int_type overflow(int_type c) override {
          const char byte = static_cast<char>(c);
          return write(STDOUT_FILENO, &byte, 1) == 1 ? c : traits_type::eof();
        }
      } buffer;
      std::ostream out(&buffer);
      _exit(run_localnet_command(arguments, out, errors));
    }
    close(pipe_ends[1]);
    output_ = pipe_ends[0];
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(output_);
  }
  std::string line() {
    std::string out;
    for (char c = 0; read(output_, &c, 1) == 1 && c != '\n';) out += c;
    return out;
  }
  int stop(int signal_number) {
    int status = 0;
    kill(pid_, signal_number);
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
  int output_ = -1;
};

struct Outcome {
  int code = 0;
  std::string errors;
};
Outcome run(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  std::ostringstream errors;
  const int code = run_localnet_command(arguments, out, errors);
  return {code, errors.str()};
}

TEST(LocalnetCommand, ResumesAfterSigkillAtAWholeBlock) {
  const test::TempDir dir;
  const std::string state = dir.path() / "state";
  for (int round = 0; round < 3; ++round) {
    Child child({"--rpc", "127.0.0.1:0", "--block-time", "1ms", "--state", state});
    EXPECT_TRUE(child.line().starts_with("ready ws://127.0.0.1:"));
    usleep(150'000);
    child.stop(SIGKILL);
    const SystemClock clock;
    const auto node = Node::open(state, clock);
    ASSERT_TRUE(node) << node.error().message;
    const Block head = (*node)->head();
    EXPECT_GT(head.header.number, static_cast<BlockNumber>(10 * (round + 1)));
    EXPECT_EQ(head.hash, head.header.hash());
    EXPECT_TRUE((*node)->make_block());
  }
}

TEST(LocalnetCommand, StopsOnSigterm) {
  Child child({"--rpc", "127.0.0.1:0", "--block-time", "manual"});
  EXPECT_TRUE(child.line().starts_with("ready "));
  const int status = child.stop(SIGTERM);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(LocalnetCommand, ErrorsAreOneLineWithACodeOfTheirOwn) {
  EXPECT_EQ(run({"--port", "1"}).errors,
            "adit-validator: localnet: unknown argument '--port'; see --help\n");
  EXPECT_EQ(run({"--port", "1"}).code, 2);
  EXPECT_EQ(run({"--rpc"}).code, 2);
  EXPECT_EQ(run({"--rpc", "9944"}).code, 2);
  EXPECT_EQ(run({"--rpc", "127.0.0.1:70000"}).code, 2);
  EXPECT_EQ(run({"--rpc", "0.0.0.0:0"}).code, 2);
  for (const char* time : {"12", "0s", "ms", "-1s", "12m", "99999999s"}) {
    EXPECT_EQ(run({"--block-time", time}).code, 2) << time;
  }
  const test::TempDir dir;
  std::ofstream(dir.path() / "file") << "x";
  const Outcome no_folder = run({"--rpc", "127.0.0.1:0", "--state", dir.path() / "file"});
  EXPECT_EQ(no_folder.code, 7) << no_folder.errors;
  EXPECT_EQ(std::count(no_folder.errors.begin(), no_folder.errors.end(), '\n'), 1);
  std::filesystem::create_directories(dir.path() / "bad");
  std::ofstream(dir.path() / "bad" / "chain.sqlite") << std::string(5000, 'x');
  EXPECT_EQ(run({"--rpc", "127.0.0.1:0", "--state", dir.path() / "bad"}).code, 3);
}

TEST(LocalnetCommand, AStateFolderOrPortInUseIsSaid) {
  const test::TempDir dir;
  const SystemClock clock;
  LocalnetOptions options;
  options.state_dir = dir.path();
  const auto first = Localnet::start(options, clock);
  ASSERT_TRUE(first);
  const Outcome folder = run({"--rpc", "127.0.0.1:0", "--state", dir.path()});
  EXPECT_EQ(folder.code, 7);
  EXPECT_NE(folder.errors.find("another process uses it"), std::string::npos);
  const std::string address = (*first)->url().substr(5);
  const Outcome port = run({"--rpc", address});
  EXPECT_EQ(port.code, 7);
  EXPECT_NE(port.errors.find(address), std::string::npos);
}

}  // namespace
}  // namespace adit::validator
