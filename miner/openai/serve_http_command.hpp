// SPDX-License-Identifier: MIT
// miner/openai/serve_http_command.hpp
//
// `adit-miner serve-http --pack F`: an OpenAI-compatible endpoint for local users, without chain or wallet.
//
// Out      `ready HOST:PORT model NAME` on stdout once requests can come; until SIGTERM or SIGINT, then requests
//          that run may finish within --drain seconds.
// Errors   exit codes: kUsage, kConfig (the key file), kModel, kUnavailable (the port) with one line on stderr.
// Threads  the main thread.
// Tests    tests/integration/openai_client_test.py
#pragma once

namespace CLI {
class App;
}

namespace adit::miner {

void add_serve_http_command(CLI::App& app, int& exit_code);

}  // namespace adit::miner
