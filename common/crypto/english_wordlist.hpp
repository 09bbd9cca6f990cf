// SPDX-License-Identifier: MIT
// common/crypto/english_wordlist.hpp
//
// The 2048 English words of BIP-39, in order (sorted, so that a word is found by halving).
//
// Threads  a constant.
// Source   the BIP-39 standard, bip-0039/english.txt, as in PyPI mnemonic 0.21 (MIT);
//          SHA-256 of the file 2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda
// Tests    tests/unit/common/crypto/mnemonic_test.cpp (recomputes that SHA-256)
#pragma once

#include <array>
#include <string_view>

namespace adit::crypto {

extern const std::array<std::string_view, 2048> kEnglishWords;

}  // namespace adit::crypto
