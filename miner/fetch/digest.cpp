// SPDX-License-Identifier: MIT
#include "miner/fetch/digest.hpp"

#include <cctype>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <vector>

#include <openssl/evp.h>

#include "common/base/bytes.hpp"
#include "common/base/check.hpp"
#include "common/base/files.hpp"

namespace adit::miner {
namespace {

constexpr std::size_t kChunkBytes = 1u << 20;

struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

std::string_view name(DigestKind kind) {
  return kind == DigestKind::kSha256 ? "sha256" : "git_sha1";
}

std::optional<Digest> digest_from_hex(std::string_view hex) {
  if (hex.size() != 64 && hex.size() != 40) return std::nullopt;
  Digest digest{hex.size() == 64 ? DigestKind::kSha256 : DigestKind::kGitBlobSha1, std::string(hex)};
  for (char& c : digest.hex) {
    if (std::isxdigit(static_cast<unsigned char>(c)) == 0) return std::nullopt;
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return digest;
}

std::string_view bare_etag(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  return etag;
}

std::optional<Digest> digest_from_etag(std::string_view etag) {
  return digest_from_hex(bare_etag(etag));
}

Result<Digest> digest_of_file(const std::filesystem::path& path, DigestKind kind,
                              const HashProgress& progress) {
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(path, error);
  if (error) return system_error(path, "reading", error.value());
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
  if (!file) return system_error(path, "opening", errno);
  const std::unique_ptr<EVP_MD_CTX, FreeDigest> context(EVP_MD_CTX_new());
  const EVP_MD* method = kind == DigestKind::kSha256 ? EVP_sha256() : EVP_sha1();
  ADIT_CHECK(context != nullptr && EVP_DigestInit_ex(context.get(), method, nullptr) == 1);
  if (kind == DigestKind::kGitBlobSha1) {
    const std::string head = fmt::format("blob {}", size);
    EVP_DigestUpdate(context.get(), head.c_str(), head.size() + 1);  // with its final zero
  }
  std::vector<std::uint8_t> chunk(kChunkBytes);
  std::uint64_t done = 0;
  while (const std::size_t got = std::fread(chunk.data(), 1, chunk.size(), file.get())) {
    EVP_DigestUpdate(context.get(), chunk.data(), got);
    done += got;
    if (progress) progress(done);
  }
  if (std::ferror(file.get()) != 0) return system_error(path, "reading", errno);
  Bytes out(EVP_MAX_MD_SIZE);
  unsigned length = 0;
  EVP_DigestFinal_ex(context.get(), out.data(), &length);
  out.resize(length);
  return Digest{kind, to_hex(out)};
}

}  // namespace adit::miner
