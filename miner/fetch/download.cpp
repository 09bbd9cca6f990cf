// SPDX-License-Identifier: MIT
#include "miner/fetch/download.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "miner/fetch/part_file.hpp"
#include "miner/fetch/retry.hpp"

namespace adit::miner {
namespace {

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct ContentRange {
  std::uint64_t first = 0;
  std::optional<std::uint64_t> total;
};

// "bytes 5-9/10" or "bytes 5-9/*".
std::optional<ContentRange> parse_range(std::string_view text) {
  constexpr std::string_view kUnit = "bytes ";
  if (!text.starts_with(kUnit)) return std::nullopt;
  text.remove_prefix(kUnit.size());
  const std::size_t dash = text.find('-');
  const std::size_t slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || slash < dash) return std::nullopt;
  const auto first = number(text.substr(0, dash));
  const auto last = number(text.substr(dash + 1, slash - dash - 1));
  if (!first || !last || *last < *first) return std::nullopt;
  ContentRange range{*first, number(text.substr(slash + 1))};
  if (!range.total && text.substr(slash + 1) != "*") return std::nullopt;
  if (range.total && *last >= *range.total) return std::nullopt;
  return range;
}

// What the endpoint itself says of the file: a storage host's own tag is no digest of ours.
std::optional<Digest> stated_digest(const Transfer& transfer) {
  if (const auto linked = transfer.first_header("x-linked-etag"); !linked.empty()) {
    return digest_from_etag(linked);
  }
  const std::string endpoint = origin_of(transfer.hops.front().url).value_or("");
  for (const HttpHop& hop : transfer.hops) {
    if (origin_of(hop.url).value_or("") != endpoint) continue;
    if (auto digest = digest_from_etag(hop.header("etag"))) return digest;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> stated_size(const Transfer& transfer) {
  if (auto linked = number(transfer.first_header("x-linked-size"))) return linked;
  if (transfer.status() == 200) return number(transfer.hops.back().header("content-length"));
  if (const auto range = parse_range(transfer.hops.back().header("content-range"))) return range->total;
  return std::nullopt;
}

// Takes what the answer says into `wanted`; an error if it contradicts what was known.
Result<void> agree(Wanted& wanted, const Transfer& transfer) {
  const auto digest = stated_digest(transfer);
  if (digest && wanted.digest && digest->kind == wanted.digest->kind && *digest != *wanted.digest) {
    return data_loss("{}: the endpoint sends {} {}, expected {}", wanted.url, name(digest->kind), digest->hex,
                     wanted.digest->hex);
  }
  if (!wanted.digest) wanted.digest = digest;
  const auto size = stated_size(transfer);
  if (size && wanted.size && *size != *wanted.size) {
    return data_loss("{}: the endpoint sends {} bytes, expected {}", wanted.url, *size, *wanted.size);
  }
  if (!wanted.size) wanted.size = size;
  return {};
}

class FileDownload {
 public:
  FileDownload(HttpGet& http, Wanted wanted, const RetryPolicy& policy, const DownloadHooks& hooks,
               PartFile part)
      : http_(http),
        wanted_(std::move(wanted)),
        hooks_(hooks),
        part_(std::move(part)),
        retrier_(policy, hooks, wanted_.url) {}

  Result<Downloaded> run() {
    ADIT_TRY_VOID(drop_strange_part());
    ADIT_TRY_VOID(receive());
    ADIT_TRY(bool is_right, check());
    if (!is_right) {
      hooks_.note(fmt::format("{}: {}; fetching it again from the start", wanted_.url, mismatch_));
      ADIT_TRY_VOID(part_.restart({}));
      ADIT_TRY_VOID(receive());
      ADIT_TRY(is_right, check());
    }
    if (!is_right) {
      ADIT_TRY_VOID(part_.restart({}));
      return data_loss("{}: {}", wanted_.url, mismatch_);
    }
    ADIT_TRY_VOID(part_.place());
    out_.size = part_.size();
    out_.digest = wanted_.digest;
    return out_;
  }

 private:
  // Bytes of an earlier run count only if they can be shown to belong to this file.
  Result<void> drop_strange_part() {
    const PartState& state = part_.state();
    const bool other_file = wanted_.digest && state.digest && *wanted_.digest != *state.digest;
    const bool unknown = !wanted_.digest && state.etag.empty();
    const bool too_long = wanted_.size && part_.size() > *wanted_.size;
    if (part_.size() == 0 || !(other_file || unknown || too_long)) return {};
    return part_.restart({});
  }

  [[nodiscard]] bool is_complete() const { return wanted_.size && part_.size() == *wanted_.size; }

  Result<void> receive() {
    while (part_.size() == 0 || !is_complete()) {
      restart_why_.clear();
      received_ = 0;
      HttpRequest request{.url = wanted_.url};
      if (part_.size() > 0) {
        request.headers.push_back(fmt::format("Range: bytes={}-", part_.size()));
        if (!part_.state().etag.empty()) request.headers.push_back("If-Range: " + part_.state().etag);
      }
      auto transfer = http_.run(
          request, [this](const Transfer& head) { return on_head(head); },
          [this](ByteView bytes) { return on_body(bytes); });
      out_.received += received_;
      if (!restart_why_.empty()) {
        ADIT_TRY_VOID(part_.restart({}));
        ADIT_TRY_VOID(retrier_.wait(restart_why_, 0));
        continue;
      }
      if (!transfer) return tl::unexpected<Error>(transfer.error());
      if (!transfer->broken && transfer->status() == 416) {
        ADIT_TRY_VOID(part_.restart({}));
        ADIT_TRY_VOID(retrier_.wait("status 416: the bytes asked for do not exist", 0));
        continue;
      }
      const bool came = !transfer->broken && (transfer->status() == 200 || transfer->status() == 206);
      if (!came) {
        ADIT_TRY_VOID(retrier_.wait(*transfer, gained()));
        continue;
      }
      // A server that names no length ends the file by closing.
      if (!wanted_.size) wanted_.size = part_.size();
      if (is_complete()) break;
      ADIT_TRY_VOID(
          retrier_.wait(fmt::format("ended after {} of {} bytes", part_.size(), *wanted_.size), gained()));
    }
    return {};
  }

  // Bytes beyond the furthest point so far: a server that never gets further is given up on.
  std::uint64_t gained() {
    const std::uint64_t before = std::exchange(furthest_, std::max(furthest_, part_.size()));
    return furthest_ - before;
  }

  Result<void> on_head(const Transfer& transfer) {
    if (const auto commit = transfer.first_header("x-repo-commit"); !commit.empty()) out_.commit = commit;
    if (transfer.status() == 206) {
      const auto range = parse_range(transfer.hops.back().header("content-range"));
      if (!range || range->first != part_.size()) {
        return restart_for(fmt::format("asked for bytes from {}, it sends '{}'", part_.size(),
                                       transfer.hops.back().header("content-range").substr(0, 80)));
      }
      const auto digest = stated_digest(transfer);
      if (digest && part_.state().digest && *digest != *part_.state().digest && !wanted_.digest) {
        return restart_for("the file has changed meanwhile");
      }
    }
    ADIT_TRY_VOID(agree(wanted_, transfer));
    if (transfer.status() == 206) return {};
    const std::string_view etag = transfer.hops.back().header("etag");
    const bool is_strong = etag.size() >= 2 && etag.front() == '"' && etag.size() < 512;
    return part_.restart(
        {.etag = std::string(is_strong ? etag : ""), .size = wanted_.size, .digest = wanted_.digest});
  }

  Result<void> on_body(ByteView bytes) {
    if (wanted_.size && part_.size() + bytes.size() > *wanted_.size) {
      return restart_for(fmt::format("it sends more than the {} bytes it named", *wanted_.size));
    }
    ADIT_TRY_VOID(part_.append(bytes));
    received_ += bytes.size();
    if (hooks_.progress) hooks_.progress(part_.size(), wanted_.size.value_or(0), false);
    return {};
  }

  Result<void> restart_for(std::string why) {
    restart_why_ = std::move(why);
    return make_error(ErrorCode::kAborted, "{}", restart_why_);
  }

  Result<bool> check() {
    ADIT_TRY_VOID(part_.sync());
    if (!wanted_.digest) return true;
    ADIT_TRY(const Digest digest,
             digest_of_file(part_.path(), wanted_.digest->kind, [this](std::uint64_t done) {
               if (hooks_.progress) hooks_.progress(done, part_.size(), true);
             }));
    mismatch_ = fmt::format("{} {}, expected {}", name(digest.kind), digest.hex, wanted_.digest->hex);
    return digest == *wanted_.digest;
  }

  HttpGet& http_;
  Wanted wanted_;
  const DownloadHooks& hooks_;
  PartFile part_;
  Retrier retrier_;
  Downloaded out_;
  std::uint64_t received_ = 0;
  std::uint64_t furthest_ = 0;
  std::string restart_why_;
  std::string mismatch_;
};

}  // namespace

Result<Downloaded> download(HttpGet& http, const Wanted& wanted, const RetryPolicy& retry,
                            const DownloadHooks& hooks) {
  ADIT_TRY(PartFile part, PartFile::open(wanted.target));
  return FileDownload(http, wanted, retry, hooks, std::move(part)).run();
}

Result<Wanted> probe(HttpGet& http, Wanted wanted, const RetryPolicy& retry, const DownloadHooks& hooks) {
  Retrier retrier(retry, hooks, wanted.url);
  for (;;) {
    ADIT_TRY(const Transfer transfer,
             http.run(
                 {.url = wanted.url, .head_only = true}, [](const Transfer&) { return Result<void>(); },
                 [](ByteView) { return Result<void>(); }));
    if (!transfer.broken && transfer.status() == 200) {
      ADIT_TRY_VOID(agree(wanted, transfer));
      return wanted;
    }
    ADIT_TRY_VOID(retrier.wait(transfer, 0));
  }
}

Result<Bytes> get_text(HttpGet& http, const std::string& url, std::uint64_t bytes_max,
                       const RetryPolicy& retry, const DownloadHooks& hooks) {
  Retrier retrier(retry, hooks, url);
  for (;;) {
    Bytes out;
    ADIT_TRY(const Transfer transfer, http.run(
                                          {.url = url}, [](const Transfer&) { return Result<void>(); },
                                          [&](ByteView bytes) -> Result<void> {
                                            if (out.size() + bytes.size() > bytes_max) {
                                              return resource_exhausted("{}: more than {} bytes", url,
                                                                        bytes_max);
                                            }
                                            append(out, bytes);
                                            return {};
                                          }));
    if (!transfer.broken && transfer.status() == 200) return out;
    ADIT_TRY_VOID(retrier.wait(transfer, 0));
  }
}

}  // namespace adit::miner
