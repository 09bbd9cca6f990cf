// SPDX-License-Identifier: MIT
// common/model/replay.hpp
//
// Recomputes somebody's generation in one pass over prompt and ids, and says where it differs.
//
// In       what was asked (prompt, params, binding) and what was answered (ids, trace root).
// Out      no mismatch: every id is the canonical choice and the trace root is equal. kToken: the first id
//          that is not, and the one that is. kLength: ids that go on after a stop id, or end before
//          max_tokens without one. kTrace: all ids are right, the root is not.
// Errors   kInvalidArgument: the request itself could not be served (as BatchEngine::add), or ids out of the
//          vocabulary, or none, or more than max_tokens. kDataLoss as BatchEngine::step.
// Adapters none: the model as it is. A card that names an adapter cannot be judged here yet.
// Exact    the same bits as the generation, for any chunk, threads and isa.
// Threads  one thread per object.
// Source   design: receipts and audit, "Checks, cheapest first" 2
// Tests    tests/unit/common/model/replay_test.cpp
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/model/chooser.hpp"
#include "common/model/forward.hpp"
#include "common/model/generator.hpp"
#include "common/model/pack.hpp"
#include "common/proof/trace.hpp"

namespace adit::model {

struct ReplayOptions {
  kernels::Isa isa = kernels::best_isa();
  // check_kv(config, kv) holds.
  KvForm kv = KvForm::kF16;
  int threads = 1;
  // Rows of one step, and rows whose logits are held at once.
  int chunk = 256;
  int logits_rows = 32;
};

struct ReplayInput {
  std::span<const TokenId> prompt;
  // Generated ids as answered.
  std::span<const TokenId> ids;
  GenerateParams params;
  proof::TraceBinding binding;
  // As answered.
  Hash256 trace_root{};
};

enum class MismatchKind : std::uint8_t { kToken, kLength, kTrace };
[[nodiscard]] const char* name(MismatchKind kind);

struct Mismatch {
  MismatchKind kind = MismatchKind::kToken;
  // Index into the generated ids (kTrace: their number).
  std::uint32_t index = 0;
  // kToken only.
  TokenId expected = 0;
  TokenId found = 0;
};

struct ReplayResult {
  std::optional<Mismatch> mismatch;
  // The recomputed root; absent when a token or the length is wrong.
  std::optional<Hash256> trace_root;
};

class Replayer {
 public:
  // `pack` must outlive the object.
  Replayer(const Pack& pack, const ReplayOptions& options);
  [[nodiscard]] Result<ReplayResult> replay(const ReplayInput& input);

 private:
  // Chooses for the wanted rows of the last step and compares, beginning with generated id `index`.
  [[nodiscard]] Result<std::optional<Mismatch>> compare(const ReplayInput& input, std::uint32_t index);

  const Pack& pack_;
  ReplayOptions options_;
  Forward forward_;
  Chooser chooser_;
};

}  // namespace adit::model
