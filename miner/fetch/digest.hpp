// SPDX-License-Identifier: MIT
// miner/fetch/digest.hpp
//
// The two digests by which a hub names a file: SHA-256 of its bytes (large files), and git's blob SHA-1,
// SHA-1("blob <length>\0" ‖ bytes), of the small ones.
//
// In       from_etag: an ETag or X-Linked-Etag as sent (quotes, W/); 64 or 40 hex digits, anything else is no digest.
// Errors   digest_of_file: those of reading it.
// Threads  any.
// Source   FIPS 180-4; git's object format (gitformat-pack)
// Tests    tests/unit/miner/fetch/files_test.cpp
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace adit::miner {

enum class DigestKind : std::uint8_t { kSha256, kGitBlobSha1 };

struct Digest {
  DigestKind kind = DigestKind::kSha256;
  std::string hex;  // lower case
  bool operator==(const Digest&) const = default;
};

// "sha256" and "git_sha1".
[[nodiscard]] std::string_view name(DigestKind kind);
[[nodiscard]] std::optional<Digest> digest_from_hex(std::string_view hex);
// The tag without W/ and quotes.
[[nodiscard]] std::string_view bare_etag(std::string_view etag);
[[nodiscard]] std::optional<Digest> digest_from_etag(std::string_view etag);

// done: bytes read so far.
using HashProgress = std::function<void(std::uint64_t done)>;
[[nodiscard]] Result<Digest> digest_of_file(const std::filesystem::path& path, DigestKind kind,
                                            const HashProgress& progress = {});

}  // namespace adit::miner
