// SPDX-License-Identifier: MIT
#include "miner/fetch/repository.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <unordered_set>

#include <fmt/ranges.h>
#include <fnmatch.h>
#include <nlohmann/json.hpp>

#include "miner/fetch/manifest.hpp"

namespace adit::miner {
namespace {

using nlohmann::json;
constexpr std::size_t kNamesShown = 20;

bool is_top(std::string_view path) {
  return path.find('/') == std::string_view::npos;
}

// What a model folder is read from, besides its weights.
bool is_description(std::string_view path) {
  constexpr std::array kNames{"config.json",
                              "generation_config.json",
                              "tokenizer.json",
                              "tokenizer_config.json",
                              "special_tokens_map.json",
                              "added_tokens.json",
                              "vocab.json",
                              "merges.txt",
                              "chat_template.jinja",
                              "chat_template.json",
                              "adapter_config.json"};
  return std::find(kNames.begin(), kNames.end(), path) != kNames.end();
}

bool matches(const std::vector<std::string>& patterns, const std::string& path) {
  return std::any_of(patterns.begin(), patterns.end(), [&path](const std::string& pattern) {
    return fnmatch(pattern.c_str(), path.c_str(), 0) == 0;
  });
}

// "x-00001-of-00003.gguf" -> "x": the parts of one model have one stem.
std::string gguf_stem(std::string_view path) {
  std::string_view stem = path.substr(0, path.size() - std::string_view(".gguf").size());
  constexpr std::string_view kPart = "-00001-of-00001";
  if (stem.size() > kPart.size()) {
    const std::string_view tail = stem.substr(stem.size() - kPart.size());
    bool is_part = true;
    for (std::size_t i = 0; i < kPart.size(); ++i) {
      const bool is_digit = std::isdigit(static_cast<unsigned char>(tail[i])) != 0;
      const bool want_digit = std::isdigit(static_cast<unsigned char>(kPart[i])) != 0;
      is_part = is_part && (want_digit ? is_digit : tail[i] == kPart[i]);
    }
    if (is_part) stem.remove_suffix(kPart.size());
  }
  return std::string(stem);
}

std::string names_of(const std::vector<std::string>& names) {
  if (names.size() <= kNamesShown) return fmt::format("{}", fmt::join(names, ", "));
  const std::vector<std::string> first(names.begin(), names.begin() + kNamesShown);
  return fmt::format("{} and {} more", fmt::join(first, ", "), names.size() - kNamesShown);
}

Result<RepositoryFile> parse_file(const json& item, std::size_t index) {
  const auto name = item.is_object() ? item.find("rfilename") : item.end();
  if (!item.is_object() || name == item.end() || !name->is_string()) {
    return invalid_argument("siblings[{}].rfilename: expected a string", index);
  }
  RepositoryFile file;
  file.path = name->get<std::string>();
  if (const auto checked = check_file_path(file.path); !checked) {
    return tl::unexpected<Error>(checked.error().context(fmt::format("siblings[{}].rfilename", index)));
  }
  const auto take = [&file](const json& from, const char* size_key, const char* digest_key) {
    if (const auto size = from.find(size_key); size != from.end() && size->is_number_unsigned()) {
      file.size = size->get<std::uint64_t>();
    }
    if (const auto digest = from.find(digest_key); digest != from.end() && digest->is_string()) {
      if (auto parsed = digest_from_hex(digest->get_ref<const std::string&>())) file.digest = parsed;
    }
  };
  take(item, "size", "blobId");
  // Of a large file git holds a pointer only: its blobId is not that of the bytes.
  if (const auto lfs = item.find("lfs"); lfs != item.end() && lfs->is_object()) {
    file.digest.reset();
    take(*lfs, "size", "sha256");
  }
  return file;
}

Result<std::vector<RepositoryFile>> choose_gguf(const Listing& listing, const Patterns& patterns) {
  std::vector<RepositoryFile> chosen;
  std::vector<std::string> stems;
  std::vector<std::string> names;
  for (const RepositoryFile& file : listing.files) {
    if (!file.path.ends_with(".gguf") || matches(patterns.exclude, file.path)) continue;
    chosen.push_back(file);
    names.push_back(file.path);
    stems.push_back(gguf_stem(file.path));
  }
  std::sort(stems.begin(), stems.end());
  stems.erase(std::unique(stems.begin(), stems.end()), stems.end());
  if (stems.size() > 1) {
    return invalid_argument("there are {} GGUF models, choose one with --include: {}", stems.size(),
                            names_of(names));
  }
  return chosen;
}

}  // namespace

Result<void> check_repository_name(std::string_view repo) {
  std::size_t slashes = 0;
  bool fine = !repo.empty() && repo.size() <= 200 && repo.front() != '/' && repo.back() != '/';
  for (const char c : repo) {
    slashes += c == '/' ? 1U : 0U;
    const bool is_plain =
        std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
    fine = fine && (is_plain || c == '/');
  }
  if (fine && slashes <= 1 && repo.find("..") == std::string_view::npos) return {};
  return invalid_argument("'{}': expected owner/name of letters, digits, '.', '_' and '-'",
                          repo.substr(0, 200));
}

Result<void> check_file_path(std::string_view path) {
  const std::string_view shown = path.substr(0, 200);
  if (path.empty() || path.size() > kFilePathBytesMax) {
    return invalid_argument("a file name of {} bytes, expected 1 to {}", path.size(), kFilePathBytesMax);
  }
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F || c == '\\') {
      return invalid_argument("a file name with the byte 0x{:02X}, which is refused", byte);
    }
  }
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    if (part.empty() || part == "." || part == ".." || part.size() > kFileNameBytesMax) {
      return invalid_argument("'{}': a file name that leaves its folder, or has an empty or long part",
                              shown);
    }
    at = end + 1;
  }
  if (path.starts_with(kOwnPrefix) || path.ends_with(kPartSuffix) || path.ends_with(kPartStateSuffix)) {
    return invalid_argument("'{}': a file name that this program uses itself", shown);
  }
  return {};
}

Result<Listing> parse_listing(ByteView text) {
  if (text.size() > kListingBytesMax) {
    return resource_exhausted("a listing of {} bytes, the limit is {}", text.size(), kListingBytesMax);
  }
  const json root = json::parse(text.begin(), text.end(), nullptr, false);
  if (!root.is_object()) return invalid_argument("the listing is not a JSON object");
  Listing listing;
  if (const auto sha = root.find("sha"); sha != root.end() && sha->is_string()) {
    const auto digest = digest_from_hex(sha->get_ref<const std::string&>());
    if (!digest) return invalid_argument("sha: expected 40 or 64 hex digits");
    listing.commit = digest->hex;
  }
  const auto siblings = root.find("siblings");
  if (siblings == root.end() || !siblings->is_array()) return invalid_argument("siblings: expected an array");
  if (siblings->size() > kListingFilesMax) {
    return resource_exhausted("siblings: {} files, the limit is {}", siblings->size(), kListingFilesMax);
  }
  std::unordered_set<std::string> seen;
  for (std::size_t i = 0; i < siblings->size(); ++i) {
    ADIT_TRY(RepositoryFile file, parse_file((*siblings)[i], i));
    if (!seen.insert(file.path).second) {
      return invalid_argument("siblings[{}].rfilename: '{}' is there twice", i, file.path);
    }
    listing.files.push_back(std::move(file));
  }
  return listing;
}

Result<std::vector<RepositoryFile>> choose(const Listing& listing, const Patterns& patterns) {
  std::vector<RepositoryFile> chosen;
  std::vector<std::string> all;
  const auto has = [&listing](auto&& is) {
    return std::any_of(listing.files.begin(), listing.files.end(),
                       [&is](const RepositoryFile& file) { return is_top(file.path) && is(file.path); });
  };
  const auto is_weights = [](std::string_view p) { return p.ends_with(".safetensors"); };
  // Beside model*.safetensors some repositories hold the same weights once more (consolidated.*).
  const auto is_model = [&](std::string_view p) { return is_weights(p) && p.starts_with("model"); };
  const bool only_model = has(is_model);
  const bool is_folder = has(is_weights);
  for (const RepositoryFile& file : listing.files) {
    all.push_back(file.path);
    const std::string& path = file.path;
    bool take = matches(patterns.include, path);
    if (patterns.include.empty() && is_folder && is_top(path)) {
      const bool is_index = path.ends_with(".safetensors.index.json");
      take = is_description(path) || (only_model ? is_model(path) : is_weights(path)) ||
             (is_index && (!only_model || path.starts_with("model")));
    }
    if (take && !matches(patterns.exclude, path)) chosen.push_back(file);
  }
  if (patterns.include.empty() && !is_folder) {
    ADIT_TRY(chosen, choose_gguf(listing, patterns));
  }
  if (chosen.empty()) {
    return not_found(
        "no file to fetch ({}): the repository holds {}",
        patterns.include.empty() ? "no safetensors and no GGUF at the top" : "nothing matches --include",
        all.empty() ? "nothing" : names_of(all));
  }
  return chosen;
}

}  // namespace adit::miner
