// SPDX-License-Identifier: MIT
// validator/store/rows.hpp
//
// What the ledger's rows say, and their canonical bytes (SCALE, fields in the order below).
//
// Units    latency_ms milliseconds; tokens: generated tokens proved exact; slot: one question to one miner
//          in one step (0, 1, … in plan order).
// Errors   decode: kInvalidArgument naming the field and the offset; trailing bytes are refused.
// Threads  pure.
// Tests    tests/unit/validator/rows_test.cpp; fuzz: tests/fuzz/ledger_row_fuzz.cpp
#pragma once

#include <string>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/base/strong.hpp"
#include "common/protocol/verdict.hpp"
#include "validator/store/ledger.hpp"

namespace adit::validator {

struct PlannedMiner {
  Uid uid = 0;
  AccountId hotkey{};
  bool operator==(const PlannedMiner&) const = default;
};

struct PlanRow {
  std::uint64_t step = 0;  // the chain's epoch index
  BlockNumber block = 0;
  Hash256 block_hash{};
  NetUid netuid = 0;
  Hash256 charter{};
  Hash256 secret_commitment{};  // B2("adit1.sec", e) of this step's secret e
  Hash256 revealed_secret{};    // e of the plan before this one; zeros if there was none
  std::string software;
  std::vector<PlannedMiner> miners;
  bool operator==(const PlanRow&) const = default;
};

struct AskedRow {
  std::uint64_t step = 0;
  std::uint64_t slot = 0;
  Uid uid = 0;
  AccountId hotkey{};
  std::string family;
  std::uint32_t level = 0;
  std::string expected;  // the task's canonical answer
  Bytes request;         // canonical bytes of the GenerateRequest; a retry sends the same
  bool operator==(const AskedRow&) const = default;
};

struct JudgedRow {
  std::uint64_t step = 0;
  std::uint64_t slot = 0;
  Uid uid = 0;
  AccountId hotkey{};
  // kExact: exact and right; kWrongAnswer: exact, but the task's answer is another.
  protocol::Verdict verdict = protocol::Verdict::kNoReply;
  std::uint64_t tokens = 0;
  std::uint64_t latency_ms = 0;
  Bytes receipt;       // canonical bytes of the signed receipt; empty if none came
  std::string detail;  // where the first mismatch is, or why there is no answer
  bool operator==(const JudgedRow&) const = default;
};

struct WeightsRow {
  std::uint64_t step = 0;
  BlockNumber block = 0;  // head when the vector was made
  std::uint64_t version_key = 0;
  std::uint32_t nonce = 0;  // the hotkey's account nonce before the submission
  std::vector<Uid> uids;
  std::vector<std::uint16_t> values;
  bool operator==(const WeightsRow&) const = default;
};

struct SubmittedRow {
  std::uint64_t step = 0;
  bool success = false;
  BlockNumber block = 0;
  Hash256 block_hash{};
  std::string error;
  bool operator==(const SubmittedRow&) const = default;
};

[[nodiscard]] NewRow encode_row(const PlanRow& row);
[[nodiscard]] NewRow encode_row(const AskedRow& row);
[[nodiscard]] NewRow encode_row(const JudgedRow& row);
[[nodiscard]] NewRow encode_row(const WeightsRow& row);
[[nodiscard]] NewRow encode_row(const SubmittedRow& row);

[[nodiscard]] Result<PlanRow> decode_plan(ByteView body);
[[nodiscard]] Result<AskedRow> decode_asked(ByteView body);
[[nodiscard]] Result<JudgedRow> decode_judged(ByteView body);
[[nodiscard]] Result<WeightsRow> decode_weights(ByteView body);
[[nodiscard]] Result<SubmittedRow> decode_submitted(ByteView body);

}  // namespace adit::validator
