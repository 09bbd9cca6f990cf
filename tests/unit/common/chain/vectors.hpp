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

}  // namespace adit::chain
