// SPDX-License-Identifier: MIT
// common/crypto/merlin.hpp
//
// A Merlin transcript: what a proof is about goes in under labels, challenges come out.
//
// In       labels and messages in the order of the protocol; messages are shorter than 4 GiB.
// Out      challenge() fills `out` with bytes that depend on all that went in before; it moves the
//          transcript. witness() fills `out` from the transcript, secret bytes and fresh randomness and
//          does not move it.
// Errors   none.
// Threads  one thread per transcript; a copy is an independent fork. The state is wiped at the end.
// Source   merlin.cool (Merlin v1.0), strobe.sourceforge.io (STROBEv1.0.2, Strobe-128/1600)
// Tests    tests/unit/common/crypto/merlin_test.cpp (Merlin's published test vector)
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "common/base/bytes.hpp"
#include "common/base/rng.hpp"

namespace adit::crypto {

// The part of STROBE-128 that Merlin uses.
class Strobe {
 public:
  explicit Strobe(std::string_view protocol);
  Strobe(const Strobe&) = default;
  Strobe& operator=(const Strobe&) = default;
  ~Strobe();

  // `more` continues the operation begun just before with the same kind.
  void meta_ad(ByteView data, bool more);
  void ad(ByteView data, bool more);
  void key(ByteView data, bool more);
  void prf(std::span<std::uint8_t> out, bool more);

 private:
  void begin(std::uint8_t flags, bool more);
  void absorb(ByteView data);
  void permute();
  [[nodiscard]] std::uint8_t get(std::size_t at) const;
  void put(std::size_t at, std::uint8_t value);

  std::array<std::uint64_t, 25> lanes_{};
  std::uint8_t position_ = 0;
  std::uint8_t begin_ = 0;
  std::uint8_t flags_ = 0;
};

class Transcript {
 public:
  explicit Transcript(std::string_view label);
  void append(std::string_view label, ByteView message);
  void challenge(std::string_view label, std::span<std::uint8_t> out);
  void witness(std::string_view label, ByteView secret, ByteView random, std::span<std::uint8_t> out) const;

 private:
  Strobe strobe_;
};

}  // namespace adit::crypto
