// SPDX-License-Identifier: MIT
// miner/fetch/repository.hpp
//
// What a hub says a model repository holds, and which of it a miner needs.
//
// In       parse_listing: the JSON of /api/models/<repo>/revision/<rev>?blobs=true. `siblings[].rfilename` is
//          needed; size, blobId and lfs.sha256 are used where present; `sha` is the commit.
// Out      files in the listing's order. choose(): with include patterns, the files that match one; without, the
//          configuration, tokenizer and safetensors of the top folder, or its one GGUF model (all its parts).
// Errors   kInvalidArgument naming the key or the file: a name that leaves the folder, one that is there twice;
//          kNotFound from choose() when nothing matches, listing what there is.
// Units    bytes.
// Threads  any.
// Source   Hugging Face Hub API (ModelInfo); patterns as fnmatch, where * matches / too
// Tests    tests/unit/miner/fetch/files_test.cpp, tests/fuzz/hub_listing_fuzz.cpp
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "miner/fetch/digest.hpp"

namespace adit::miner {

inline constexpr std::uint64_t kListingBytesMax = 32u << 20;
inline constexpr std::size_t kListingFilesMax = 65536;
inline constexpr std::size_t kFilePathBytesMax = 1024;
inline constexpr std::size_t kFileNameBytesMax = 240;  // room for ".part.json" in a name of 255

struct RepositoryFile {
  std::string path;  // relative, with '/', inside the folder
  std::optional<std::uint64_t> size;
  std::optional<Digest> digest;
};

struct Listing {
  std::string commit;  // empty if the endpoint does not say
  std::vector<RepositoryFile> files;
};

struct Patterns {
  std::vector<std::string> include;
  std::vector<std::string> exclude;
};

// "owner/name" or "name": letters, digits, '.', '_', '-'.
[[nodiscard]] Result<void> check_repository_name(std::string_view repo);
[[nodiscard]] Result<void> check_file_path(std::string_view path);
[[nodiscard]] Result<Listing> parse_listing(ByteView json);
[[nodiscard]] Result<std::vector<RepositoryFile>> choose(const Listing& listing, const Patterns& patterns);

}  // namespace adit::miner
