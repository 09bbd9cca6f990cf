// SPDX-License-Identifier: MIT
#include "common/crypto/merlin.hpp"

#include <sodium.h>

#include "common/base/check.hpp"
#include "common/crypto/keccak.hpp"

namespace adit::crypto {
namespace {

// Bytes of the state that data may touch: 1600/8 - 2*128/8 - 2.
constexpr std::uint8_t kRate = 166;

constexpr std::uint8_t kInbound = 1;
constexpr std::uint8_t kApplication = 2;
constexpr std::uint8_t kCipher = 4;
constexpr std::uint8_t kMeta = 16;

FixedBytes<4> length_of(std::size_t size) {
  ADIT_CHECK(size <= UINT32_MAX);
  FixedBytes<4> out;
  for (std::size_t i = 0; i < 4; ++i) out[i] = static_cast<std::uint8_t>(size >> (8 * i));
  return out;
}

}  // namespace

Strobe::Strobe(std::string_view protocol) {
  const FixedBytes<6> head = {1, kRate + 2, 1, 0, 1, 96};
  const std::string_view version = "STROBEv1.0.2";
  for (std::size_t i = 0; i < head.size(); ++i) put(i, head[i]);
  for (std::size_t i = 0; i < version.size(); ++i) {
    put(head.size() + i, static_cast<std::uint8_t>(version[i]));
  }
  keccak_f1600(lanes_);
  meta_ad(as_bytes(protocol), false);
}

Strobe::~Strobe() { sodium_memzero(lanes_.data(), sizeof(lanes_)); }

std::uint8_t Strobe::get(std::size_t at) const {
  return static_cast<std::uint8_t>(lanes_[at / 8] >> (8 * (at % 8)));
}

void Strobe::put(std::size_t at, std::uint8_t value) {
  const auto shift = 8 * (at % 8);
  lanes_[at / 8] = (lanes_[at / 8] & ~(std::uint64_t{0xff} << shift)) | std::uint64_t{value} << shift;
}

void Strobe::permute() {
  put(position_, get(position_) ^ begin_);
  put(position_ + 1u, get(position_ + 1u) ^ 0x04);
  put(kRate + 1u, get(kRate + 1u) ^ 0x80);
  keccak_f1600(lanes_);
  position_ = 0;
  begin_ = 0;
}

void Strobe::absorb(ByteView data) {
  for (const std::uint8_t byte : data) {
    put(position_, get(position_) ^ byte);
    if (++position_ == kRate) permute();
  }
}

void Strobe::begin(std::uint8_t flags, bool more) {
  if (more) {
    ADIT_CHECK(flags == flags_);
    return;
  }
  const FixedBytes<2> head = {begin_, flags};
  begin_ = static_cast<std::uint8_t>(position_ + 1);
  flags_ = flags;
  absorb(head);
  if ((flags & kCipher) != 0 && position_ != 0) permute();
}

void Strobe::meta_ad(ByteView data, bool more) {
  begin(kMeta | kApplication, more);
  absorb(data);
}

void Strobe::ad(ByteView data, bool more) {
  begin(kApplication, more);
  absorb(data);
}

void Strobe::key(ByteView data, bool more) {
  begin(kApplication | kCipher, more);
  for (const std::uint8_t byte : data) {
    put(position_, byte);
    if (++position_ == kRate) permute();
  }
}

void Strobe::prf(std::span<std::uint8_t> out, bool more) {
  begin(kInbound | kApplication | kCipher, more);
  for (std::uint8_t& byte : out) {
    byte = get(position_);
    put(position_, 0);
    if (++position_ == kRate) permute();
  }
}

Transcript::Transcript(std::string_view label) : strobe_("Merlin v1.0") {
  append("dom-sep", as_bytes(label));
}

void Transcript::append(std::string_view label, ByteView message) {
  strobe_.meta_ad(as_bytes(label), false);
  strobe_.meta_ad(length_of(message.size()), true);
  strobe_.ad(message, false);
}

void Transcript::challenge(std::string_view label, std::span<std::uint8_t> out) {
  strobe_.meta_ad(as_bytes(label), false);
  strobe_.meta_ad(length_of(out.size()), true);
  strobe_.prf(out, false);
}

void Transcript::witness(std::string_view label, ByteView secret, ByteView random,
                         std::span<std::uint8_t> out) const {
  Strobe fork = strobe_;
  fork.meta_ad(as_bytes(label), false);
  fork.meta_ad(length_of(secret.size()), true);
  fork.key(secret, false);
  fork.meta_ad(as_bytes("rng"), false);
  fork.key(random, false);
  fork.meta_ad(length_of(out.size()), false);
  fork.prf(out, false);
}

}  // namespace adit::crypto
