// SPDX-License-Identifier: MIT
// common/base/files.hpp
//
// Whole files: read with a limit, write so that a reader sees the old content or the new, never half.
//
// In       mode: permission bits of the new file (0600 for keys).
// Errors   kNotFound, kPermissionDenied, kResourceExhausted (over the limit, disk full), kUnavailable; each
//          message names the path and the system's reason.
// Threads  any; two writers of one path: the last rename wins.
// Tests    tests/unit/common/base/files_test.cpp
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"

namespace adit {

[[nodiscard]] Result<Bytes> read_file(const std::filesystem::path& path, std::uint64_t bytes_max);

// Writes `path`.tmp.<pid> in the same folder, fsyncs it, renames it over `path`, fsyncs the folder.
[[nodiscard]] Result<void> write_file_atomic(const std::filesystem::path& path, ByteView content,
                                             unsigned mode = 0644);

// A read-only mapping of a whole file. Movable; unmapped by the destructor.
class MappedFile {
 public:
  [[nodiscard]] static Result<MappedFile> open(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();
  [[nodiscard]] ByteView bytes() const { return {data_, size_}; }

 private:
  MappedFile(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

// The Error of a failed system call on `path`, from errno.
[[nodiscard]] tl::unexpected<Error> system_error(const std::filesystem::path& path, const char* doing,
                                                 int errno_value);

}  // namespace adit
