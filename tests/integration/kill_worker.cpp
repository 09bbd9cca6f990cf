// SPDX-License-Identifier: MIT
// The validator that validator_kill_test kills: a real step machine on a real ledger and chain.
//
//   adit-kill-worker URL LEDGER KILL_PHASE KILL_TIMES LANDED
//     kills itself when phase KILL_PHASE (1..10, 0: never) ends for the KILL_TIMES-th time; exits 0 once LANDED
//     weight vectors are in the ledger.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <signal.h>
#include <unistd.h>

#include "common/chain/substrate_client.hpp"
#include "tests/integration/kill_subnet.hpp"
#include "validator/step/step.hpp"

namespace {

using adit::validator::Phase;

struct Arguments {
  std::string url;
  std::string ledger;
  int kill_phase = 0;
  int kill_times = 1;
  std::size_t landed = 0;
};

adit::Result<int> work(const Arguments& arguments) {
  adit::OsRng rng;
  adit::crypto::KeypairSigner signer(adit::test::keypair(adit::test::kValidatorUri), rng);
  ADIT_TRY(const auto chain, adit::chain::connect(arguments.url));
  ADIT_TRY(adit::validator::Ledger ledger, adit::validator::Ledger::open(arguments.ledger));
  adit::validator::LedgerState state(adit::test::rules());
  std::size_t landed = 0;
  ADIT_TRY_VOID(ledger.walk(1, [&](const adit::validator::Row& row) { return state.apply(row); }));
  adit::test::SigningMiners miners(signer.account());
  adit::test::AgreeingReplayer replayer;
  adit::validator::Judge judge({.validator = signer.account(),
                                .vocabulary = 100,
                                .stop_ids = {2},
                                .is_right = [](const auto&, auto) { return true; }},
                               replayer);
  adit::validator::WeightSetter setter(*chain, signer, adit::test::kNetUid, 0);
  int seen = 0;
  adit::validator::Step step(
      {.netuid = adit::test::kNetUid,
       .software = "kill-worker",
       .max_tokens = 4,
       .questions = 6,
       .blocks_left_min = 3,
       .allow_loopback_miners = true,
       .fan_out = {.threads = 2, .deadline_ms = 1000}},
      {.chain = *chain,
       .signer = signer,
       .miners = miners,
       .judge = judge,
       .weights = setter,
       .ledger = ledger,
       .state = state,
       .rng = rng,
       .make_task = [](const adit::Hash256&) -> adit::Result<adit::validator::PreparedTask> {
         return adit::validator::PreparedTask{"text.copy", 1, "a b", {1, 2, 3}};
       },
       .observe =
           [&](Phase phase) {
             if (static_cast<int>(phase) == arguments.kill_phase && ++seen == arguments.kill_times) {
               kill(getpid(), SIGKILL);
             }
           }});
  while (landed < arguments.landed) {
    ADIT_TRY(const bool done, step.run_once());
    landed = 0;
    ADIT_TRY_VOID(ledger.walk(1, [&](const adit::validator::Row& row) -> adit::Result<void> {
      if (row.kind == adit::validator::RowKind::kSubmitted) ++landed;
      return {};
    }));
    if (!done) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  const auto done = work({argv[1], argv[2], std::atoi(argv[3]), std::atoi(argv[4]),
                          static_cast<std::size_t>(std::atoi(argv[5]))});
  if (!done) std::fprintf(stderr, "kill-worker: %s\n", done.error().message.c_str());
  return done ? *done : 1;
}
