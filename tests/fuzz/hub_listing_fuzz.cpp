// SPDX-License-Identifier: MIT
// Any bytes as a hub's listing: an error, or files that stay inside their folder and a choice among them.
#include <cstdlib>
#include <filesystem>

#include "miner/fetch/repository.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto listing = adit::miner::parse_listing({data, size});
  if (!listing) {
    if (listing.error().message.empty()) std::abort();
    return 0;
  }
  for (const auto& file : listing->files) {
    const std::filesystem::path path(file.path);
    if (path.is_absolute() || path.lexically_normal() != path || *path.begin() == "..") std::abort();
  }
  const auto chosen = adit::miner::choose(*listing, {{}, {"*.bin"}});
  if (chosen && (chosen->empty() || chosen->size() > listing->files.size())) std::abort();
  return 0;
}
