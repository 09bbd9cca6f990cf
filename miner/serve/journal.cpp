// SPDX-License-Identifier: MIT
#include "miner/serve/journal.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "common/base/files.hpp"
#include "common/crypto/hash.hpp"

namespace adit::miner {
namespace {

constexpr std::string_view kMagic = "ADITJRN1";
constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kFixedBytes = 8 + 32 + 32 + 1 + 64;

FixedBytes<kChecksumBytes> checksum(ByteView payload) {
  const Hash256 hash = crypto::b2("adit1.jrnl", payload);
  FixedBytes<kChecksumBytes> out;
  std::copy_n(hash.begin(), kChecksumBytes, out.begin());
  return out;
}

void append_block(Bytes& out, const Bytes& block) {
  append_le(out, static_cast<std::uint32_t>(block.size()));
  append(out, block);
}

// The next u32-long block, or nothing if the bytes end before it does.
std::optional<ByteView> take_block(ByteView& from) {
  if (from.size() < 4) return std::nullopt;
  const auto size = load_le<std::uint32_t>(from.data());
  if (size > limits::kJournalRecordBytesMax || from.size() - 4 < size) return std::nullopt;
  const ByteView out = from.subspan(4, size);
  from = from.subspan(std::size_t{4} + size);
  return out;
}

std::optional<JournalRecord> parse(ByteView payload) {
  if (payload.size() < kFixedBytes) return std::nullopt;
  JournalRecord out;
  out.time_ns = load_le<std::uint64_t>(payload.data());
  std::copy_n(payload.begin() + 8, 32, out.caller.begin());
  std::copy_n(payload.begin() + 40, 32, out.receipt.miner.begin());
  if (payload[72] > static_cast<std::uint8_t>(crypto::Scheme::kSr25519)) return std::nullopt;
  out.receipt.scheme = static_cast<crypto::Scheme>(payload[72]);
  std::copy_n(payload.begin() + 73, 64, out.receipt.signature.begin());
  ByteView rest = payload.subspan(kFixedBytes);
  const auto request_bytes = take_block(rest);
  const auto core_bytes = request_bytes ? take_block(rest) : std::nullopt;
  if (!core_bytes || !rest.empty()) return std::nullopt;
  auto request = protocol::decode_generate_request(*request_bytes);
  auto core = protocol::decode_receipt_core(*core_bytes);
  if (!request || !core) return std::nullopt;
  out.request = *std::move(request);
  out.receipt.core = *std::move(core);
  return out;
}

bool write_all(int file, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(file, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
  }
  return true;
}

}  // namespace

Bytes frame_record(const JournalRecord& record) {
  Bytes payload;
  append_le(payload, record.time_ns);
  append(payload, record.caller);
  append(payload, record.receipt.miner);
  payload.push_back(static_cast<std::uint8_t>(record.receipt.scheme));
  append(payload, record.receipt.signature);
  append_block(payload, protocol::canonical_bytes(record.request));
  append_block(payload, protocol::canonical_bytes(record.receipt.core));
  Bytes out;
  append_block(out, payload);
  append(out, checksum(payload));
  return out;
}

JournalContent parse_journal(ByteView bytes) {
  JournalContent out;
  out.file_bytes = bytes.size();
  if (!as_text(bytes).starts_with(kMagic)) return out;
  ByteView rest = bytes.subspan(kMagic.size());
  out.intact_bytes = kMagic.size();
  while (!rest.empty()) {
    const auto payload = take_block(rest);
    if (!payload || rest.size() < kChecksumBytes) break;
    const FixedBytes<kChecksumBytes> sum = checksum(*payload);
    if (!std::equal(sum.begin(), sum.end(), rest.begin())) break;
    auto record = parse(*payload);
    if (!record) break;
    rest = rest.subspan(kChecksumBytes);
    out.records.push_back(*std::move(record));
    out.intact_bytes = bytes.size() - rest.size();
  }
  return out;
}

Result<JournalContent> read_journal(const std::filesystem::path& path) {
  ADIT_TRY(const Bytes bytes, read_file(path, limits::kJournalBytesMax));
  return parse_journal(bytes);
}

Result<std::unique_ptr<Journal>> Journal::open(const std::filesystem::path& path,
                                               std::uint64_t bytes_max) {
  std::unique_ptr<Journal> out(new Journal(path, std::min(bytes_max, limits::kJournalBytesMax)));
  std::error_code ignored;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), ignored);
  ADIT_TRY_VOID(out->lock());
  if (std::filesystem::exists(path, ignored)) {
    ADIT_TRY(const JournalContent content, read_journal(path));
    if (content.intact_bytes != content.file_bytes) {
      ADIT_TRY(const Bytes found, read_file(path, limits::kJournalBytesMax));
      ADIT_TRY_VOID(write_file_atomic(path.string() + ".damaged", found, 0600));
      ADIT_TRY_VOID(write_file_atomic(path, ByteView(found).first(content.intact_bytes), 0600));
      out->dropped_bytes_ = content.file_bytes - content.intact_bytes;
    }
  }
  ADIT_TRY_VOID(out->reopen());
  return out;
}

Journal::~Journal() {
  if (file_ >= 0) ::close(file_);
  if (lock_ >= 0) ::close(lock_);
}

Result<void> Journal::lock() {
  const std::string path = path_.string() + ".lock";
  lock_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0) return system_error(path, "opening", errno);
  if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) return {};
  if (errno == EWOULDBLOCK)
    return unavailable("{}: another process writes this journal", path_.string());
  return system_error(path, "locking", errno);
}

Result<void> Journal::reopen() {
  file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file_ < 0) return system_error(path_, "opening", errno);
  const off_t end = ::lseek(file_, 0, SEEK_END);
  if (end < 0) return system_error(path_, "seeking", errno);
  size_ = static_cast<std::uint64_t>(end);
  if (size_ == 0) {
    if (!write_all(file_, as_bytes(kMagic))) return system_error(path_, "writing", errno);
    size_ = kMagic.size();
  }
  return {};
}

Result<void> Journal::rotate() {
  ::close(file_);
  file_ = -1;
  if (::rename(path_.c_str(), (path_.string() + ".old").c_str()) != 0) {
    return system_error(path_, "renaming", errno);
  }
  return reopen();
}

Result<void> Journal::append(const JournalRecord& record) {
  const Bytes bytes = frame_record(record);
  if (bytes.size() > limits::kJournalRecordBytesMax) {
    return resource_exhausted("journal: a record of {} bytes, expected at most {}", bytes.size(),
                              limits::kJournalRecordBytesMax);
  }
  const std::lock_guard lock(mutex_);
  if (broken_ || file_ < 0)
    return data_loss("{}: an earlier write failed; restart to repair", path_.string());
  if (size_ > kMagic.size() && size_ + bytes.size() > bytes_max_) {
    const Result<void> rotated = rotate();
    if (!rotated) {
      broken_ = true;
      return rotated;
    }
  }
  if (!write_all(file_, bytes) || ::fdatasync(file_) != 0) {
    const int problem = errno;
    // Take back a half-written record; where even that fails, nothing may follow it.
    broken_ = ::ftruncate(file_, static_cast<off_t>(size_)) != 0;
    return system_error(path_, "writing", problem);
  }
  size_ += bytes.size();
  return {};
}

}  // namespace adit::miner
