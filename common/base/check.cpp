// SPDX-License-Identifier: MIT
#include "common/base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace adit {

void check_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "adit: internal: %s:%d: check failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace adit
