// SPDX-License-Identifier: MIT
#include "miner/pack/prune_command.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <fmt/ranges.h>

#include "common/base/bytes.hpp"
#include "common/base/limits.hpp"
#include "common/model/expert_prune.hpp"
#include "common/model/pack.hpp"
#include "common/model/pack_format.hpp"
#include "common/model/prune.hpp"
#include "common/model/tokenizer.hpp"
#include "miner/command.hpp"
#include "miner/pack/candidate.hpp"
#include "miner/pack/evaluate.hpp"
#include "miner/progress/progress_line.hpp"

namespace adit::miner {
namespace {

constexpr int kWindow = 1024;
constexpr const char* kReap = "reap";

struct LayerRange {
  int first = 0;
  int last = 0;
};

Result<LayerRange> layers_of(const std::string& text, int layers) {
  LayerRange out{0, layers - 1};
  if (text.empty()) return out;
  const char* end = text.data() + text.size();
  auto [at, error] = std::from_chars(text.data(), end, out.first);
  out.last = out.first;
  if (error == std::errc{} && at != end && *at == '-') {
    const auto second = std::from_chars(at + 1, end, out.last);
    at = second.ptr;
    error = second.ec;
  }
  if (error != std::errc{} || at != end || out.first < 0 || out.last < out.first || out.last >= layers) {
    return invalid_argument("--layers {}: expected A or A-B of 0..{}", text, layers - 1);
  }
  return out;
}

// Runs the f32 reference over the text; `prepare` sets its observers.
Result<void> calibrate(const PruneCommand& command, const model::WeightSource& source,
                       const std::function<void(model::Reference&)>& prepare) {
  ADIT_TRY(const std::string text, eval_text(command.text));
  ADIT_TRY(const model::TokenizerParts parts, source.tokenizer());
  ADIT_TRY(const std::string blob, model::make_tokenizer_blob(parts));
  ADIT_TRY(const model::Tokenizer tokenizer, model::Tokenizer::from_blob(blob));
  ADIT_TRY(std::vector<TokenId> ids, tokenizer.encode(text, false));
  if (ids.size() > static_cast<std::size_t>(command.calibration_tokens)) {
    ids.resize(static_cast<std::size_t>(command.calibration_tokens));
  }
  if (ids.empty()) return invalid_argument("--text: no tokens to calibrate with");
  const auto window = static_cast<std::size_t>(std::min(kWindow, source.config().context));
  std::vector<std::vector<TokenId>> windows;
  for (std::size_t at = 0; at < ids.size(); at += window) {
    const auto begin = ids.begin() + static_cast<std::ptrdiff_t>(at);
    windows.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(std::min(window, ids.size() - at)));
  }
  ADIT_TRY(model::Reference reference, model::Reference::from_source(source, command.threads));
  prepare(reference);
  ProgressLine line("calibrating");
  const auto run = reference.hidden(windows, [&](double done) { line.show(done); });
  if (!run) return tl::unexpected<Error>(run.error());
  return {};
}

// The input norms of every linear over the text.
Result<model::ColumnNorms> column_norms(const PruneCommand& command, const model::WeightSource& source) {
  model::ColumnNorms norms;
  ADIT_TRY_VOID(calibrate(command, source, [&](model::Reference& reference) {
    reference.observe([&](const model::Part& part, int first, const float* x, int n) {
      norms.add(part, first, x, n);
    });
  }));
  norms.finish();
  return norms;
}

// What is left of one layer of experts.
struct LayerOfExperts {
  int layer = 0;
  std::vector<int> kept;
  // The highest saliency that went, the lowest that stayed, and how many experts no token came to.
  double highest_gone = 0;
  double lowest_kept = 0;
  int unseen = 0;
};

struct Outcome {
  std::vector<LayerOfExperts> experts;
  // Its routers are those of DeepSeek-V3.
  bool is_fragile = false;
  model::PackSummary summary;
  std::optional<model::EvalReport> report;
};

Result<std::vector<model::StorageForm>> storages_for(const PruneCommand& command,
                                                     const model::PrunePattern& pattern) {
  if (command.storage.empty()) return model::storages_of(pattern);
  ADIT_TRY(const model::StorageForm form, model::parse_storage(command.storage));
  return std::vector<model::StorageForm>{form};
}

Result<void> measure(const PruneCommand& command, const std::filesystem::path& path, Outcome& outcome) {
  if (!command.eval && !command.max_kl && command.method != kReap) return {};
  const EvaluateSettings settings{.text = command.text, .threads = command.threads};
  model::Declaration declaration;
  {
    ADIT_TRY(const model::Pack pack, model::Pack::open(path));
    ProgressLine line("measuring");
    ADIT_TRY(outcome.report, evaluate(pack, command.input, settings, [&](double done) { line.show(done); }));
    if (!command.max_kl) return {};
    ADIT_TRY_VOID(
        keep_bound(command.output, outcome.report->mean_kl, *command.max_kl, "; nothing was written"));
    ADIT_TRY(declaration, declaration_of(*outcome.report, *command.max_kl, command.input, settings,
                                         pack.config().context));
  }
  return model::declare(path, declaration);
}

// Packs what is left of the model, and puts the pack in place if it is good enough.
Result<void> write(const PruneCommand& command, const model::WeightSource& source, const model::PruneStep* step,
                   Outcome& out) {
  Candidate candidate(command.output);
  {
    ProgressLine line("pruning");
    ADIT_TRY(out.summary,
             model::pack_model(source, candidate.path(),
                               {.bits = command.bits,
                                .act = command.act,
                                .group = command.group,
                                .threads = command.threads,
                                .prune = step,
                                .declares = command.max_kl.has_value()},
                               [&](double done, std::string_view what) { line.show(done, what); }));
  }
  ADIT_TRY_VOID(measure(command, candidate.path(), out));
  return candidate.place();
}

LayerOfExperts tell_layer(const model::ExpertSaliency& saliency, int layer, int experts, std::vector<int> kept) {
  LayerOfExperts out{.layer = layer, .kept = std::move(kept), .lowest_kept = HUGE_VAL};
  for (int e = 0; e < experts; ++e) {
    const double value = saliency.of(layer, e);
    if (saliency.tokens(layer, e) == 0) ++out.unseen;
    if (std::binary_search(out.kept.begin(), out.kept.end(), e)) {
      out.lowest_kept = std::min(out.lowest_kept, value);
    } else {
      out.highest_gone = std::max(out.highest_gone, value);
    }
  }
  return out;
}

Result<Outcome> prune_experts(const PruneCommand& command, const model::WeightSource& source) {
  if (!command.pattern.empty() || !command.storage.empty() || !command.layers.empty()) {
    return invalid_argument(
        "--method reap: takes no --pattern, --storage or --layers: whole experts go, in each layer");
  }
  if (command.experts == 0) return invalid_argument("--method reap: needs --experts, how many of a layer stay");
  const model::ModelConfig& config = source.config();
  const auto fits = model::with_experts(config, command.experts);
  if (!fits) return tl::unexpected<Error>(fits.error().context("--experts"));
  model::ExpertSaliency saliency(config);
  ADIT_TRY_VOID(calibrate(command, source, [&](model::Reference& reference) {
    reference.observe_experts([&](int layer, int expert, double weight, const float* y) {
      saliency.add(layer, expert, weight, y);
    });
  }));
  ADIT_TRY(const model::KeptExperts kept, model::choose_experts(config, saliency, command.experts));
  Outcome out;
  out.is_fragile = config.family == "deepseek_v3" || config.family == "deepseek_v32";
  for (int layer = config.moe.dense_layers; layer < config.layers; ++layer) {
    out.experts.push_back(
        tell_layer(saliency, layer, config.moe.experts, kept[static_cast<std::size_t>(layer)]));
  }
  ADIT_TRY(const auto left, model::keep_experts(source, kept));
  ADIT_TRY_VOID(write(command, *left, nullptr, out));
  return out;
}

Result<Outcome> prune_weights(const PruneCommand& command, const model::WeightSource& source) {
  if (command.experts != 0) return invalid_argument("--experts goes with --method reap");
  if (command.pattern.empty()) return invalid_argument("--method {}: needs --pattern", command.method);
  ADIT_TRY(const model::PrunePattern pattern, model::parse_pattern(command.pattern));
  ADIT_TRY(auto storages, storages_for(command, pattern));
  ADIT_TRY(const LayerRange layers, layers_of(command.layers, source.config().layers));
  model::ColumnNorms norms;
  if (command.method == "wanda") {
    ADIT_TRY(norms, column_norms(command, source));
  }
  const model::Pruner pruner(pattern, layers.first, layers.last, command.method == "wanda" ? &norms : nullptr,
                             std::move(storages));
  Outcome out;
  ADIT_TRY_VOID(write(command, source, &pruner, out));
  return out;
}

Result<Outcome> prune(const PruneCommand& command) {
  ADIT_TRY_VOID(check_bound("--max-kl", command.max_kl));
  std::error_code error;
  if (std::filesystem::equivalent(command.input, command.output, error)) {
    return invalid_argument("{}: input and output are the same file", command.input.string());
  }
  ADIT_TRY(const auto source, model::open_weights(command.input));
  return command.method == kReap ? prune_experts(command, *source) : prune_weights(command, *source);
}

void print_experts(const Outcome& outcome) {
  int unseen = 0;
  for (const LayerOfExperts& layer : outcome.experts) {
    fmt::print("layers.{:<6} experts {}; saliency of those that stay >= {:.4g}, of those that go <= {:.4g}{}\n",
               layer.layer, fmt::join(layer.kept, " "), layer.lowest_kept, layer.highest_gone,
               layer.lowest_kept < layer.highest_gone ? " (of another group)" : "");
    unseen += layer.unseen;
  }
  if (unseen > 0) {
    fmt::print(stderr, "adit-miner: warning: {} experts saw no token of the text and count as 0: calibrate with more\n",
               unseen);
  }
  if (!outcome.is_fragile) return;
  fmt::print(stderr,
             "adit-miner: warning: expert pruning has destroyed models of DeepSeek-V3's architecture (a published one "
             "of 16B kept 80 % of its accuracy without a quarter of its experts, 17 % without half): look at the KL "
             "and at its answers (eval --tasks builtin) before it is served\n");
}

void print_linears(const std::vector<model::PrunedLinear>& pruned) {
  std::uint64_t bytes = 0, dense = 0;
  for (const model::PrunedLinear& linear : pruned) {
    fmt::print("{:<28} {:<14} {:6.2f} % zeros  {:>12} bytes of {}\n", linear.name,
               model::storage_name(linear.storage), linear.sparsity * 100, linear.bytes, linear.dense_bytes);
    bytes += linear.bytes;
    dense += linear.dense_bytes;
  }
  const double share = dense == 0 ? 0 : 100 * static_cast<double>(bytes) / static_cast<double>(dense);
  fmt::print("pruned        {} linears, {} bytes of codes ({:.1f} % of dense)\n", pruned.size(), bytes, share);
}

}  // namespace

int run_prune(const PruneCommand& command) {
  const auto done = prune(command);
  if (!done) return fail(done.error(), pack_exit_code(done.error()));
  if (command.method == kReap) {
    print_experts(*done);
  } else {
    print_linears(done->summary.pruned);
  }
  fmt::print("pack          {}\n", command.output.string());
  fmt::print("content hash  {}\n", to_hex(done->summary.content_hash));
  fmt::print("bytes         {}\n", done->summary.file_bytes);
  if (done->report) {
    const model::EvalReport& report = *done->report;
    fmt::print("perplexity    {:.4f} (f32 {:.4f})\n", report.perplexity_pack, report.perplexity_reference);
    fmt::print("mean KL       {:.3g}\n", report.mean_kl);
    fmt::print("top-1         {:.2f} %\n", report.top1 * 100);
  }
  return exit_code::kOk;
}

void add_prune_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<PruneCommand>();
  auto act = std::make_shared<std::string>("a16");
  auto group = std::make_shared<std::string>("32");
  CLI::App* command = app.add_subcommand(
      "prune", "Turn a published model into a pack of sparse int8 linears, or of fewer experts");
  command->add_option("input", options->input, "GGUF file, or a folder with safetensors")->required();
  command->add_option("-o,--output", options->output, "Pack to write (.adit)")->required();
  command
      ->add_option("--pattern", options->pattern,
                   "N:M (N of every M weights stay), unstructured:SHARE or block:RxC:SHARE (SHARE goes)");
  command
      ->add_option("--method", options->method,
                   "Scores: magnitude |w|, or wanda |w| * norm of the input; reap: whole experts, by router weight * "
                   "norm of the output")
      ->check(CLI::IsMember({"magnitude", "wanda", kReap}))
      ->capture_default_str();
  command->add_option("--experts", options->experts, "reap: experts that stay in each layer")
      ->check(CLI::Range(1, 1 << 20));
  command->add_option("--text", options->text, "Text for wanda, reap and measuring (default: a built-in one)");
  command
      ->add_option("--calibration-tokens", options->calibration_tokens,
                   "Tokens of the text that wanda and reap read")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  command->add_option("--layers", options->layers, "Layers to prune, A or A-B (default: all)");
  command->add_option("--storage", options->storage,
                      "dense, 2:4, bitmask or \"block RxC\" (default: the fastest of about the smallest)");
  command->add_option("--bits", options->bits, "Bits of linears that are not pruned: 4 (affine) or 8")
      ->check(CLI::IsMember({4, 8}))
      ->capture_default_str();
  command->add_option("--group", *group, "Columns of a row that share a scale: 32, 64, 128 or row")
      ->check(CLI::IsMember({"32", "64", "128", "row"}))
      ->capture_default_str();
  command->add_option("--act", *act, "Activations: a16 or a8g (the head reads a16)")
      ->check(CLI::IsMember({"a16", "a8g"}))
      ->capture_default_str();
  command->add_flag("--eval", options->eval, "Measure the pack against the f32 reference");
  command->add_option("--max-kl", options->max_kl,
                      "Refuse a pack whose mean KL is over this; else the pack declares the bound");
  command->add_option("--threads", options->threads, "Threads (default: one a processor)")
      ->check(CLI::Range(1, limits::kEngineThreadsMax));
  command->callback([options, act, group, &exit_code] {
    if (*act == "a8g") options->act = kernels::ActForm::kA8g32;
    options->group = model::parse_group(*group).value();
    exit_code = run_prune(*options);
  });
}

}  // namespace adit::miner
