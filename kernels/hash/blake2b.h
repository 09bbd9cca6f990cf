// SPDX-License-Identifier: MIT
// kernels/hash/blake2b.h
//
// What the lane widths of hash_rows share: BLAKE2b's constants and its compression over a vector
// type.
//
// In       V: a lane type with N lanes of 64 bits (Reg, set, add, xor_, rot<r>, load_block).
// Shapes   row[N]: pointers to row_bytes bytes; out[N]: 32 bytes each.
// Threads  pure. Internal linkage: each including file is compiled for its own instruction set.
// Source   RFC 7693, sections 2.6, 2.7, 3.1, 3.2
// Tests    tests/unit/kernels/hash/hash_rows_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace adit::kernels::blake2b {

constexpr std::size_t kBlockBytes = 128;
constexpr std::size_t kPersonalBytes = 16;

struct Personal {
  std::uint64_t words[2];
};

// One call hashes as many rows as the file's vector has lanes.
using HashLanes = void (*)(const Personal& personal, const std::uint8_t* const* row,
                           std::size_t row_bytes, std::uint8_t* const* out);
void hash_lanes_1(const Personal&, const std::uint8_t* const*, std::size_t, std::uint8_t* const*);
void hash_lanes_4_avx2(const Personal&, const std::uint8_t* const*, std::size_t,
                       std::uint8_t* const*);
void hash_lanes_8_avx512(const Personal&, const std::uint8_t* const*, std::size_t,
                         std::uint8_t* const*);
void hash_lanes_16_avx512(const Personal&, const std::uint8_t* const*, std::size_t,
                          std::uint8_t* const*);

namespace {

constexpr std::uint64_t kIv[8] = {0x6a09e667f3bcc908U, 0xbb67ae8584caa73bU, 0x3c6ef372fe94f82bU,
                                  0xa54ff53a5f1d36f1U, 0x510e527fade682d1U, 0x9b05688c2b3e6c1fU,
                                  0x1f83d9abfb41bd6bU, 0x5be0cd19137e2179U};

constexpr std::uint8_t kSigma[10][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                         {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
                                         {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
                                         {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
                                         {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
                                         {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
                                         {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
                                         {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
                                         {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
                                         {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

template <class V>
inline void mix(typename V::Reg& a, typename V::Reg& b, typename V::Reg& c, typename V::Reg& d,
                typename V::Reg x, typename V::Reg y) {
  a = V::add(V::add(a, b), x);
  d = V::template rot<32>(V::xor_(d, a));
  c = V::add(c, d);
  b = V::template rot<24>(V::xor_(b, c));
  a = V::add(V::add(a, b), y);
  d = V::template rot<16>(V::xor_(d, a));
  c = V::add(c, d);
  b = V::template rot<63>(V::xor_(b, c));
}

// One block of every lane. bytes_so_far counts this block; the padding of a last block does not
// count.
template <class V>
inline void compress(typename V::Reg (&h)[8], const typename V::Reg (&m)[16],
                     std::uint64_t bytes_so_far, bool last) {
  typename V::Reg v[16];
  for (int i = 0; i < 8; ++i) {
    v[i] = h[i];
    v[i + 8] = V::set(kIv[i]);
  }
  v[12] = V::xor_(v[12], V::set(bytes_so_far));
  if (last) v[14] = V::xor_(v[14], V::set(~std::uint64_t{0}));
#pragma GCC unroll 12
  for (int round = 0; round < 12; ++round) {
    const std::uint8_t* s = kSigma[round % 10];
    mix<V>(v[0], v[4], v[8], v[12], m[s[0]], m[s[1]]);
    mix<V>(v[1], v[5], v[9], v[13], m[s[2]], m[s[3]]);
    mix<V>(v[2], v[6], v[10], v[14], m[s[4]], m[s[5]]);
    mix<V>(v[3], v[7], v[11], v[15], m[s[6]], m[s[7]]);
    mix<V>(v[0], v[5], v[10], v[15], m[s[8]], m[s[9]]);
    mix<V>(v[1], v[6], v[11], v[12], m[s[10]], m[s[11]]);
    mix<V>(v[2], v[7], v[8], v[13], m[s[12]], m[s[13]]);
    mix<V>(v[3], v[4], v[9], v[14], m[s[14]], m[s[15]]);
  }
  for (int i = 0; i < 8; ++i) h[i] = V::xor_(h[i], V::xor_(v[i], v[i + 8]));
}

template <class V>
inline void hash_lanes(const Personal& personal, const std::uint8_t* const* row,
                       std::size_t row_bytes, std::uint8_t* const* out) {
  typename V::Reg h[8];
  for (int i = 0; i < 8; ++i) h[i] = V::set(kIv[i]);
  h[0] = V::xor_(h[0], V::set(0x01010000U ^ 32U));
  h[6] = V::xor_(h[6], V::set(personal.words[0]));
  h[7] = V::xor_(h[7], V::set(personal.words[1]));

  typename V::Reg m[16];
  std::size_t done = 0;
  for (; row_bytes - done > kBlockBytes; done += kBlockBytes) {
    V::load_block(m, row, done);
    compress<V>(h, m, done + kBlockBytes, false);
  }
  if (row_bytes - done == kBlockBytes) {
    V::load_block(m, row, done);
  } else {
    alignas(64) std::uint8_t padded[V::kLanes][kBlockBytes] = {};
    const std::uint8_t* last[V::kLanes];
    for (int lane = 0; lane < V::kLanes; ++lane) {
      if (row_bytes > done) std::memcpy(padded[lane], row[lane] + done, row_bytes - done);
      last[lane] = padded[lane];
    }
    V::load_block(m, last, 0);
  }
  compress<V>(h, m, row_bytes, true);

  for (int i = 0; i < 4; ++i) {
    alignas(64) std::uint64_t words[V::kLanes];
    std::memcpy(words, &h[i], sizeof words);
    for (int lane = 0; lane < V::kLanes; ++lane) std::memcpy(out[lane] + 8 * i, &words[lane], 8);
  }
}

}  // namespace
}  // namespace adit::kernels::blake2b
