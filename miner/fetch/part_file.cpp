// SPDX-License-Identifier: MIT
#include "miner/fetch/part_file.hpp"

#include <cerrno>
#include <string>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "common/base/files.hpp"

namespace adit::miner {
namespace {

constexpr std::uint64_t kStateBytesMax = 64u << 10;

std::filesystem::path with_suffix(const std::filesystem::path& path, std::string_view suffix) {
  return path.string() + std::string(suffix);
}

}  // namespace

PartFile::PartFile(const std::filesystem::path& target, int fd)
    : target_(target),
      part_(with_suffix(target, kPartSuffix)),
      state_path_(with_suffix(target, kPartStateSuffix)),
      fd_(fd) {}

PartFile::PartFile(PartFile&& other) noexcept
    : target_(std::move(other.target_)),
      part_(std::move(other.part_)),
      state_path_(std::move(other.state_path_)),
      fd_(std::exchange(other.fd_, -1)),
      size_(other.size_),
      state_(std::move(other.state_)) {}

PartFile::~PartFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<PartFile> PartFile::open(const std::filesystem::path& target) {
  std::error_code error;
  const std::filesystem::path folder = target.parent_path();
  std::filesystem::create_directories(folder, error);
  if (error) return system_error(folder, "creating", error.value());
  const std::filesystem::path path = with_suffix(target, kPartSuffix);
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd < 0) return system_error(path, "creating", errno);
  PartFile part(target, fd);
  const off_t end = ::lseek(fd, 0, SEEK_END);
  if (end < 0) return system_error(path, "reading", errno);
  part.size_ = static_cast<std::uint64_t>(end);
  if (part.size_ == 0) return part;
  const auto text = read_file(part.state_path_, kStateBytesMax);
  auto state = text ? parse_part_state(*text) : tl::unexpected<Error>(text.error());
  if (!state) {
    // Bytes of which nobody knows what they are.
    ADIT_TRY_VOID(part.restart({}));
    return part;
  }
  part.state_ = *std::move(state);
  return part;
}

Result<void> PartFile::restart(const PartState& state) {
  if (::ftruncate(fd_, 0) != 0 || ::lseek(fd_, 0, SEEK_SET) != 0) {
    return system_error(part_, "emptying", errno);
  }
  size_ = 0;
  state_ = state;
  return write_file_atomic(state_path_, as_bytes(part_state_text(state)));
}

Result<void> PartFile::append(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(fd_, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return system_error(part_, "writing", errno);
    size_ += static_cast<std::uint64_t>(wrote);
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
  }
  return {};
}

Result<void> PartFile::sync() {
  if (::fsync(fd_) != 0) return system_error(part_, "syncing", errno);
  return {};
}

Result<void> PartFile::place() {
  if (::rename(part_.c_str(), target_.c_str()) != 0) return system_error(target_, "renaming", errno);
  ::unlink(state_path_.c_str());
  const std::filesystem::path folder = target_.parent_path();
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) {
    ::fsync(fd);
    ::close(fd);
  }
  return {};
}

}  // namespace adit::miner
