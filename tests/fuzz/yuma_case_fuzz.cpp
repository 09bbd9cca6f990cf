// SPDX-License-Identifier: MIT
// The case line parser, and the epoch on whatever it accepts.
#include <cstddef>
#include <cstdint>

#include "common/base/bytes.hpp"
#include "validator/consensus/yuma_case.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const adit::validator::CaseLine line = adit::validator::split_case_line(adit::as_text({data, size}));
  const auto input = adit::validator::parse_case(line.input);
  if (!input || input->stake.size() > 64) return 0;
  const auto output = adit::validator::run_epoch(*input);
  if (!output) __builtin_trap();
  if (adit::validator::format_output(*output).empty()) __builtin_trap();
  return 0;
}
