// SPDX-License-Identifier: MIT
// Digests, listings, choices and manifests: what fetch knows without the network.
#include <fstream>

#include <gtest/gtest.h>

#include "miner/fetch/digest.hpp"
#include "miner/fetch/manifest.hpp"
#include "miner/fetch/repository.hpp"
#include "tests/support/temp_dir.hpp"

namespace adit::miner {
namespace {

std::vector<std::string> chosen(const std::vector<std::string>& paths, const Patterns& patterns = {}) {
  Listing listing;
  for (const std::string& path : paths) listing.files.push_back({path, {}, {}});
  const auto files = choose(listing, patterns);
  if (!files) return {"error: " + files.error().message};
  std::vector<std::string> names;
  for (const RepositoryFile& file : *files) names.push_back(file.path);
  return names;
}

using Names = std::vector<std::string>;

TEST(Digest, equals_what_sha256sum_and_git_hash_object_print) {
  const test::TempDir folder;
  std::ofstream(folder.path() / "f") << "hello\n";
  // printf 'hello\n' | sha256sum; printf 'hello\n' | git hash-object --stdin
  EXPECT_EQ("5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
            digest_of_file(folder.path() / "f", DigestKind::kSha256)->hex);
  EXPECT_EQ("ce013625030ba8dba906f756967f9e9ca394464a",
            digest_of_file(folder.path() / "f", DigestKind::kGitBlobSha1)->hex);
  EXPECT_EQ(ErrorCode::kNotFound, digest_of_file(folder.path() / "g", DigestKind::kSha256).error().code);
}

TEST(Digest, is_read_from_tags_that_are_digests_only) {
  const std::string sha(64, 'A');
  EXPECT_EQ(std::string(64, 'a'), digest_from_etag('"' + sha + '"')->hex);
  EXPECT_EQ(DigestKind::kGitBlobSha1, digest_from_etag("W/\"" + std::string(40, '0') + '"')->kind);
  EXPECT_FALSE(digest_from_etag("\"d41d8cd98f00b204e9800998ecf8427e\""));
  EXPECT_FALSE(digest_from_etag('"' + std::string(63, 'a') + "g\""));
  EXPECT_FALSE(digest_from_etag(""));
}

TEST(Listing, a_large_file_has_the_digest_of_its_bytes) {
  const std::string sha(64, 'a');
  const std::string blob(40, 'b');
  const auto listing = parse_listing(as_bytes(R"({"sha": ")" + std::string(40, 'C') + R"(", "siblings": [
      {"rfilename": "config.json", "size": 5, "blobId": ")" +
                                              blob + R"("},
      {"rfilename": "m.gguf", "size": 9, "blobId": ")" +
                                              blob + R"(", "lfs": {"sha256": ")" + sha +
                                              R"(", "size": 9, "pointerSize": 130}},
      {"rfilename": "bare"}]})"));
  ASSERT_TRUE(listing) << listing.error().message;
  EXPECT_EQ(std::string(40, 'c'), listing->commit);
  EXPECT_EQ((Digest{DigestKind::kGitBlobSha1, blob}), listing->files[0].digest);
  EXPECT_EQ(5U, listing->files[0].size);
  EXPECT_EQ((Digest{DigestKind::kSha256, sha}), listing->files[1].digest);
  EXPECT_FALSE(listing->files[2].digest);
  EXPECT_FALSE(listing->files[2].size);
}

TEST(Listing, errors_name_the_key) {
  const auto message = [](const char* text) { return parse_listing(as_bytes(text)).error().message; };
  EXPECT_EQ("the listing is not a JSON object", message("[]"));
  EXPECT_EQ("siblings: expected an array", message("{}"));
  EXPECT_EQ("siblings[1].rfilename: expected a string", message(R"({"siblings": [{"rfilename": "a"}, 7]})"));
  EXPECT_EQ("siblings[1].rfilename: 'a' is there twice",
            message(R"({"siblings": [{"rfilename": "a"}, {"rfilename": "a"}]})"));
  EXPECT_EQ("sha: expected 40 or 64 hex digits", message(R"({"sha": "main", "siblings": []})"));
}

TEST(Choice, takes_config_tokenizer_and_safetensors_of_the_top) {
  EXPECT_EQ(
      (Names{"config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
             "model.safetensors.index.json", "tokenizer.json"}),
      chosen({"README.md", "config.json", "model-00001-of-00002.safetensors",
              "model-00002-of-00002.safetensors", "model.safetensors.index.json", "consolidated.safetensors",
              "original/model.safetensors", "pytorch_model.bin", "tokenizer.json"}));
  EXPECT_EQ((Names{"adapter_config.json", "adapter_model.safetensors"}),
            chosen({"adapter_config.json", "adapter_model.safetensors", "training_args.bin"}));
}

TEST(Choice, takes_the_only_gguf_with_all_its_parts) {
  EXPECT_EQ((Names{"m-00001-of-00002.gguf", "m-00002-of-00002.gguf"}),
            chosen({"README.md", "m-00001-of-00002.gguf", "m-00002-of-00002.gguf"}));
  EXPECT_EQ((Names{"error: there are 2 GGUF models, choose one with --include: m-Q4_0.gguf, m-Q8_0.gguf"}),
            chosen({"m-Q4_0.gguf", "m-Q8_0.gguf"}));
  EXPECT_EQ((Names{"m-Q8_0.gguf"}), chosen({"m-Q4_0.gguf", "m-Q8_0.gguf"}, {{"*Q8_0*"}, {}}));
  EXPECT_EQ((Names{"m-Q8_0.gguf"}), chosen({"m-Q4_0.gguf", "m-Q8_0.gguf"}, {{}, {"*Q4_0.gguf"}}));
}

TEST(Choice, says_what_there_is_when_nothing_matches) {
  EXPECT_EQ((Names{"error: no file to fetch (nothing matches --include): the repository holds a, b/c"}),
            chosen({"a", "b/c"}, {{"*.gguf"}, {}}));
  EXPECT_EQ((Names{"b/c"}), chosen({"a", "b/c"}, {{"b*"}, {}}));
}

TEST(RepositoryName, is_owner_and_name) {
  EXPECT_TRUE(check_repository_name("HuggingFaceTB/SmolLM2-135M_x.y"));
  for (const char* name : {"", "/", "a/", "/a", "a/b/c", "a b", "a/..", "a?b", "a#b", "a%2Fb"}) {
    EXPECT_FALSE(check_repository_name(name)) << name;
  }
}

TEST(ManifestFormat, comes_back_as_it_was) {
  Manifest manifest{"https://hub.test", "a/b", "main", std::string(40, 'c'), {}};
  manifest.put({"config.json", 5, Digest{DigestKind::kGitBlobSha1, std::string(40, '1')}, -3});
  manifest.put(
      {"m.gguf", 1ULL << 40, Digest{DigestKind::kSha256, std::string(64, '2')}, 1'700'000'000'123'456'789});
  manifest.put({"x", 0, std::nullopt, 0});
  manifest.put({"x", 1, std::nullopt, 0});
  const auto back = parse_manifest(as_bytes(manifest_text(manifest)));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(manifest_text(manifest), manifest_text(*back));
  ASSERT_EQ(3U, back->files.size());
  EXPECT_EQ(1U, back->find("x")->size);
  EXPECT_EQ(manifest.files[1].digest, back->files[1].digest);
}

TEST(ManifestFormat, errors_name_the_key) {
  const test::TempDir folder;
  EXPECT_TRUE(read_manifest(folder.path())->repo.empty());
  std::ofstream(folder.path() / ".adit-fetch.json")
      << R"({"format": 1, "endpoint": "", "repo": "", "revision": "", "commit": "",
             "files": [{"path": "../x", "size": 1, "mtime_ns": 1}]})";
  const auto manifest = read_manifest(folder.path());
  ASSERT_FALSE(manifest);
  EXPECT_NE(std::string::npos, manifest.error().message.find(".adit-fetch.json: files[0]: '../x'"))
      << manifest.error().message;
}

TEST(PartStateFormat, comes_back_as_it_was_and_takes_no_header_lines) {
  const PartState state{"\"tag\"", 7, Digest{DigestKind::kSha256, std::string(64, '2')}};
  const auto back = parse_part_state(as_bytes(part_state_text(state)));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(state.etag, back->etag);
  EXPECT_EQ(state.size, back->size);
  EXPECT_EQ(state.digest, back->digest);
  EXPECT_FALSE(parse_part_state(as_bytes("{\"format\": 1, \"etag\": \"a\\r\\nX: y\"}")));
}

}  // namespace
}  // namespace adit::miner
