// SPDX-License-Identifier: MIT
// miner/pack/candidate.hpp
//
// A pack that is being made: a file beside the output, removed unless it was put in place.
//
// Errors   place: the system's, with the output's name. pack_exit_code: kFailed for a bound that is not kept.
// Threads  one.
// Tests    tests/unit/miner/pack/pack_command_test.cpp
#pragma once

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include <fmt/core.h>

#include "common/base/exit_code.hpp"
#include "common/base/files.hpp"
#include "common/base/result.hpp"

namespace adit::miner {

class Candidate {
 public:
  explicit Candidate(std::filesystem::path output) : output_(std::move(output)), path_(output_) {
    path_ += fmt::format(".candidate.{}", getpid());
  }
  Candidate(const Candidate&) = delete;
  Candidate& operator=(const Candidate&) = delete;
  ~Candidate() {
    std::error_code ignored;
    if (!placed_) std::filesystem::remove(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  Result<void> place() {
    if (::rename(path_.c_str(), output_.c_str()) != 0) return system_error(output_, "renaming", errno);
    placed_ = true;
    return {};
  }

 private:
  std::filesystem::path output_;
  std::filesystem::path path_;
  bool placed_ = false;
};

inline int pack_exit_code(const Error& error) {
  switch (error.code) {
    case ErrorCode::kAborted: return exit_code::kFailed;
    case ErrorCode::kResourceExhausted:
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kUnavailable: return exit_code::kUnavailable;
    default: return exit_code::kModel;
  }
}

}  // namespace adit::miner
