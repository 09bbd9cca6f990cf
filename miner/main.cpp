// SPDX-License-Identifier: MIT
#include <cstdio>
#include <exception>

#include "common/base/exit_code.hpp"
#include "miner/cli.hpp"

int main(int argc, char** argv) {
  try {
    return adit::miner::run_cli(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "adit-miner: internal: %s\n", error.what());
    return adit::exit_code::kInternal;
  }
}
