// SPDX-License-Identifier: MIT
// Digests that Python's hashlib made: for builds without libsodium (other processors).
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/hash/hash_rows.h"

namespace adit::kernels {
namespace {

constexpr std::size_t kRows = 9;

struct Known {
  const char* personal;
  std::size_t bytes;
  // Of rows 0 and 8: hashlib.blake2b(row, digest_size=32, person=personal).hexdigest().
  const char* first;
  const char* last;
};

const Known kKnown[] = {
    {"", 0, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8",
     "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"},
    {"adit1.res", 1, "36d4afeb2b1c6be4ca9ef1f79030c650c4812fac439a9bc8e23f2202278153e8",
     "c1cd108e5ff78cc6d30e3661339755be9b1a641a5529491766793aa4336e2a32"},
    {"adit1.kv", 128, "008a22cecb51f0db7896fbd1bc9d36235875945f88a2a742df12fd5f4b3250d9",
     "156537a395725c69fb7d12637cdfc0e5ad78e44efc24399d50f572995dc75fc1"},
    {"adit1.node", 129, "2e78883670752e5623d04b107e043bebe32444f7995426370b4c8161fdbf6853",
     "7b81432a08509d48401682253834a60c709146c5383408b26e16370a37bba43e"},
    {"0123456789abcdef", 2304, "6304a53ea8549f42d9b90059f71a168feb6bdbfdb74dc0829f16e530cad03846",
     "3528c8632e0a60f38453e3291ba6730ac4dd28863f1f16eef2b85ca4d0ac923b"},
};

// Byte j of row i is 7 j + 31 i + bytes.
std::vector<std::uint8_t> rows_of(std::size_t bytes) {
  std::vector<std::uint8_t> rows(kRows * bytes + 1);
  for (std::size_t i = 0; i < kRows; ++i) {
    for (std::size_t j = 0; j < bytes; ++j)
      rows[i * bytes + j] = static_cast<std::uint8_t>(7 * j + 31 * i + bytes);
  }
  return rows;
}

std::string hex(const std::uint8_t* digest) {
  std::string text;
  for (std::size_t i = 0; i < kDigestBytes; ++i) {
    text += "0123456789abcdef"[digest[i] >> 4];
    text += "0123456789abcdef"[digest[i] & 15];
  }
  return text;
}

TEST(HashKnown, every_isa_gives_the_digests_of_hashlib) {
  for (const Isa isa : kIsas) {
    if (!isa_supported(isa)) continue;
    for (const Known& known : kKnown) {
      const std::vector<std::uint8_t> rows = rows_of(known.bytes);
      std::vector<std::uint8_t> out(kRows * kDigestBytes);
      hash_rows(isa, known.personal, rows.data(), known.bytes, known.bytes, kRows, out.data());
      EXPECT_EQ(hex(out.data()), known.first) << isa_name(isa) << ", " << known.bytes << " bytes";
      EXPECT_EQ(hex(out.data() + (kRows - 1) * kDigestBytes), known.last) << isa_name(isa);
    }
  }
}

}  // namespace
}  // namespace adit::kernels
