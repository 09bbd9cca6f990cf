// SPDX-License-Identifier: MIT
#include "miner/fetch/manifest.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/files.hpp"
#include "miner/fetch/repository.hpp"

namespace adit::miner {
namespace {

using nlohmann::json;
constexpr int kFormat = 1;

std::string text_of(const json& value) {
  return value.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<std::string> text_at(const json& object, const char* key) {
  const auto value = object.find(key);
  if (value == object.end() || !value->is_string()) return invalid_argument("{}: expected a string", key);
  return value->get<std::string>();
}

Result<std::uint64_t> count_at(const json& object, const char* key) {
  const auto value = object.find(key);
  if (value == object.end() || !value->is_number_unsigned()) {
    return invalid_argument("{}: expected a number of bytes", key);
  }
  return value->get<std::uint64_t>();
}

// {"sha256": hex} or {"git_sha1": hex} beside other keys; none of them is no digest.
Result<std::optional<Digest>> digest_at(const json& object) {
  for (const DigestKind kind : {DigestKind::kSha256, DigestKind::kGitBlobSha1}) {
    const auto value = object.find(name(kind));
    if (value == object.end()) continue;
    const auto digest =
        value->is_string() ? digest_from_hex(value->get_ref<const std::string&>()) : std::nullopt;
    if (!digest || digest->kind != kind) return invalid_argument("{}: expected hex digits", name(kind));
    return digest;
  }
  return std::optional<Digest>();
}

Result<ManifestFile> parse_entry(const json& item) {
  if (!item.is_object()) return invalid_argument("expected an object");
  ManifestFile file;
  ADIT_TRY(file.path, text_at(item, "path"));
  ADIT_TRY_VOID(check_file_path(file.path));
  ADIT_TRY(file.size, count_at(item, "size"));
  ADIT_TRY(file.digest, digest_at(item));
  const auto mtime = item.find("mtime_ns");
  if (mtime == item.end() || !mtime->is_number_integer())
    return invalid_argument("mtime_ns: expected a number");
  file.mtime_ns = mtime->get<std::int64_t>();
  return file;
}

}  // namespace

const ManifestFile* Manifest::find(std::string_view path) const {
  const auto it = std::find_if(files.begin(), files.end(), [path](const auto& f) { return f.path == path; });
  return it == files.end() ? nullptr : &*it;
}

void Manifest::put(ManifestFile file) {
  std::erase_if(files, [&file](const ManifestFile& other) { return other.path == file.path; });
  files.push_back(std::move(file));
}

std::string manifest_text(const Manifest& manifest) {
  json root{{"format", kFormat},         {"endpoint", manifest.endpoint},
            {"repo", manifest.repo},     {"revision", manifest.revision},
            {"commit", manifest.commit}, {"files", json::array()}};
  for (const ManifestFile& file : manifest.files) {
    json item{{"path", file.path}, {"size", file.size}, {"mtime_ns", file.mtime_ns}};
    if (file.digest) item[std::string(name(file.digest->kind))] = file.digest->hex;
    root["files"].push_back(std::move(item));
  }
  return text_of(root);
}

Result<Manifest> parse_manifest(ByteView text) {
  const json root = json::parse(text.begin(), text.end(), nullptr, false);
  if (!root.is_object()) return invalid_argument("not a JSON object");
  const auto format = root.find("format");
  if (format == root.end() || *format != kFormat) return invalid_argument("format: expected {}", kFormat);
  Manifest manifest;
  ADIT_TRY(manifest.endpoint, text_at(root, "endpoint"));
  ADIT_TRY(manifest.repo, text_at(root, "repo"));
  ADIT_TRY(manifest.revision, text_at(root, "revision"));
  ADIT_TRY(manifest.commit, text_at(root, "commit"));
  const auto files = root.find("files");
  if (files == root.end() || !files->is_array() || files->size() > kListingFilesMax) {
    return invalid_argument("files: expected an array of at most {}", kListingFilesMax);
  }
  for (std::size_t i = 0; i < files->size(); ++i) {
    auto file = parse_entry((*files)[i]);
    if (!file) return tl::unexpected<Error>(file.error().context(fmt::format("files[{}]", i)));
    manifest.files.push_back(*std::move(file));
  }
  return manifest;
}

Result<Manifest> read_manifest(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kManifestName;
  const auto text = read_file(path, kManifestBytesMax);
  if (!text && text.error().code == ErrorCode::kNotFound) return Manifest{};
  if (!text) return tl::unexpected<Error>(text.error());
  auto manifest = parse_manifest(*text);
  if (!manifest) return tl::unexpected<Error>(manifest.error().context(path.string()));
  return manifest;
}

Result<void> write_manifest(const std::filesystem::path& folder, const Manifest& manifest) {
  return write_file_atomic(folder / kManifestName, as_bytes(manifest_text(manifest)));
}

std::string part_state_text(const PartState& state) {
  json root{{"format", kFormat}, {"etag", state.etag}};
  if (state.size) root["size"] = *state.size;
  if (state.digest) root[std::string(name(state.digest->kind))] = state.digest->hex;
  return text_of(root);
}

Result<PartState> parse_part_state(ByteView text) {
  const json root = json::parse(text.begin(), text.end(), nullptr, false);
  if (!root.is_object()) return invalid_argument("not a JSON object");
  const auto format = root.find("format");
  if (format == root.end() || *format != kFormat) return invalid_argument("format: expected {}", kFormat);
  PartState state;
  ADIT_TRY(state.etag, text_at(root, "etag"));
  const bool is_plain =
      std::all_of(state.etag.begin(), state.etag.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
  if (!is_plain) return invalid_argument("etag: expected printable ASCII");
  if (root.contains("size")) {
    ADIT_TRY(state.size, count_at(root, "size"));
  }
  ADIT_TRY(state.digest, digest_at(root));
  return state;
}

Result<std::int64_t> mtime_ns_of(const std::filesystem::path& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) return system_error(path, "reading", errno);
  return static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1'000'000'000 + info.st_mtim.tv_nsec;
}

Result<FolderLock> FolderLock::take(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kLockName;
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd < 0) return system_error(path, "creating", errno);
  FolderLock lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK)
      return unavailable("{}: another fetch is working in this folder", folder.string());
    return system_error(path, "locking", errno);
  }
  return lock;
}

FolderLock::FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
FolderLock& FolderLock::operator=(FolderLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}
FolderLock::~FolderLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace adit::miner
