// SPDX-License-Identifier: MIT
#include "validator/charter/charter.hpp"

#include <array>

#include "common/base/limits.hpp"
#include "common/crypto/hash.hpp"
#include "common/scale/encoder.hpp"
#include "validator/charter/lint.hpp"
#include "validator/tasks/families.hpp"

namespace adit::validator {
namespace {

using config::YamlReader;

constexpr int kFractionDigits = 6;
constexpr std::int64_t kMillion = 1'000'000;
constexpr std::size_t kTasksMax = 64;
constexpr std::size_t kNameCharsMax = 128;
constexpr std::array<std::string_view, 2> kExtractions = {"boxed", "lenient"};
constexpr std::array<std::string_view, 2> kRules = {"proportional", "winner_margin"};

// A decimal of at most six digits as 1/65536, rounded half up.
void fraction(YamlReader& in, std::string_view key, std::uint32_t& value, std::int64_t max_whole,
              std::string_view sentence) {
  std::int64_t millionths = (static_cast<std::int64_t>(value) * kMillion + 32768) / 65536;
  const std::int64_t before = millionths;
  in.decimal(key, millionths, kFractionDigits, 0, max_whole * kMillion, sentence);
  if (millionths == before) return;  // the default stays what it is
  value = static_cast<std::uint32_t>((millionths * 65536 + kMillion / 2) / kMillion);
}

void read_head(YamlReader in, Charter& out) {
  in.text("name", out.name, kNameCharsMax, "What people call it.");
  in.integer("version", out.version, 1, 1'000'000, "Raised with every change.");
  in.integer("netuid", out.netuid, 0, 65535, "The subnet.");
  in.integer("mechanism", out.mechanism, 0, 15, "The mechanism of the subnet.");
  in.require({"name", "netuid"});
}

void read_model(YamlReader in, Charter& out) {
  in.hash("pack", out.pack, "Content hash of the pack that every miner serves.");
  in.integer("numerics", out.numerics, 1, 2,
             "Version of the canonical numerics: 1 keeps keys and values in f16, 2 in int8.");
  in.require({"pack"});
}

void read_task(YamlReader& in, TaskRule& out) {
  in.text("family", out.family, kNameCharsMax, "Name of the task family.");
  in.integer("weight", out.weight, 1, 1000, "How often, relative to the others.");
  std::vector<std::int64_t> levels = {out.level_min, out.level_max};
  in.integers("levels", levels, 2, 1, 100, "Lowest and highest level of difficulty.");
  in.require({"family"});
  const TaskFamily* family = find_family(out.family);
  if (family == nullptr) {
    std::vector<std::string> names;
    for (const TaskFamily& each : task_families()) names.emplace_back(each.name);
    const auto nearest = config::nearest_name(out.family, names);
    return in.fail("family", nearest ? fmt::format("no family '{}', did you mean '{}'?", out.family, *nearest)
                                     : fmt::format("no family '{}'", out.family));
  }
  if (levels.size() != 2 || levels[0] > levels[1] || levels[1] > family->level_max) {
    return in.fail("levels", fmt::format("expected [lowest, highest] within 1..{}", family->level_max));
  }
  out.level_min = static_cast<std::uint32_t>(levels[0]);
  out.level_max = static_cast<std::uint32_t>(levels[1]);
}

void read_queries(YamlReader in, Charter& out) {
  in.integer("per_step", out.questions_per_step, 1, 65536, "Questions a step, over all miners.");
  in.integer("max_tokens", out.max_tokens, 1, limits::kNewTokensMax, "Longest answer in tokens.");
  in.decimal("temperature", out.sampling.temperature_milli, 3, 0, 10'000,
             "Sampling temperature; 0 is greedy.");
  fraction(in, "top_p", out.sampling.top_p_65536, 1, "Nucleus sampling; 1 is off.");
  std::uint64_t deadline_ns = out.rules.score.deadline_ms * 1'000'000;
  in.duration_ns("deadline", deadline_ns, 100'000'000, 3'600'000'000'000, "Time for one answer.");
  out.rules.score.deadline_ms = deadline_ns / 1'000'000;
  in.choice("extraction", out.extraction, kExtractions,
            "boxed: last \\boxed{} or <answer>; lenient: last number or word.");
}

void read_verify(YamlReader in, Charter& out) {
  fraction(in, "replay", out.replay_65536, 1, "Share of answers that are replayed; 1 until audits exist.");
  if (out.replay_65536 != 65536) in.fail("replay", "expected 1: answers are verified by replay only");
}

void read_score(YamlReader in, ScoreRules& out) {
  fraction(in, "exact", out.exact, 100, "Value of a token proved exact.");
  fraction(in, "correct", out.correct, 100, "Added if the answer is right.");
  fraction(in, "speed_bonus_max", out.speed_bonus_max, 100,
           "Added to a right answer, down to 0 at the deadline.");
  in.count("cap_tokens_per_hotkey", out.cap_tokens, 1, 1'000'000'000,
           "Verified tokens in the window that pay.");
  in.integer("window", out.window_steps, 1, 1000, "Steps (epochs) that a score looks back.");
}

void read_weights(YamlReader in, WeightRules& out) {
  in.choice("rule", out.rule, kRules, "proportional, or everything to the best.");
  in.decimal("margin_sigma", out.margin_sigma_milli, 3, 0, 100'000,
             "Standard errors that dethrone the best.");
  fraction(in, "burn", out.burn, 1, "Share of all weight given to burn_uid.");
  in.integer("burn_uid", out.burn_uid, 0, 65535, "Whose weight is burnt (the owner's uid).");
  in.boolean("explicit_zeros", out.explicit_zeros, "Send zeros too, so that bonds decay instead of ending.");
}

Result<Charter> read(YamlReader root) {
  Charter out;
  read_head(root.section("charter", "Which charter this is."), out);
  read_model(root.section("model", "What is served."), out);
  for (YamlReader& task : root.sections("tasks", kTasksMax, "What is asked.")) {
    read_task(task, out.tasks.emplace_back());
  }
  read_queries(root.section("queries", "How it is asked."), out);
  read_verify(root.section("verify", "How answers are proved."), out);
  read_score(root.section("score", "What an answer is worth."), out.rules.score);
  read_weights(root.section("weights", "How scores become weights."), out.rules.weights);
  root.require({"charter", "model", "tasks"});
  ADIT_TRY_VOID(root.finish());
  if (out.tasks.empty()) root.fail("tasks", "expected at least one task family");
  ADIT_TRY_VOID(root.finish());
  return out;
}

}  // namespace

Result<Charter> load_charter(const std::filesystem::path& file) {
  ADIT_TRY(YamlReader root, YamlReader::from_file(file));
  ADIT_TRY(Charter charter, read(std::move(root)));
  if (const auto sound = lint(charter); !sound)
    return tl::unexpected<Error>(sound.error().context(file.string()));
  return charter;
}

Result<Charter> parse_charter(std::string_view text, const std::filesystem::path& name) {
  ADIT_TRY(YamlReader root, YamlReader::from_text(text, name));
  return read(std::move(root));
}

Result<std::vector<config::FieldDoc>> describe_charter(const std::filesystem::path& file) {
  ADIT_TRY(const YamlReader root, YamlReader::from_file(file));
  ADIT_TRY([[maybe_unused]] const Charter charter, read(root));
  return root.fields();
}

Bytes canonical_bytes(const Charter& charter) {
  scale::Encoder out;
  out.u32(1);  // version of this list
  out.bytes(as_bytes(charter.name));
  out.u32(charter.version);
  out.u16(charter.netuid);
  out.u8(charter.mechanism);
  out.raw(charter.pack);
  out.u32(charter.numerics);
  out.compact(charter.tasks.size());
  for (const TaskRule& task : charter.tasks) {
    out.bytes(as_bytes(task.family));
    out.u32(task.weight);
    out.u32(task.level_min);
    out.u32(task.level_max);
  }
  out.u8(static_cast<std::uint8_t>(charter.extraction));
  out.u32(charter.questions_per_step);
  out.u32(charter.max_tokens);
  out.u32(charter.sampling.temperature_milli);
  out.u32(charter.sampling.top_p_65536);
  out.u32(charter.sampling.top_k);
  out.u32(charter.sampling.min_p_65536);
  out.u32(charter.replay_65536);
  const ScoreRules& score = charter.rules.score;
  out.u32(score.exact);
  out.u32(score.correct);
  out.u32(score.speed_bonus_max);
  out.u64(score.cap_tokens);
  out.u32(score.window_steps);
  out.u64(score.deadline_ms);
  const WeightRules& weights = charter.rules.weights;
  out.u8(static_cast<std::uint8_t>(weights.rule));
  out.u32(weights.margin_sigma_milli);
  out.u32(weights.burn);
  out.u16(weights.burn_uid);
  out.boolean(weights.explicit_zeros);
  return out.take();
}

Hash256 charter_hash(const Charter& charter) { return crypto::b2("adit1.charter", canonical_bytes(charter)); }

}  // namespace adit::validator
