// SPDX-License-Identifier: MIT
// Any text as a configuration file: an error or typed values within their bounds, never a crash.
#include <cstdlib>
#include <string_view>

#include "common/config/yaml_reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using adit::config::YamlReader;
  auto root = YamlReader::from_text(adit::as_text({data, size}), "fuzz.yaml");
  if (!root) return 0;
  int port = 1;
  std::uint64_t deadline_ns = 1;
  int share = 0;
  std::vector<std::int64_t> levels;
  YamlReader server = root->section("server");
  server.integer("port", port, 1, 65535);
  server.duration_ns("deadline", deadline_ns, 1, 1'000'000'000);
  root->decimal("share", share, 3, -1000, 1000);
  root->integers("levels", levels, 4, 1, 9);
  for (YamlReader& task : root->sections("tasks", 4)) task.require({"family"});
  const auto finished = root->finish();
  if (!finished && finished.error().message.empty()) std::abort();
  if (port < 1 || port > 65535 || deadline_ns == 0 || deadline_ns > 1'000'000'000) std::abort();
  if (share < -1000 || share > 1000 || levels.size() > 4) std::abort();
  return 0;
}
