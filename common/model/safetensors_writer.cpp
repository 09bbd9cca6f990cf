// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "common/base/files.hpp"
#include "common/model/safetensors.hpp"

namespace adit::model::safetensors {

Result<Writer> Writer::create(const std::filesystem::path& path, std::size_t header_size) {
  std::filesystem::path temporary = path;
  temporary += fmt::format(".tmp.{}", getpid());
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return system_error(temporary, "creating", errno);
  return Writer(path, std::move(temporary), fd, header_size);
}

Writer::Writer(Writer&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)),
      fd_(std::exchange(other.fd_, -1)),
      header_size_(other.header_size_),
      written_(other.written_) {}

Writer::~Writer() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
}

Result<void> Writer::write_at(std::uint64_t offset, ByteView bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t wrote =
        ::pwrite(fd_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return system_error(temporary_, "writing", errno);
    done += static_cast<std::size_t>(wrote);
  }
  return {};
}

Result<void> Writer::append(ByteView bytes) {
  ADIT_TRY_VOID(write_at(header_size_ + written_, bytes));
  written_ += bytes.size();
  return {};
}

Result<void> Writer::align() {
  constexpr std::array<std::uint8_t, 64> kZeros{};
  const std::size_t over = written_ % kZeros.size();
  if (over == 0) return {};
  return append(ByteView(kZeros).first(kZeros.size() - over));
}

Result<void> Writer::write_header(ByteView header) {
  if (header.size() != header_size_) {
    return internal_error("{}: a header of {} bytes, {} were set aside", path_.string(), header.size(),
                          header_size_);
  }
  return write_at(0, header);
}

Result<void> Writer::commit() {
  if (fsync(fd_) != 0) return system_error(temporary_, "syncing", errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return system_error(path_, "renaming", errno);
  ::close(std::exchange(fd_, -1));
  std::filesystem::path folder = path_.parent_path();
  if (folder.empty()) folder = ".";
  const int dir = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) return system_error(folder, "opening", errno);
  const int synced = fsync(dir);
  const int error = errno;
  ::close(dir);
  if (synced != 0) return system_error(folder, "syncing", error);
  return {};
}

}  // namespace adit::model::safetensors
