// SPDX-License-Identifier: MIT
#include "miner/pack/evaluate.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include "common/base/files.hpp"
#include "common/base/limits.hpp"
#include "common/crypto/hash.hpp"
#include "common/model/reference.hpp"
#include "common/model/tokenizer.hpp"
#include "common/model/weight_source.hpp"

namespace adit::miner {
namespace {

Result<void> check_same_shape(const model::Pack& pack, const model::Reference& reference,
                              const std::string& original) {
  const model::ModelConfig& a = pack.config();
  const model::ModelConfig& b = reference.config();
  if (a.layers == b.layers && a.hidden == b.hidden && a.vocab == b.vocab && a.heads == b.heads) return {};
  return invalid_argument("{}: {} layers of {} with {} tokens, but {} has {} layers of {} with {} tokens",
                          pack.path().string(), a.layers, a.hidden, a.vocab, original, b.layers, b.hidden,
                          b.vocab);
}

}  // namespace

Result<std::string> eval_text(const std::optional<std::filesystem::path>& path) {
  if (!path) return std::string(builtin_eval_text());
  ADIT_TRY(const Bytes bytes, read_file(*path, limits::kStringBytesMax));
  return std::string(as_text(bytes));
}

Result<std::vector<TokenId>> evaluation_ids(const model::Pack& pack, const EvaluateSettings& settings) {
  ADIT_TRY(const std::string text, eval_text(settings.text));
  ADIT_TRY(const model::Tokenizer tokenizer, model::Tokenizer::from_blob(pack.tokenizer_json()));
  return tokenizer.encode(text, false);
}

Result<model::EvalReport> evaluate(const model::Pack& pack, const std::filesystem::path& original,
                                   const EvaluateSettings& settings, const model::EvalProgress& progress) {
  if (auto fits = model::check_kv(pack.config(), settings.kv); !fits)
    return tl::unexpected<Error>(fits.error().context("--kv int8"));
  const int threads = settings.threads > 0
                          ? settings.threads
                          : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  ADIT_TRY(const auto published, model::open_weights(original));
  ADIT_TRY(const model::Reference reference, model::Reference::from_source(*published, threads));
  ADIT_TRY_VOID(check_same_shape(pack, reference, original.string()));
  ADIT_TRY(const std::vector<TokenId> ids, evaluation_ids(pack, settings));
  const auto source = model::reference_source(reference);
  const auto engine = model::engine_source(pack, {.isa = settings.isa, .kv = settings.kv, .threads = threads});
  const int window = std::min(settings.window, pack.config().context);
  return model::compare_models(
      ids, *source, *engine, {.vocab = pack.config().vocab, .window = window, .threads = threads}, progress);
}

Result<model::Declaration> declaration_of(const model::EvalReport& report, double bound,
                                          const std::filesystem::path& original,
                                          const EvaluateSettings& settings, int context) {
  ADIT_TRY(const std::string text, eval_text(settings.text));
  const std::filesystem::path name =
      original.has_filename() ? original.filename() : original.parent_path().filename();
  // The sum of rounded terms of a pack that is as good as its original can end below 0.
  return model::Declaration{.mean_kl = std::max(report.mean_kl, 0.0),
                            .bound = bound,
                            .against = model::declarable("f32 of " + name.string()),
                            .text_hash = crypto::blake2b_256(as_bytes(text)),
                            .text_bytes = text.size(),
                            .positions = report.positions,
                            .window = static_cast<std::uint64_t>(std::min(settings.window, context))};
}

Result<void> keep_bound(const std::filesystem::path& output, double mean_kl, double bound,
                        std::string_view then) {
  // Not `>`: a KL that is no number is over every bound.
  if (mean_kl <= bound) return {};
  return make_error(ErrorCode::kAborted, "{}: mean KL {:.3g} is over the bound of {:.3g}{}", output.string(),
                    mean_kl, bound, then);
}

Result<void> check_bound(std::string_view flag, const std::optional<double>& bound) {
  if (!bound || (*bound > 0 && std::isfinite(*bound))) return {};
  return invalid_argument("{} {}: expected a number above 0", flag, *bound);
}

}  // namespace adit::miner
