// SPDX-License-Identifier: MIT
// miner/fetch/part_file.hpp
//
// The bytes of a download so far, `<target>.part`, and what they belong to, `<target>.part.json`.
//
// Errors   those of the disk, naming the file: kPermissionDenied, kResourceExhausted (full), kUnavailable.
// Units    bytes.
// Threads  one; FolderLock keeps other processes out.
// Tests    tests/unit/miner/fetch/fetch_test.cpp
#pragma once

#include <cstdint>
#include <filesystem>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "miner/fetch/manifest.hpp"

namespace adit::miner {

class PartFile {
 public:
  // Makes the target's folder, and finds what an earlier run left.
  [[nodiscard]] static Result<PartFile> open(const std::filesystem::path& target);
  PartFile(PartFile&& other) noexcept;
  PartFile& operator=(PartFile&&) = delete;
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;
  ~PartFile();

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] const PartState& state() const { return state_; }
  [[nodiscard]] const std::filesystem::path& path() const { return part_; }
  // Drops the bytes; what comes next belongs to `state`.
  [[nodiscard]] Result<void> restart(const PartState& state);
  [[nodiscard]] Result<void> append(ByteView bytes);
  [[nodiscard]] Result<void> sync();
  // Renames over the target and forgets the state.
  [[nodiscard]] Result<void> place();

 private:
  PartFile(const std::filesystem::path& target, int fd);

  std::filesystem::path target_;
  std::filesystem::path part_;
  std::filesystem::path state_path_;
  int fd_;
  std::uint64_t size_ = 0;
  PartState state_;
};

}  // namespace adit::miner
