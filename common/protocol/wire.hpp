// SPDX-License-Identifier: MIT
// common/protocol/wire.hpp
//
// Protobuf bytes of adit.v1 <-> domain values; protobuf types stay behind this border.
//
// In       bytes of one message, at most limits::kRequestBytesMax.
// Errors   kInvalidArgument: not the message, a field of a wrong size or out of its bounds, or an
//          unknown field (it would be signed but not understood); the message names the field and
//          what was expected.
// Threads  pure; any thread.
// Tests    tests/unit/common/protocol/wire_test.cpp, tests/fuzz/wire_fuzz.cpp
#pragma once

#include <variant>
#include <vector>

#include "common/protocol/messages.hpp"

namespace adit::protocol {

[[nodiscard]] Bytes encode_request(const GenerateRequest& request);
[[nodiscard]] Result<GenerateRequest> decode_request(ByteView bytes);

[[nodiscard]] Bytes encode_describe_request();
[[nodiscard]] Result<void> decode_describe_request(ByteView bytes);
[[nodiscard]] Bytes encode_description(const Description& description);
[[nodiscard]] Result<Description> decode_description(ByteView bytes);

// One message of the stream: tokens, or the receipt that ends it.
using Chunk = std::variant<std::vector<TokenId>, Receipt>;
[[nodiscard]] Bytes encode_chunk(const Chunk& chunk);
[[nodiscard]] Result<Chunk> decode_chunk(ByteView bytes);

}  // namespace adit::protocol
