// SPDX-License-Identifier: MIT
// tests/unit/common/chain/vectors.hpp
//
// The files of tests/vectors/chain, read once.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/files.hpp"
#include "common/base/limits.hpp"
#include "common/base/strong.hpp"
#include "common/chain/metadata.hpp"

namespace adit::chain {

inline Bytes vector_bytes(const std::string& name) {
  auto bytes = read_file(std::string(ADIT_TEST_VECTORS) + "/chain/" + name, limits::kMetadataBytesMax);
  EXPECT_TRUE(bytes.has_value()) << (bytes ? "" : bytes.error().message);
  return bytes ? *bytes : Bytes{};
}

inline std::vector<std::string> vector_lines(const std::string& name) {
  const Bytes bytes = vector_bytes(name);
  std::istringstream in{std::string(as_text(bytes))};
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  EXPECT_FALSE(lines.empty()) << name;
  return lines;
}

inline Metadata decoded(ByteView blob) {
  auto metadata = Metadata::decode(blob);
  EXPECT_TRUE(metadata.has_value()) << (metadata ? "" : metadata.error().message);
  return metadata ? *std::move(metadata) : Metadata{};
}

// Spec 461, V15, decoded once.
inline const Metadata& spec461() {
  static const Metadata metadata = decoded(vector_bytes("spec461-v15.scale"));
  return metadata;
}

inline Bytes hex(std::string_view text) {
  auto bytes = from_hex(text);
  EXPECT_TRUE(bytes.has_value()) << text;
  return bytes ? *bytes : Bytes{};
}

// The lines of spec461-bytes.txt that begin with `kind`, split at blanks.
inline std::vector<std::vector<std::string>> byte_lines(const std::string& kind) {
  std::vector<std::vector<std::string>> out;
  for (const std::string& line : vector_lines("spec461-bytes.txt")) {
    std::istringstream in(line);
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    if (!words.empty() && words[0] == kind) out.push_back(std::move(words));
  }
  EXPECT_FALSE(out.empty()) << kind;
  return out;
}
// The last column of the line `kind label …`.
inline Bytes byte_vector(const std::string& kind, const std::string& label) {
  for (const auto& words : byte_lines(kind)) {
    if (words[1] == label) return hex(words.back());
  }
  ADD_FAILURE() << "no vector " << kind << " " << label;
  return {};
}

inline AccountId account(std::string_view hex_text) {
  auto id = fixed_from_hex<32>(hex_text);
  EXPECT_TRUE(id.has_value());
  return id ? *id : AccountId{};
}
inline AccountId alice() {
  return account("d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d");
}
inline AccountId bob() {
  return account("8eaf04151687736326c9fea17e25fc5287613693c912909cb226aa4794f26a48");
}

// What a Result holds, or a test failure.
template <class T>
T ok(Result<T> result) {
  EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().message);
  return result ? *std::move(result) : T{};
}

}  // namespace adit::chain
