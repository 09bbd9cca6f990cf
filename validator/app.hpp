// SPDX-License-Identifier: MIT
// validator/app.hpp
//
// Builds a validator from its settings and lets it work until it is told to stop: the composition root.
//
// Out      prepare: everything loaded and checked, nothing started. run: returns when `stop` says so, or on an
//          error that waiting cannot mend (a ledger that contradicts itself, a runtime we do not understand).
// Errors   prepare's come with the exit code of the stage that failed.
// Threads  one; the chain client and queries have threads of their own.
// Tests    deploy/demo.sh, deploy/demo.sh
#pragma once

#include <functional>
#include <memory>

#include "common/base/clock.hpp"
#include "common/base/rng.hpp"
#include "validator/config.hpp"
#include "validator/step/step.hpp"

namespace adit::validator {

struct AppFailure {
  Error error;
  int exit_code = 0;
};

class App {
 public:
  [[nodiscard]] static tl::expected<std::unique_ptr<App>, AppFailure> prepare(const ValidatorConfig& config,
                                                                              const Clock& clock, Rng& rng);
  ~App();
  // Called at the end of each phase.
  void observe(std::function<void(Phase)> observer);
  // `wait` sleeps for some ns and returns false when it is time to stop.
  [[nodiscard]] Result<void> run(const std::function<bool(std::uint64_t)>& wait);
  // One look at the chain; for tests.
  [[nodiscard]] Result<bool> run_once();

 private:
  struct Parts;
  explicit App(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace adit::validator
