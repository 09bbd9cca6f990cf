// SPDX-License-Identifier: MIT
#include "validator/commands/charter_check.hpp"

#include <algorithm>

#include "common/base/exit_code.hpp"
#include "validator/charter/charter.hpp"

namespace adit::validator {
namespace {

constexpr std::size_t kColumnMax = 40;

void print_fields(std::ostream& out, const std::vector<config::FieldDoc>& fields) {
  std::size_t key_width = 0;
  std::size_t value_width = 0;
  for (const config::FieldDoc& field : fields) {
    key_width = std::max(key_width, std::min(field.path.size(), kColumnMax));
    value_width = std::max(value_width, std::min(field.value.size(), kColumnMax));
  }
  for (const config::FieldDoc& field : fields) {
    const bool is_default = !field.default_value.empty() && field.value == field.default_value;
    out << fmt::format("{:<{}}  {:<{}}  {}{}\n", field.path, key_width, field.value, value_width,
                       field.sentence, is_default ? " (default)" : "");
  }
}

}  // namespace

int run_charter_check(const std::filesystem::path& file, std::ostream& out, std::ostream& err) {
  const auto charter = load_charter(file);
  const auto fields = charter ? describe_charter(file) : Result<std::vector<config::FieldDoc>>();
  if (!charter || !fields) {
    err << fmt::format("adit-validator: {}\n", charter ? fields.error().message : charter.error().message);
    return exit_code::kConfig;
  }
  print_fields(out, *fields);
  out << fmt::format("{}: good; hash {}\n", file.string(), to_hex(charter_hash(*charter)));
  return exit_code::kOk;
}

}  // namespace adit::validator
