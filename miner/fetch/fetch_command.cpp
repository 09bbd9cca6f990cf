// SPDX-License-Identifier: MIT
#include "miner/fetch/fetch_command.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/base/clock.hpp"
#include "common/base/exit_code.hpp"
#include "common/base/files.hpp"
#include "miner/command.hpp"
#include "miner/fetch/fetch.hpp"
#include "miner/progress/progress_line.hpp"

namespace adit::miner {
namespace {

constexpr std::uint64_t kTokenBytesMax = 4096;
constexpr std::uint64_t kRedrawNs = 200'000'000;

struct Flags {
  FetchOptions fetch;
  std::filesystem::path token_file;
};

Result<std::string> read_token(const std::filesystem::path& path) {
  ADIT_TRY(const Bytes bytes, read_file(path, kTokenBytesMax));
  std::string token(as_text(bytes));
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' '))
    token.pop_back();
  const bool is_plain = std::all_of(token.begin(), token.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  if (token.empty() || !is_plain) {
    return invalid_argument("{}: expected one token of printable ASCII", path.string());
  }
  return token;
}

int exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kNotFound:
      return exit_code::kUsage;
    case ErrorCode::kUnauthenticated:
      return exit_code::kKeys;
    case ErrorCode::kDataLoss:
    case ErrorCode::kFailedPrecondition:
      return exit_code::kFailed;
    default:
      return exit_code::kUnavailable;
  }
}

std::string in_units(double bytes) {
  if (bytes >= 1e9) return fmt::format("{:.2f} GB", bytes / 1e9);
  if (bytes >= 1e6) return fmt::format("{:.1f} MB", bytes / 1e6);
  return fmt::format("{:.1f} kB", bytes / 1e3);
}

// Share, bytes, speed and time left of the file being fetched. One line object a file, so that each starts at 0.
class FileProgress {
 public:
  explicit FileProgress(const Clock& clock) : clock_(clock) {}

  void show(std::string_view path, std::uint64_t done, std::uint64_t total, bool checking) {
    const std::uint64_t now = clock_.steady_ns();
    if (!line_ || path != path_ || checking != checking_) {
      line_ = std::make_unique<ProgressLine>(fmt::format("{} {}", checking ? "checking" : "fetching", path));
      path_ = path;
      checking_ = checking;
      start_ns_ = now;
      start_bytes_ = done;
      drawn_ns_ = 0;
    }
    if (total == 0 || (now - drawn_ns_ < kRedrawNs && done < total)) return;
    drawn_ns_ = now;
    const double seconds = std::max(1e-3, static_cast<double>(now - start_ns_) * 1e-9);
    const double speed = static_cast<double>(done - std::min(done, start_bytes_)) / seconds;
    const double left = speed > 0 ? static_cast<double>(total - std::min(done, total)) / speed : 0;
    line_->show(static_cast<double>(done) / static_cast<double>(total),
                fmt::format("{} of {}, {}/s, {:.0f} s left", in_units(static_cast<double>(done)),
                            in_units(static_cast<double>(total)), in_units(speed), left));
  }

  void note(std::string_view line) {
    line_.reset();
    fmt::print(stderr, "{}\n", line);
  }

 private:
  const Clock& clock_;
  std::unique_ptr<ProgressLine> line_;
  std::string path_;
  bool checking_ = false;
  std::uint64_t start_ns_ = 0;
  std::uint64_t start_bytes_ = 0;
  std::uint64_t drawn_ns_ = 0;
};

int run(Flags& flags) {
  FetchOptions& options = flags.fetch;
  if (!flags.token_file.empty()) {
    const auto token = read_token(flags.token_file);
    if (!token) return fail(token.error(), exit_code::kKeys);
    options.token = *token;
  }
  if (options.folder.empty()) options.folder = options.repo.substr(options.repo.rfind('/') + 1);
  const SystemClock clock;
  FileProgress progress(clock);
  const FetchHooks hooks{
      .sleep = [](std::chrono::milliseconds wait) { std::this_thread::sleep_for(wait); },
      .progress = [&](std::string_view path, std::uint64_t done, std::uint64_t total,
                      bool checking) { progress.show(path, done, total, checking); },
      .note = [&](std::string_view line) { progress.note(line); },
  };
  const auto report = fetch(options, hooks);
  if (!report) return fail(report.error(), exit_code_of(report.error().code));
  fmt::print("folder    {}\n", options.folder.string());
  fmt::print("commit    {}\n", report->commit.empty() ? "not named by the endpoint" : report->commit);
  fmt::print("files     {} fetched, {} up to date, {}\n", report->fetched, report->kept,
             in_units(static_cast<double>(report->bytes)));
  fmt::print("received  {} bytes\n", report->received);
  return exit_code::kOk;
}

}  // namespace

void add_fetch_command(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<Flags>();
  FetchOptions& options = flags->fetch;
  CLI::App* command =
      app.add_subcommand("fetch", "Download a model, checked, from a Hugging Face style endpoint");
  command->add_option("repo", options.repo, "Repository, owner/name")->required();
  command->add_option("--revision", options.revision, "Branch, tag or commit")->capture_default_str();
  command->add_option("--endpoint", options.endpoint, "Where the hub is")
      ->envname("HF_ENDPOINT")
      ->capture_default_str();
  command->add_option("-o,--output", options.folder, "Folder (default: the repository's name)");
  command
      ->add_option("--include", options.patterns.include,
                   "Files to fetch, as a pattern; repeat for more (default: what a model folder needs)")
      ->allow_extra_args(false);
  command
      ->add_option("--exclude", options.patterns.exclude, "Files to leave out, as a pattern; repeat for more")
      ->allow_extra_args(false);
  command->add_option("--token-file", flags->token_file, "File with the access token of the endpoint");
  command->add_option("--ca-file", options.ca_file, "Certificates to trust instead of the system's (PEM)");
  command->add_flag("--force", options.force, "Overwrite files that were changed here");
  command->callback([flags, &exit_code] { exit_code = run(*flags); });
}

}  // namespace adit::miner
