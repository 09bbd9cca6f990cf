// SPDX-License-Identifier: MIT
#include "validator/consensus/yuma_command.hpp"

#include <istream>
#include <ostream>

#include "common/base/exit_code.hpp"
#include "validator/consensus/yuma_case.hpp"

namespace adit::validator {
namespace {

constexpr const char* kHelp =
    "usage: adit-validator yuma [--check] < cases\n"
    "Runs Yuma epochs. One case a line, in the notation of tests/vectors/yuma-300.txt.gz:\n"
    "n= block= tempo= cutoff= lu= reg= stake= thr= owner= permit= maxval= w= b= cr= commits= kappa= pen=\n"
    "y3= la= lms= bma= alo= ahi= steep= rao=\n"
    "Prints `input => output`. With --check, compares with the output each line names instead.\n";

Result<std::string> run_line(std::string_view input) {
  ADIT_TRY(const EpochInput parsed, parse_case(input));
  ADIT_TRY(const EpochOutput output, run_epoch(parsed));
  return format_output(output);
}

}  // namespace

int run_yuma_command(std::span<const std::string> arguments, const Streams& streams) {
  bool check = false;
  for (const std::string& argument : arguments) {
    if (argument == "--check") {
      check = true;
    } else if (argument == "--help" || argument == "-h") {
      streams.out << kHelp;
      return 0;
    } else {
      streams.errors << "adit-validator: yuma: unknown argument '" << argument << "'; see --help\n";
      return exit_code::kUsage;
    }
  }
  std::size_t different = 0;
  std::string line;
  for (std::size_t number = 1; std::getline(streams.in, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line.front() == '#') continue;
    const CaseLine parts = split_case_line(line);
    const Result<std::string> output = run_line(parts.input);
    if (!output) {
      streams.out.flush();
      streams.errors << "adit-validator: yuma: line " << number << ": " << output.error().message << '\n';
      return exit_code::kConfig;
    }
    if (!check) {
      streams.out << parts.input << " => " << *output << '\n';
    } else if (*output != parts.expected) {
      ++different;
      streams.errors << "line " << number << ": expected " << parts.expected << "\nline " << number
                     << ": got      " << *output << '\n';
    }
  }
  if (!check) return 0;
  streams.out << (different == 0 ? "all cases agree" : "cases differ") << '\n';
  return different == 0 ? exit_code::kOk : exit_code::kFailed;
}

}  // namespace adit::validator
