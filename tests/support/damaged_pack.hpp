// SPDX-License-Identifier: MIT
// tests/support/damaged_pack.hpp
//
// A pack's bytes, to be changed and then opened from aligned memory.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "common/base/bytes.hpp"
#include "common/model/pack.hpp"

namespace adit::test {

class DamagedPack {
 public:
  explicit DamagedPack(Bytes bytes) : bytes_(std::move(bytes)) {}
  Bytes& bytes() { return bytes_; }
  // The first place where `from` stands.
  void replace(const std::string& from, const std::string& to) {
    ASSERT_EQ(from.size(), to.size());
    const std::size_t at = as_text(bytes_).find(from);
    ASSERT_NE(at, std::string_view::npos) << from;
    std::copy(to.begin(), to.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(at));
  }
  Result<model::Pack> parse() {
    storage_.assign(bytes_.size() + 64, 0);
    void* at = storage_.data();
    std::size_t space = storage_.size();
    std::align(64, bytes_.size(), at, space);
    std::memcpy(at, bytes_.data(), bytes_.size());
    return model::Pack::parse({static_cast<const std::uint8_t*>(at), bytes_.size()}, "p.adit");
  }
  void expect_refused(const std::string& part) {
    const auto pack = parse();
    ASSERT_FALSE(pack) << part;
    EXPECT_EQ(pack.error().message.find("p.adit: offset "), 0u) << pack.error().message;
    EXPECT_NE(pack.error().message.find(part), std::string::npos) << pack.error().message;
  }

 private:
  Bytes bytes_;
  Bytes storage_;
};

}  // namespace adit::test
