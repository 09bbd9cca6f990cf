// SPDX-License-Identifier: MIT
// common/crypto/sodium_init.hpp
//
// Starts libsodium once: it picks the fast code for this CPU and makes guarded memory possible.
//
// Errors   none; a libsodium that cannot start aborts (nothing here can run without it).
// Threads  any; cheap after the first call.
// Tests    every test of common/crypto
#pragma once

namespace adit::crypto {

void ensure_sodium();

}  // namespace adit::crypto
