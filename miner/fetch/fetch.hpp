// SPDX-License-Identifier: MIT
// miner/fetch/fetch.hpp
//
// A model from an endpoint that speaks the Hugging Face Hub's addresses, into a folder.
//
// In       repo and revision; the files by patterns (repository.hpp). The listing names a commit, and every file is
//          fetched of that commit.
// Out      the files, each complete and checked; `.adit-fetch.json` says which they are. A second run fetches only
//          what is missing or new. Files that were changed here since are not overwritten without `force`.
// Errors   those of repository.hpp, manifest.hpp and download.hpp; kFailedPrecondition: the folder holds another
//          repository, a file was changed here, or a token would go out unencrypted; kResourceExhausted: too little
//          room on the disk (before anything is fetched).
// Units    bytes.
// Threads  the calling one.
// Source   Hugging Face Hub: /api/models/<repo>/revision/<rev>, /<repo>/resolve/<rev>/<path>
// Tests    tests/unit/miner/fetch/fetch_test.cpp
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "common/base/result.hpp"
#include "miner/fetch/download.hpp"
#include "miner/fetch/repository.hpp"

namespace adit::miner {

struct FetchOptions {
  std::string repo;
  std::string revision = "main";
  std::string endpoint = "https://huggingface.co";
  std::filesystem::path folder;
  Patterns patterns = {};
  std::string token = {};
  std::filesystem::path ca_file = {};
  bool force = false;
  RetryPolicy retry = {};
  int idle_seconds = 30;
};

struct FetchHooks {
  // As DownloadHooks, with the file that is being fetched.
  std::function<void(std::chrono::milliseconds)> sleep;
  std::function<void(std::string_view path, std::uint64_t done, std::uint64_t total, bool checking)> progress;
  std::function<void(std::string_view)> note;
};

struct FetchReport {
  std::string commit;
  std::size_t fetched = 0;
  std::size_t kept = 0;
  std::uint64_t bytes = 0;     // of all chosen files
  std::uint64_t received = 0;  // by this run
};

[[nodiscard]] Result<FetchReport> fetch(const FetchOptions& options, const FetchHooks& hooks);

}  // namespace adit::miner
