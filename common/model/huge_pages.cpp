// SPDX-License-Identifier: MIT
#include "common/model/huge_pages.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/cpu_topology.hpp"
#include "common/model/memory_spread.hpp"

namespace adit::model {
namespace {

#ifndef MADV_POPULATE_READ
constexpr int MADV_POPULATE_READ = 22;
#endif

// Asks for huge pages and reads `count` bytes in. Refusals leave an ordinary mapping.
void advise(ByteView bytes, std::size_t count) {
  void* begin = const_cast<std::uint8_t*>(bytes.data());
  madvise(begin, bytes.size(), MADV_HUGEPAGE);
  madvise(begin, count, MADV_POPULATE_READ);
}

// Takes what is clean and not mapped out of the cache: [0, count) of the file, 0 for all.
void drop_from_cache(const std::filesystem::path& path, std::size_t count) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  // A file just written is dirty and would stay.
  if (fdatasync(fd) == 0) posix_fadvise(fd, 0, static_cast<off_t>(count), POSIX_FADV_DONTNEED);
  ::close(fd);
}

// memory.max of this process's control group (version 2) as a container sees it; none: no limit.
std::size_t group_limit() {
  std::ifstream file("/sys/fs/cgroup/memory.max");
  std::size_t bytes = 0;
  return file >> bytes ? bytes : SIZE_MAX;
}

}  // namespace

bool exceeds_memory(std::size_t bytes) {
  const auto memory = static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) *
                      static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return bytes > std::min(memory, group_limit()) / 4 * 3;
}

std::size_t huge_bytes(ByteView bytes) {
  // The mapping's own entry begins with its address; later lines of it name a size in kB.
  std::ifstream maps("/proc/self/smaps");
  const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
  bool is_ours = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0;
    const char* end = line.data() + line.size();
    const auto [rest, error] = std::from_chars(line.data(), end, begin, 16);
    if (error == std::errc{} && rest != end && *rest == '-') is_ours = begin == address;
    constexpr std::string_view kKey = "FilePmdMapped:";
    if (!is_ours || !line.starts_with(kKey)) continue;
    std::size_t kilobytes = 0;
    const std::size_t digits = line.find_first_not_of(' ', kKey.size());
    if (digits != std::string::npos) std::from_chars(line.data() + digits, end, kilobytes);
    return kilobytes * 1024;
  }
  return 0;
}

Result<MappedFile> map_in_huge_pages(const std::filesystem::path& path) {
  ADIT_TRY(MappedFile file, MappedFile::open(path));
  const std::size_t size = file.bytes().size();
  if (size < kHugeFileBytes || exceeds_memory(size)) return file;
  const auto nodes = memory_nodes(kSystemTree);
  const MemorySpread spread(nodes ? *nodes : std::vector<int>{});
  const auto is_huge = [&](std::size_t count) { return huge_bytes(file.bytes()) >= count / 2; };
  advise(file.bytes(), size);
  if (is_huge(size)) return file;
  for (const std::size_t count : {kHugePageBytes, size}) {
    // Only a file that this process does not map can leave the cache.
    { const MappedFile closed = std::move(file); }
    drop_from_cache(path, count == size ? 0 : count);
    ADIT_TRY(file, MappedFile::open(path));
    if (file.bytes().size() != size) return file;
    advise(file.bytes(), count);
    if (!is_huge(count)) break;
  }
  advise(file.bytes(), size);
  return file;
}

}  // namespace adit::model
