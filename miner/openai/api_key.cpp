// SPDX-License-Identifier: MIT
#include "miner/openai/api_key.hpp"

#include "common/base/files.hpp"

namespace adit::miner::openai {
namespace {

constexpr std::uint64_t kKeyBytesMax = 4096;

}  // namespace

Result<std::string> read_api_key(const std::filesystem::path& file) {
  if (file.empty()) return std::string();
  ADIT_TRY(const Bytes content, read_file(file, kKeyBytesMax));
  const std::string_view text = as_text(content);
  std::string key(text.substr(0, text.find_first_of("\r\n")));
  if (key.empty()) return invalid_argument("{}: the first line is empty, expected an API key", file.string());
  return key;
}

}  // namespace adit::miner::openai
