// SPDX-License-Identifier: MIT
// common/net/grpc_bytes.hpp
//
// Message bytes as gRPC carries them <-> our bytes: calls are signed and checked over exactly
// these.
//
// Errors   from_buffer: kInternal when gRPC cannot give the bytes.
// Threads  pure.
// Tests    tests/unit/common/net/miner_server_test.cpp
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <vector>

#include "common/base/bytes.hpp"

namespace adit::net {

inline constexpr const char* kDescribeMethod = "/adit.v1.Miner/Describe";
inline constexpr const char* kGenerateMethod = "/adit.v1.Miner/Generate";
inline constexpr const char* kRetryAfterKey = "adit-retry-after-ms";

[[nodiscard]] inline grpc::ByteBuffer to_buffer(ByteView bytes) {
  const grpc::Slice slice(bytes.data(), bytes.size());
  return {&slice, 1};
}

[[nodiscard]] inline Result<Bytes> from_buffer(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return internal_error("gRPC gave no bytes");
  Bytes out;
  out.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) append(out, {slice.begin(), slice.size()});
  return out;
}

}  // namespace adit::net
