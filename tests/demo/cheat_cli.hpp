// SPDX-License-Identifier: MIT
// tests/demo/cheat_cli.hpp
//
// The common end of both cheats: serve with another source, one line on failure. Threads: the main
// thread.
#pragma once

#include <fmt/core.h>

#include <cstdio>
#include <string>

#include "common/base/exit_code.hpp"
#include "common/base/shutdown.hpp"
#include "miner/app/serve_app.hpp"

namespace adit::test {

inline int serve_as(const std::string& program, const std::string& config_file,
                    const miner::SourceFactory& factory) {
  shutdown::install();
  const auto config = miner::load_serve_config(config_file);
  if (!config) {
    fmt::print(stderr, "{}: {}\n", program, config.error().message);
    return exit_code::kConfig;
  }
  const auto served = miner::serve(*config, {.make_source = factory});
  if (served) return exit_code::kOk;
  fmt::print(stderr, "{}: {}\n", program, served.error().error.message);
  return served.error().exit_code;
}

}  // namespace adit::test
