// SPDX-License-Identifier: MIT
#include "miner/fetch/fetch.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/ranges.h>

#include "common/base/files.hpp"
#include "miner/fetch/manifest.hpp"

namespace adit::miner {
namespace {

std::string escape_path(std::string_view path) {
  std::string out;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    if (!out.empty()) out += '/';
    out += url_escape(path.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

class Fetch {
 public:
  Fetch(const FetchOptions& options, const FetchHooks& hooks, HttpGet http, std::string endpoint)
      : options_(options), hooks_(hooks), http_(std::move(http)), endpoint_(std::move(endpoint)) {
    download_hooks_.sleep = hooks.sleep;
    download_hooks_.note = hooks.note;
    download_hooks_.progress = [this](std::uint64_t done, std::uint64_t total, bool checking) {
      if (hooks_.progress) hooks_.progress(current_, done, total, checking);
    };
  }

  Result<FetchReport> run() {
    ADIT_TRY(manifest_, read_manifest(options_.folder));
    if (!manifest_.repo.empty() && manifest_.repo != options_.repo && !options_.force) {
      return failed_precondition("{}: holds {}, not {}; choose another folder, or --force",
                                 options_.folder.string(), manifest_.repo, options_.repo);
    }
    ADIT_TRY(const std::vector<RepositoryFile> chosen, list());
    std::vector<Wanted> missing;
    std::vector<std::string> missing_paths;
    std::vector<std::string> changed;
    for (const RepositoryFile& file : chosen) {
      current_ = file.path;
      Wanted wanted{url_of(file.path), options_.folder / file.path, file.size, file.digest};
      ADIT_TRY(const Place place, look(file.path, wanted));
      if (place == Place::kCurrent) {
        ++report_.kept;
        report_.bytes += wanted.size.value_or(0);
        continue;
      }
      if (place == Place::kChanged) changed.push_back(file.path);
      missing.push_back(std::move(wanted));
      missing_paths.push_back(file.path);
    }
    if (!changed.empty() && !options_.force) {
      return failed_precondition("{}: changed here since, and not overwritten without --force: {}",
                                 options_.folder.string(), fmt::join(changed, ", "));
    }
    ADIT_TRY_VOID(check_room(missing));
    for (std::size_t i = 0; i < missing.size(); ++i) ADIT_TRY_VOID(get(missing_paths[i], missing[i]));
    ADIT_TRY_VOID(remember());
    report_.commit = commit_;
    return report_;
  }

 private:
  enum class Place { kAbsent, kCurrent, kOld, kChanged };

  [[nodiscard]] std::string url_of(std::string_view path) const {
    const std::string& revision = commit_.empty() ? options_.revision : commit_;
    return fmt::format("{}/{}/resolve/{}/{}", endpoint_, options_.repo, url_escape(revision),
                       escape_path(path));
  }

  Result<std::vector<RepositoryFile>> list() {
    const std::string url = fmt::format("{}/api/models/{}/revision/{}?blobs=true", endpoint_, options_.repo,
                                        url_escape(options_.revision));
    ADIT_TRY(const Bytes text, get_text(http_, url, kListingBytesMax, options_.retry, download_hooks_));
    auto listing = parse_listing(text);
    if (!listing) return tl::unexpected<Error>(listing.error().context(url));
    commit_ = listing->commit;
    auto chosen = choose(*listing, options_.patterns);
    if (!chosen) return tl::unexpected<Error>(chosen.error().context(options_.repo));
    return chosen;
  }

  // What lies at the file's place. Asks the endpoint only if the listing named no digest.
  Result<Place> look(const std::string& path, Wanted& wanted) {
    std::error_code error;
    const auto status = std::filesystem::symlink_status(wanted.target, error);
    if (status.type() == std::filesystem::file_type::not_found) return Place::kAbsent;
    if (!std::filesystem::is_regular_file(wanted.target, error)) {
      return failed_precondition("{}: is not a regular file", wanted.target.string());
    }
    if (!wanted.digest) {
      ADIT_TRY(wanted, probe(http_, wanted, options_.retry, download_hooks_));
    }
    const std::uint64_t size = std::filesystem::file_size(wanted.target, error);
    if (error) return system_error(wanted.target, "reading", error.value());
    ADIT_TRY(const std::int64_t mtime, mtime_ns_of(wanted.target));
    const ManifestFile* known = manifest_.find(path);
    const bool untouched = known != nullptr && known->size == size && known->mtime_ns == mtime;
    if (!wanted.digest) {
      if (!untouched) return Place::kChanged;
      const bool same = wanted.size == size && !commit_.empty() && commit_ == manifest_.commit;
      return same ? Place::kCurrent : Place::kOld;
    }
    std::optional<Digest> digest;
    if (untouched && known->digest && known->digest->kind == wanted.digest->kind) digest = known->digest;
    if (!digest) {
      ADIT_TRY(digest, digest_of_file(wanted.target, wanted.digest->kind, [&](std::uint64_t done) {
                 if (hooks_.progress) hooks_.progress(path, done, size, true);
               }));
    }
    if (digest == wanted.digest) {
      wanted.size = size;
      manifest_.put({path, size, digest, mtime});
      return Place::kCurrent;
    }
    // Only its time is new, or it is the version of another commit: still what was fetched.
    return untouched || (known != nullptr && known->digest == digest) ? Place::kOld : Place::kChanged;
  }

  Result<void> check_room(const std::vector<Wanted>& missing) {
    std::uint64_t need = 0;
    for (const Wanted& wanted : missing) {
      std::error_code absent;
      const auto part = std::filesystem::file_size(wanted.target.string() + std::string(kPartSuffix), absent);
      const std::uint64_t size = wanted.size.value_or(0);
      need += absent ? size : size - std::min<std::uint64_t>(size, part);
    }
    std::error_code error;
    const auto space = std::filesystem::space(options_.folder, error);
    if (error || need <= space.available) return {};
    return resource_exhausted("{}: {} bytes are needed, {} are free", options_.folder.string(), need,
                              space.available);
  }

  Result<void> get(const std::string& path, const Wanted& wanted) {
    current_ = path;
    ADIT_TRY(const Downloaded got, download(http_, wanted, options_.retry, download_hooks_));
    if (commit_.empty()) commit_ = got.commit;
    if (!got.commit.empty() && got.commit != commit_) {
      return failed_precondition("{}: is of commit {}, the others of {}: the revision moved, run it again",
                                 path, got.commit, commit_);
    }
    ADIT_TRY(const std::int64_t mtime, mtime_ns_of(wanted.target));
    manifest_.put({path, got.size, got.digest, mtime});
    ++report_.fetched;
    report_.bytes += got.size;
    report_.received += got.received;
    const std::string checked = got.digest ? fmt::format("{} {}", name(got.digest->kind), got.digest->hex)
                                           : "only its size is checked";
    const std::uint64_t before = got.size > got.received ? got.size - got.received : 0;
    hooks_.note(fmt::format("{}: {} bytes, {}{}", path, got.size, checked,
                            before > 0 ? fmt::format(" (went on from {})", before) : ""));
    return remember();
  }

  Result<void> remember() {
    manifest_.endpoint = endpoint_;
    manifest_.repo = options_.repo;
    manifest_.revision = options_.revision;
    manifest_.commit = commit_;
    return write_manifest(options_.folder, manifest_);
  }

  const FetchOptions& options_;
  const FetchHooks& hooks_;
  HttpGet http_;
  std::string endpoint_;
  DownloadHooks download_hooks_;
  Manifest manifest_;
  std::string commit_;
  std::string current_;
  FetchReport report_;
};

}  // namespace

Result<FetchReport> fetch(const FetchOptions& options, const FetchHooks& hooks) {
  ADIT_TRY_VOID(check_repository_name(options.repo));
  std::string endpoint = options.endpoint;
  while (endpoint.ends_with('/')) endpoint.pop_back();
  ADIT_TRY(const std::string origin, origin_of(endpoint));
  if (!options.token.empty() && !origin.starts_with("https:") && !is_loopback_origin(origin)) {
    return failed_precondition("{}: a token is sent over https only", endpoint);
  }
  std::error_code error;
  std::filesystem::create_directories(options.folder, error);
  if (error) return system_error(options.folder, "creating", error.value());
  ADIT_TRY(const FolderLock lock, FolderLock::take(options.folder));
  ADIT_TRY(HttpGet http, HttpGet::make({.token = options.token,
                                        .token_origin = origin,
                                        .ca_file = options.ca_file,
                                        .idle_seconds = options.idle_seconds}));
  return Fetch(options, hooks, std::move(http), endpoint).run();
}

}  // namespace adit::miner
