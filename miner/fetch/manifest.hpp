// SPDX-License-Identifier: MIT
// miner/fetch/manifest.hpp
//
// What `fetch` remembers in a folder: which files it put there, of which commit (`.adit-fetch.json`), how far a
// broken download came (`<file>.part` and `<file>.part.json`), and a lock that keeps a second fetch out.
//
// Out      Manifest, PartState as values; both are written whole or not at all.
// Errors   parse: kInvalidArgument naming the key; unusable part states are treated as absent.
//          FolderLock: kUnavailable while another process holds it.
// Units    bytes; mtime_ns: the file's time of change, which spares reading gigabytes to see that nothing changed.
// Threads  any; one writer a folder, by the lock.
// Tests    tests/unit/miner/fetch/files_test.cpp, tests/fuzz/fetch_manifest_fuzz.cpp
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "miner/fetch/digest.hpp"

namespace adit::miner {

inline constexpr std::string_view kOwnPrefix = ".adit-fetch";
inline constexpr std::string_view kManifestName = ".adit-fetch.json";
inline constexpr std::string_view kLockName = ".adit-fetch.lock";
inline constexpr std::string_view kPartSuffix = ".part";
inline constexpr std::string_view kPartStateSuffix = ".part.json";
inline constexpr std::uint64_t kManifestBytesMax = 32u << 20;

struct ManifestFile {
  std::string path;
  std::uint64_t size = 0;
  std::optional<Digest> digest;  // none: the endpoint named none
  std::int64_t mtime_ns = 0;
};

struct Manifest {
  std::string endpoint;
  std::string repo;
  std::string revision;
  std::string commit;
  std::vector<ManifestFile> files;

  [[nodiscard]] const ManifestFile* find(std::string_view path) const;
  void put(ManifestFile file);
};

[[nodiscard]] std::string manifest_text(const Manifest& manifest);
[[nodiscard]] Result<Manifest> parse_manifest(ByteView json);
// An empty manifest if the folder has none.
[[nodiscard]] Result<Manifest> read_manifest(const std::filesystem::path& folder);
[[nodiscard]] Result<void> write_manifest(const std::filesystem::path& folder, const Manifest& manifest);

// What the bytes of a `.part` belong to.
struct PartState {
  std::string etag;  // of the server that sent them, for If-Range; empty if it named none
  std::optional<std::uint64_t> size;
  std::optional<Digest> digest;
};

[[nodiscard]] std::string part_state_text(const PartState& state);
[[nodiscard]] Result<PartState> parse_part_state(ByteView json);

[[nodiscard]] Result<std::int64_t> mtime_ns_of(const std::filesystem::path& path);

class FolderLock {
 public:
  [[nodiscard]] static Result<FolderLock> take(const std::filesystem::path& folder);
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&& other) noexcept;
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace adit::miner
