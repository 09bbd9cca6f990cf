// SPDX-License-Identifier: MIT
// miner/openai/api_key.hpp
//
// The key that clients send as `Authorization: Bearer KEY`.
//
// In       a file of at most 4 KiB; its first line is the key. No file (an empty path): an empty key, none is
//          asked for.
// Errors   those of read_file; kInvalidArgument when the first line is empty.
// Threads  any.
// Tests    tests/unit/miner/openai/api_key_test.cpp
#pragma once

#include <filesystem>
#include <string>

#include "common/base/result.hpp"

namespace adit::miner::openai {

[[nodiscard]] Result<std::string> read_api_key(const std::filesystem::path& file);

}  // namespace adit::miner::openai
