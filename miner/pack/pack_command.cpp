// SPDX-License-Identifier: MIT
#include "miner/pack/pack_command.hpp"

#include <algorithm>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/base/bytes.hpp"
#include "common/base/exit_code.hpp"
#include "common/base/limits.hpp"
#include "common/model/pack.hpp"
#include "common/model/pack_format.hpp"
#include "common/model/pack_writer.hpp"
#include "miner/command.hpp"
#include "miner/pack/candidate.hpp"
#include "miner/pack/choose_forms.hpp"
#include "miner/pack/evaluate.hpp"
#include "miner/progress/progress_line.hpp"

namespace adit::miner {
namespace {

constexpr const char* kGroupHelp =
    "Columns of a row that share a scale: 32, 64, 128 or row. Not with as-stored: what the source stores in groups of "
    "32 (Q4_0, Q8_0, ...) is quantised anew from its values for larger ones";

// The lower of target and declared bound.
std::optional<double> bound_of(const PackCommand& command) {
  if (!command.target_kl || !command.max_kl) return command.target_kl ? command.target_kl : command.max_kl;
  return std::min(*command.target_kl, *command.max_kl);
}

Result<void> check(const PackCommand& command) {
  ADIT_TRY_VOID(check_bound("--target-kl", command.target_kl));
  ADIT_TRY_VOID(check_bound("--max-kl", command.max_kl));
  if (command.chooses_act && !bound_of(command)) {
    return invalid_argument("--act auto needs --target-kl or --max-kl: the bound that it chooses under");
  }
  if (command.group != kernels::ScaleGroup::k32 && command.bits == model::kBitsAsStored) {
    return invalid_argument("--group {} needs --bits 4 or 8: weights as stored keep groups of 32",
                            model::group_name(command.group));
  }
  std::error_code error;
  if (std::filesystem::equivalent(command.input, command.output, error)) {
    return invalid_argument("{}: input and output are the same file", command.input.string());
  }
  return {};
}

// The mean KL of a candidate that keeps target and bound.
Result<double> measure(const PackCommand& command, const std::filesystem::path& path) {
  const EvaluateSettings settings{.text = command.text, .threads = command.threads};
  model::Declaration declaration;
  {
    ADIT_TRY(const model::Pack pack, model::Pack::open(path));
    ProgressLine line("measuring");
    ADIT_TRY(const model::EvalReport report,
             evaluate(pack, command.input, settings, [&](double done) { line.show(done); }));
    if (command.target_kl && !(report.mean_kl <= *command.target_kl)) {
      return make_error(ErrorCode::kAborted,
                        "{}: mean KL {:.3g} is over the target of {:.3g}; nothing was written",
                        command.output.string(), report.mean_kl, *command.target_kl);
    }
    if (!command.max_kl) return report.mean_kl;
    ADIT_TRY_VOID(keep_bound(command.output, report.mean_kl, *command.max_kl, "; nothing was written"));
    ADIT_TRY(declaration, declaration_of(report, *command.max_kl, command.input, settings, pack.config().context));
  }
  ADIT_TRY_VOID(model::declare(path, declaration));
  return declaration.mean_kl;
}

Result<model::LinearChoices> choose(const PackCommand& command, const std::filesystem::path& scratch) {
  if (!command.target_size && !command.chooses_act) return model::LinearChoices{};
  ADIT_TRY(const auto source, model::open_weights(command.input));
  const FormSearch search{.bits = command.bits,
                          .bytes_max = command.target_size,
                          .act = command.act,
                          .group = command.group,
                          .act_kl_max = command.chooses_act ? bound_of(command) : std::nullopt,
                          .settings = {.text = command.text, .threads = command.threads}};
  ProgressLine line("choosing");
  return choose_forms(*source, scratch, search,
                      [&](double done, std::string_view what) { line.show(done, what); });
}

Result<model::PackSummary> pack(const PackCommand& command, std::optional<double>& kl) {
  ADIT_TRY_VOID(check(command));
  Candidate candidate(command.output);
  model::PackSummary summary;
  ADIT_TRY(const model::LinearChoices choices, choose(command, candidate.path()));
  {
    ProgressLine line("packing");
    ADIT_TRY(summary,
             model::pack_model(
                 command.input, candidate.path(),
                 {.bits = command.bits,
                  .act = command.act,
                  .group = command.group,
                  .choices = choices,
                  .threads = command.threads,
                  .declares = command.max_kl.has_value()},
                 [&](double done, std::string_view what) { line.show(done, what); }));
  }
  if (command.target_size && summary.file_bytes > *command.target_size) {
    return make_error(ErrorCode::kAborted, "{}: {} bytes, over the target of {}; nothing was written",
                      command.output.string(), summary.file_bytes, *command.target_size);
  }
  if (command.target_kl || command.max_kl) {
    ADIT_TRY(kl, measure(command, candidate.path()));
  }
  ADIT_TRY_VOID(candidate.place());
  return summary;
}

}  // namespace

int run_pack(const PackCommand& command) {
  std::optional<double> kl;
  const auto summary = pack(command, kl);
  if (!summary) {
    return fail(summary.error(), pack_exit_code(summary.error()));
  }
  fmt::print("pack          {}\n", command.output.string());
  fmt::print("content hash  {}\n", to_hex(summary->content_hash));
  fmt::print("bytes         {}\n", summary->file_bytes);
  fmt::print("linears       {} u4, {} int8, activations {}\n", summary->linears_u4, summary->linears_i8,
             summary->linears_a8 == 0 ? "a16"
             : summary->linears_a16 == 0
                 ? "a8g32"
                 : fmt::format("{} a16, {} a8g32", summary->linears_a16, summary->linears_a8));
  fmt::print("weight error  {:.3g} (relative root mean square)\n", summary->weight_error);
  for (const std::string& note : summary->notes) fmt::print("note          {}\n", note);
  if (kl) {
    fmt::print("mean KL       {:.3g} ({} {:.3g})\n", *kl, command.max_kl ? "declared bound" : "target",
               command.max_kl ? *command.max_kl : *command.target_kl);
  }
  return exit_code::kOk;
}

void add_pack_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<PackCommand>();
  auto act = std::make_shared<std::string>("a16");
  auto bits = std::make_shared<std::string>("as-stored");
  auto group = std::make_shared<std::string>("32");
  CLI::App* command = app.add_subcommand("pack", "Turn a GGUF file or a Hugging Face folder into a pack");
  command
      ->add_option("input", options->input,
                   "GGUF file (of a split model the first one) or folder with config.json and safetensors")
      ->required();
  command->add_option("-o,--output", options->output, "Pack to write (.adit)")->required();
  command
      ->add_option("--bits", *bits,
                   "Bits of the layers' weights: as-stored (4 for Q4_0, Q4_1, Q4_K, else 8), 4 (affine) or 8")
      ->check(CLI::IsMember({"as-stored", "4", "8"}))
      ->capture_default_str();
  command->add_option("--group", *group, kGroupHelp)
      ->check(CLI::IsMember({"32", "64", "128", "row"}))
      ->capture_default_str();
  command
      ->add_option("--act", *act,
                   "Activations: a16 (two planes of 8 bits), a8g (one, groups of 32; the head reads a16), or auto: "
                   "a8g wherever --target-kl or --max-kl allows")
      ->check(CLI::IsMember({"a16", "a8g", "auto"}))
      ->capture_default_str();
  command
      ->add_option("--target-size", options->target_size,
                   "Bytes of the pack: each layer gets 4 or 8 bits by how much it matters")
      ->transform(CLI::AsSizeValue(false));
  command->add_option("--target-kl", options->target_kl, "Refuse a pack whose mean KL is over this");
  command->add_option("--max-kl", options->max_kl,
                      "The same, and the pack declares the bound and what was measured");
  command->add_option("--text", options->text, "Text for --target-kl and --max-kl (default: a built-in one)");
  command->add_option("--threads", options->threads, "Threads (default: one a processor)")
      ->check(CLI::Range(1, limits::kEngineThreadsMax));
  command->callback([options, act, bits, group, &exit_code] {
    if (*bits != "as-stored") options->bits = *bits == "4" ? 4 : 8;
    if (*act == "a8g") options->act = kernels::ActForm::kA8g32;
    options->group = model::parse_group(*group).value();
    options->chooses_act = *act == "auto";
    exit_code = run_pack(*options);
  });
}

}  // namespace adit::miner
