// SPDX-License-Identifier: MIT
#include "common/base/files.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace adit {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }
  [[nodiscard]] int get() const { return fd_; }
  int close() {
    const int result = fd_ >= 0 ? ::close(fd_) : 0;
    fd_ = -1;
    return result;
  }

 private:
  int fd_;
};

Result<std::size_t> size_of(int fd, const std::filesystem::path& path) {
  struct stat info{};
  if (fstat(fd, &info) != 0) return system_error(path, "reading", errno);
  if (!S_ISREG(info.st_mode)) return invalid_argument("{}: not a regular file", path.string());
  return static_cast<std::size_t>(info.st_size);
}

Result<void> write_all(int fd, const std::filesystem::path& path, ByteView content) {
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t wrote = ::write(fd, content.data() + done, content.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return system_error(path, "writing", errno);
    done += static_cast<std::size_t>(wrote);
  }
  if (fsync(fd) != 0) return system_error(path, "syncing", errno);
  return {};
}

}  // namespace

tl::unexpected<Error> system_error(const std::filesystem::path& path, const char* doing, int errno_value) {
  ErrorCode code = ErrorCode::kUnavailable;
  if (errno_value == ENOENT || errno_value == ENOTDIR) code = ErrorCode::kNotFound;
  if (errno_value == EACCES || errno_value == EPERM || errno_value == EROFS) {
    code = ErrorCode::kPermissionDenied;
  }
  if (errno_value == ENOSPC || errno_value == EDQUOT || errno_value == EFBIG) {
    code = ErrorCode::kResourceExhausted;
  }
  return make_error(code, "{}: {}: {}", path.string(), doing, std::strerror(errno_value));
}

Result<Bytes> read_file(const std::filesystem::path& path, std::uint64_t bytes_max) {
  Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return system_error(path, "opening", errno);
  ADIT_TRY(const std::size_t size, size_of(fd.get(), path));
  if (size > bytes_max) {
    return resource_exhausted("{}: {} bytes, more than the limit of {}", path.string(), size, bytes_max);
  }
  Bytes out(size);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(fd.get(), out.data() + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(path, "reading", errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  out.resize(done);
  return out;
}

Result<void> write_file_atomic(const std::filesystem::path& path, ByteView content, unsigned mode) {
  const std::filesystem::path temporary = path.string() + ".tmp." + std::to_string(getpid());
  Descriptor fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (fd.get() < 0) return system_error(temporary, "creating", errno);
  Result<void> written = write_all(fd.get(), temporary, content);
  if (written && fd.close() != 0) written = system_error(temporary, "closing", errno);
  if (written && ::rename(temporary.c_str(), path.c_str()) != 0) {
    written = system_error(path, "renaming", errno);
  }
  if (!written) {
    ::unlink(temporary.c_str());
    return written;
  }
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  Descriptor dir(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (dir.get() >= 0) fsync(dir.get());
  return {};
}

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return system_error(path, "opening", errno);
  ADIT_TRY(const std::size_t size, size_of(fd.get(), path));
  if (size == 0) return MappedFile(nullptr, 0);
  void* data = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (data == MAP_FAILED) return system_error(path, "mapping", errno);
  return MappedFile(static_cast<const std::uint8_t*>(data), size);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<std::uint8_t*>(data_), size_);
}

}  // namespace adit
