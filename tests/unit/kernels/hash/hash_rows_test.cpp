// SPDX-License-Identifier: MIT
#include "kernels/hash/hash_rows.h"

#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sodium.h>

#include "common/base/rng.hpp"

namespace adit::kernels {
namespace {

std::vector<std::uint8_t> sodium_digest(const std::string& personal, const std::uint8_t* row,
                                        std::size_t bytes) {
  std::uint8_t person[crypto_generichash_blake2b_PERSONALBYTES] = {};
  const std::uint8_t salt[crypto_generichash_blake2b_SALTBYTES] = {};
  std::memcpy(person, personal.data(), std::min(personal.size(), sizeof person));
  std::vector<std::uint8_t> out(kDigestBytes);
  EXPECT_EQ(0, crypto_generichash_blake2b_salt_personal(out.data(), out.size(), row, bytes, nullptr,
                                                        0, salt, person));
  return out;
}

class HashRows : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override { ASSERT_GE(sodium_init(), 0); }
};

std::vector<Isa> isas_here() {
  std::vector<Isa> isas;
  for (const Isa isa : kIsas) {
    if (isa_supported(isa)) isas.push_back(isa);
  }
  return isas;
}

TEST_P(HashRows, equal_libsodium_for_every_length_and_count) {
  SeededRng rng(20);
  std::vector<std::uint8_t> rows(23 * 2700);
  rng.fill(rows);
  for (const std::size_t bytes :
       {0, 1, 7, 63, 64, 127, 128, 129, 255, 256, 257, 300, 1152, 2304, 2560}) {
    for (const std::size_t count : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 23}) {
      // Odd strides: rows need no alignment.
      const std::size_t stride = bytes + 13;
      std::vector<std::uint8_t> out((count + 1) * kDigestBytes, 0xee);
      hash_rows(GetParam(), "adit1.res", rows.data(), bytes, stride, count, out.data());
      for (std::size_t i = 0; i < count; ++i) {
        const std::vector<std::uint8_t> want =
            sodium_digest("adit1.res", rows.data() + i * stride, bytes);
        ASSERT_EQ(0, std::memcmp(want.data(), out.data() + i * kDigestBytes, kDigestBytes))
            << bytes << " bytes, row " << i << " of " << count;
      }
      // Nothing behind the last digest is written.
      for (std::size_t i = 0; i < kDigestBytes; ++i) ASSERT_EQ(0xee, out[count * kDigestBytes + i]);
    }
  }
}

TEST_P(HashRows, take_every_personalisation) {
  SeededRng rng(21);
  std::vector<std::uint8_t> rows(9 * 200);
  rng.fill(rows);
  for (const std::string personal : {"", "a", "adit1.kv", "adit1.node", "0123456789abcdef"}) {
    std::vector<std::uint8_t> out(9 * kDigestBytes);
    hash_rows(GetParam(), personal.c_str(), rows.data(), 200, 200, 9, out.data());
    for (std::size_t i = 0; i < 9; ++i) {
      const std::vector<std::uint8_t> want = sodium_digest(personal, rows.data() + i * 200, 200);
      ASSERT_EQ(0, std::memcmp(want.data(), out.data() + i * kDigestBytes, kDigestBytes))
          << personal;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, HashRows, testing::ValuesIn(isas_here()),
                         [](const auto& isa) { return std::string(isa_name(isa.param)); });

}  // namespace
}  // namespace adit::kernels
