// SPDX-License-Identifier: MIT
// common/model/declaration.hpp
//
// What a pack says of its own quality: how far it was measured to be from its original, and the bound that it
// must keep. It stands in the file's __metadata__ beside the model, outside of the content hash: no proof, but a
// claim that anyone with the original and the text can repeat.
//
// In       parse_declaration: the text of the metadata key "declaration". declare: a pack that was written with
//          PackOptions::declares, which sets room aside in its header.
// Out      declare: the same file with the declaration; no other byte changes.
// Errors   kInvalidArgument naming the key, its value and what was expected. check_declaration: kAborted if the
//          pack is over the bound by its own words.
// Units    nats (mean KL(reference || pack) over the positions of the text).
// Threads  pure, but for declare: one writer.
// Source   kernels/NUMERICS.md, "Packs"
// Tests    tests/unit/common/model/declaration_test.cpp, tests/fuzz/pack_fuzz.cpp
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"

namespace adit::model {

class Pack;

struct Declaration {
  double mean_kl = 0;
  double bound = 0;
  // What the pack was measured against; printable ASCII without quotes.
  std::string against;
  // BLAKE2b-256 and length of the text, its tokens, and how many of them made one context.
  Hash256 text_hash{};
  std::uint64_t text_bytes = 0;
  std::uint64_t positions = 0;
  std::uint64_t window = 0;

  bool operator==(const Declaration&) const = default;
};

inline constexpr std::string_view kDeclarationKey = "declaration";
// Room in a header for any declaration, escaped.
inline constexpr std::size_t kDeclarationRoomBytes = 1024;

// Canonical: one text for one declaration.
[[nodiscard]] std::string declaration_json(const Declaration& declaration);
[[nodiscard]] Result<Declaration> parse_declaration(std::string_view json);
// A name that may stand in `against`: other characters become '_', what is too long is cut.
[[nodiscard]] std::string declarable(std::string_view name);

[[nodiscard]] Result<void> declare(const std::filesystem::path& pack, const Declaration& declaration);
// Refuses a pack whose measured mean KL is over its bound; one without a declaration passes.
[[nodiscard]] Result<void> check_declaration(const Pack& pack);

}  // namespace adit::model
