// SPDX-License-Identifier: MIT
#include "common/model/declaration.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>

#include <nlohmann/json.hpp>

#include "common/base/files.hpp"
#include "common/model/pack.hpp"
#include "common/model/safetensors.hpp"

namespace adit::model {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kAgainstBytesMax = 128;
constexpr std::size_t kJsonBytesMax = 640;
constexpr double kKlMax = 1e6;
// JSON numbers beyond this are not exact everywhere.
constexpr std::uint64_t kCountMax = std::uint64_t{1} << 53;

bool may_stand(char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

Result<double> real_of(const Json& json, const char* key) {
  const Json& value = json.at(key);
  const double number = value.is_number() ? value.get<double>() : -1;
  if (number >= 0 && number <= kKlMax) return number;
  return invalid_argument("declaration: {} is {}, expected a number of 0..{}", key, value.dump().substr(0, 40),
                          kKlMax);
}

Result<std::uint64_t> count_of(const Json& json, const char* key) {
  const Json& value = json.at(key);
  const std::uint64_t count = value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
  if (count >= 1 && count <= kCountMax) return count;
  return invalid_argument("declaration: {} is {}, expected an integer of 1..{}", key, value.dump().substr(0, 40),
                          kCountMax);
}

}  // namespace

std::string declaration_json(const Declaration& d) {
  const Json json = {{"against", d.against},       {"bound", d.bound},
                     {"mean_kl", d.mean_kl},       {"positions", d.positions},
                     {"text_bytes", d.text_bytes}, {"text_hash", to_hex(d.text_hash)},
                     {"window", d.window}};
  return json.dump();
}

Result<Declaration> parse_declaration(std::string_view text) {
  if (text.size() > kJsonBytesMax) {
    return invalid_argument("declaration: {} bytes, expected at most {}", text.size(), kJsonBytesMax);
  }
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || json.size() != 7) {
    return invalid_argument("declaration: expected a JSON object of 7 entries");
  }
  for (const char* key : {"against", "bound", "mean_kl", "positions", "text_bytes", "text_hash", "window"}) {
    if (!json.contains(key)) return invalid_argument("declaration: no {}", key);
  }
  Declaration out;
  ADIT_TRY(out.mean_kl, real_of(json, "mean_kl"));
  ADIT_TRY(out.bound, real_of(json, "bound"));
  if (!(out.bound > 0)) return invalid_argument("declaration: bound is 0, expected more");
  ADIT_TRY(out.positions, count_of(json, "positions"));
  ADIT_TRY(out.text_bytes, count_of(json, "text_bytes"));
  ADIT_TRY(out.window, count_of(json, "window"));
  if (json["against"].is_string()) out.against = json["against"].get<std::string>();
  if (out.against.empty() || out.against.size() > kAgainstBytesMax ||
      !std::all_of(out.against.begin(), out.against.end(), may_stand)) {
    return invalid_argument("declaration: against is not a name of 1..{} printable characters", kAgainstBytesMax);
  }
  if (!json["text_hash"].is_string()) return invalid_argument("declaration: text_hash is not a text");
  auto hash = fixed_from_hex<32>(json["text_hash"].get_ref<const std::string&>());
  if (!hash) return tl::unexpected<Error>(hash.error().context("declaration: text_hash"));
  out.text_hash = *hash;
  if (declaration_json(out) != text) return invalid_argument("declaration: not in canonical form");
  return out;
}

std::string declarable(std::string_view name) {
  std::string out(name.substr(0, kAgainstBytesMax));
  std::replace_if(out.begin(), out.end(), [](char c) { return !may_stand(c); }, '_');
  return out.empty() ? "?" : out;
}

Result<void> declare(const std::filesystem::path& pack, const Declaration& declaration) {
  const std::string text = declaration_json(declaration);
  ADIT_TRY_VOID(parse_declaration(text));
  Bytes header;
  {
    ADIT_TRY(const MappedFile file, MappedFile::open(pack));
    ADIT_TRY(safetensors::File container, safetensors::File::parse(file.bytes(), pack.string()));
    container.metadata.insert_or_assign(std::string(kDeclarationKey), text);
    std::vector<safetensors::Tensor> tensors;
    for (const auto& [name, tensor] : container.tensors) tensors.push_back(tensor);
    std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
    ADIT_TRY(header, safetensors::header_bytes(tensors, container.metadata, container.data_offset));
    if (header.size() != container.data_offset) {
      return failed_precondition("{}: no room for a declaration in a header of {} bytes", pack.string(),
                                 container.data_offset);
    }
  }
  const int fd = ::open(pack.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return system_error(pack, "opening", errno);
  std::size_t done = 0;
  int error = 0;
  while (done < header.size() && error == 0) {
    const ssize_t wrote = ::pwrite(fd, header.data() + done, header.size() - done, static_cast<off_t>(done));
    if (wrote > 0) done += static_cast<std::size_t>(wrote);
    if (wrote < 0 && errno != EINTR) error = errno;
  }
  if (error == 0 && ::fsync(fd) != 0) error = errno;
  ::close(fd);
  if (error != 0) return system_error(pack, "writing", error);
  return {};
}

Result<void> check_declaration(const Pack& pack) {
  const auto& declared = pack.declaration();
  if (!declared || declared->mean_kl <= declared->bound) return {};
  return make_error(ErrorCode::kAborted, "{}: declares a mean KL of {:.3g}, over its own bound of {:.3g}",
                    pack.path().string(), declared->mean_kl, declared->bound);
}

}  // namespace adit::model
