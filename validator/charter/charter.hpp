// SPDX-License-Identifier: MIT
// validator/charter/charter.hpp
//
// The charter: one YAML file that defines a subnet's economy. Owners fork it, validators run it, its hash
// is in every request.
//
// In       a YAML file; every key has a type, bounds, a default and a sentence; unknown keys are refused.
// Out      fractions as integers: temperature in 1/1000, top_p and scores in 1/65536 (rounded half up from
//          at most six decimals), margin_sigma in 1/1000.
// Errors   kInvalidArgument "file: line N: key: …".
// Threads  plain value.
// Source   design "The charter, tasks, scoring, weights"
// Tests    tests/unit/validator/charter_test.cpp
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/answers/extraction.hpp"
#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/config/yaml_reader.hpp"
#include "common/protocol/messages.hpp"
#include "validator/replay/ledger_state.hpp"
#include "validator/tasks/task.hpp"

namespace adit::validator {

struct Charter {
  std::string name;
  std::uint32_t version = 1;
  NetUid netuid = 1;
  MechId mechanism = 0;
  Hash256 pack{};  // content hash of the model's pack
  std::uint32_t numerics = 1;
  std::vector<TaskRule> tasks;
  answers::Extraction extraction = answers::Extraction::kBoxed;
  std::uint32_t questions_per_step = 64;
  std::uint32_t max_tokens = 1024;
  protocol::SamplingParams sampling{.temperature_milli = 600, .top_p_65536 = 62259};
  std::uint32_t replay_65536 = 65536;  // share of answers replayed
  Rules rules;
};

// Also refuses what lint() refuses.
[[nodiscard]] Result<Charter> load_charter(const std::filesystem::path& file);
[[nodiscard]] Result<Charter> parse_charter(std::string_view text, const std::filesystem::path& name);
// The charter with a description of every key, for `charter check`.
[[nodiscard]] Result<std::vector<config::FieldDoc>> describe_charter(const std::filesystem::path& file);

// Every value in a fixed order (SCALE); two files that mean the same have the same bytes.
[[nodiscard]] Bytes canonical_bytes(const Charter& charter);
// B2("adit1.charter", canonical bytes).
[[nodiscard]] Hash256 charter_hash(const Charter& charter);

}  // namespace adit::validator
