// SPDX-License-Identifier: MIT
#include "miner/pack/choose_forms.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "common/model/model_parts.hpp"
#include "common/model/pack_format.hpp"
#include "common/model/pack_writer.hpp"
#include "common/model/reference.hpp"

namespace adit::miner {
namespace {

using kernels::ActForm;
using model::LinearChoices;

constexpr std::size_t kTokens = 512;
// A linear of 4 bits has one tensor more: what its entry may take in the header.
constexpr std::uint64_t kEntryBytes = 256;

// Linears that are switched together.
struct Unit {
  std::string name;
  std::vector<std::string> linears;
  double weights = 0;
  // By 4 bits instead of 8; 0 if the source has no more than 8 bits to give.
  std::uint64_t saved = 0;
  double harm = 0;
};

class RemovedFile {
 public:
  explicit RemovedFile(std::filesystem::path path) : path_(std::move(path)) {}
  RemovedFile(const RemovedFile&) = delete;
  RemovedFile& operator=(const RemovedFile&) = delete;
  ~RemovedFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Logits that were computed once.
class KeptLogits final : public model::LogitsSource {
 public:
  Result<void> compute(const model::Reference& reference, const std::vector<TokenId>& ids) {
    vocab_ = static_cast<std::size_t>(reference.config().vocab);
    ADIT_TRY(const auto hidden, reference.hidden(std::vector<std::vector<TokenId>>{ids}));
    rows_.resize(ids.size() * vocab_);
    return reference.logits(hidden.data(), static_cast<int>(ids.size()), rows_.data());
  }
  Result<void> begin(std::span<const std::vector<TokenId>>, const model::EvalProgress&) override {
    return {};
  }
  Result<void> logits(std::size_t, int first, int count, float* out) override {
    std::copy_n(rows_.data() + static_cast<std::size_t>(first) * vocab_,
                static_cast<std::size_t>(count) * vocab_, out);
    return {};
  }

 private:
  std::size_t vocab_ = 0;
  std::vector<float> rows_;
};

std::uint64_t stored_bytes(const model::Part& part, kernels::WeightForm form, kernels::ScaleGroup group) {
  std::uint64_t bytes = 0;
  for (const auto& tensor : model::part_tensors(part, form, group)) {
    std::uint64_t size = model::safetensors::dtype_bytes(tensor.dtype);
    for (const std::uint64_t dim : tensor.shape) size *= dim;
    bytes += (size + 63) / 64 * 64;
  }
  return bytes;
}

class Search {
 public:
  Search(const model::WeightSource& source, const FormSearch& search, const SearchProgress& progress)
      : source_(source), search_(search), progress_(progress) {
    threads_ = search.settings.threads > 0
                   ? search.settings.threads
                   : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  }

  Result<LinearChoices> run(const std::filesystem::path& eight, const std::filesystem::path& four) {
    ADIT_TRY(eight_, packed(eight, 8));
    ADIT_TRY(four_, packed(four, 4));
    ADIT_TRY(ids_, evaluation_ids(*eight_, search_.settings));
    first_ids_ = ids_;
    first_ids_.resize(std::min({ids_.size(), kTokens, static_cast<std::size_t>(eight_->config().context)}));
    ADIT_TRY(reference_, model::Reference::from_source(source_, threads_));
    ADIT_TRY_VOID(first_rows_.compute(*reference_, first_ids_));
    find_units();
    evaluations_ = (search_.bytes_max ? units_.size() : 0) + (search_.act_kl_max ? units_.size() : 0);
    const int bits = search_.bytes_max ? 8 : search_.bits;
    for (const Unit& unit : units_)
      set(choices_, unit, bits, search_.act_kl_max ? ActForm::kA16 : search_.act);
    if (search_.bytes_max) ADIT_TRY_VOID(choose_bits());
    if (search_.act_kl_max) ADIT_TRY_VOID(choose_activations());
    return choices_;
  }

 private:
  Result<std::optional<model::Pack>> packed(const std::filesystem::path& path, int bits) {
    const auto show = [&](double done, std::string_view) {
      if (progress_) progress_(0.1 * (done + (bits == 4 ? 1 : 0)), fmt::format("packing at {} bits", bits));
    };
    ADIT_TRY_VOID(
        model::pack_model(source_, path,
                          {.bits = bits, .group = search_.group, .threads = search_.settings.threads}, show));
    ADIT_TRY(model::Pack pack, model::Pack::open(path));
    return std::optional(std::move(pack));
  }

  void find_units() {
    std::map<std::string, std::size_t> places;
    for (const model::Part& part : model::model_parts(source_.config())) {
      if (part.kind != model::PartKind::kLinear || part.layer < 0) continue;
      const int input = model::shared_input(part.role);
      const std::string key = input < 0 ? part.name : fmt::format("{} {}", part.layer, input);
      const auto [place, is_new] = places.try_emplace(key, units_.size());
      if (is_new) units_.push_back({.name = part.name, .linears = {}});
      Unit& unit = units_[place->second];
      unit.linears.push_back(part.name);
      const auto storage = source_.storage(part);
      if (storage && model::is_affine_u4(storage->type)) stored_four_.insert(part.name);
      unit.weights += static_cast<double>(part.m) * part.k;
      if (four_->linear(part.name)->form != kernels::WeightForm::kU4) continue;
      const std::uint64_t as_eight = stored_bytes(part, kernels::WeightForm::kI8, search_.group);
      const std::uint64_t as_four = stored_bytes(part, kernels::WeightForm::kU4, search_.group) + kEntryBytes;
      unit.saved += as_eight > as_four ? as_eight - as_four : 0;
    }
  }

  // A linear that the pack of 4 bits holds in 8 stays what it is.
  void set(LinearChoices& choices, const Unit& unit, int bits, ActForm act) const {
    for (const std::string& name : unit.linears) {
      const bool wants_four = bits == 4 || (bits == model::kBitsAsStored && stored_four_.contains(name));
      const bool is_four = wants_four && four_->linear(name)->form == kernels::WeightForm::kU4;
      choices[name] = {is_four ? 4 : 8, act};
    }
  }
  static void set_act(LinearChoices& choices, const Unit& unit, ActForm act) {
    for (const std::string& name : unit.linears) choices.at(name).act = act;
  }

  Result<double> measure(const LinearChoices& choices, const std::vector<TokenId>& ids,
                         model::LogitsSource& reference, int window) const {
    const model::Pack pack = model::Pack::mix(*eight_, *four_, choices);
    const auto engine = model::engine_source(pack, {.isa = search_.settings.isa, .threads = threads_});
    const model::EvalOptions options{.vocab = pack.config().vocab, .window = window, .threads = threads_};
    ADIT_TRY(const model::EvalReport report, model::compare_models(ids, reference, *engine, options, {}));
    return report.mean_kl;
  }
  // On the first tokens of the text.
  Result<double> measure(const LinearChoices& choices) {
    return measure(choices, first_ids_, first_rows_, static_cast<int>(first_ids_.size()));
  }
  Result<double> measure_whole(const LinearChoices& choices) const {
    if (progress_) progress_(0.9, "the whole text");
    const int window = std::min(search_.settings.window, eight_->config().context);
    return measure(choices, ids_, *model::reference_source(*reference_), window);
  }

  // What each unit's switch adds to the KL of the present choices.
  Result<void> measure_harms(double base, bool of_bits) {
    for (Unit& unit : units_) {
      if (progress_) {
        progress_(0.2 + 0.7 * static_cast<double>(evaluated_++) / static_cast<double>(evaluations_),
                  unit.name);
      }
      if (of_bits && unit.saved == 0) continue;
      LinearChoices choices = choices_;
      if (of_bits) {
        set(choices, unit, 4, act());
      } else {
        set_act(choices, unit, ActForm::kA8g32);
      }
      ADIT_TRY(const double kl, measure(choices));
      unit.harm = kl - base;
    }
    return {};
  }
  [[nodiscard]] ActForm act() const { return search_.act_kl_max ? ActForm::kA16 : search_.act; }

  Result<void> choose_bits() {
    ADIT_TRY(const double base, measure(choices_));
    ADIT_TRY_VOID(measure_harms(base, true));
    std::vector<const Unit*> order;
    std::uint64_t bytes = eight_->file_bytes();
    for (const Unit& unit : units_) {
      if (unit.saved > 0) order.push_back(&unit);
    }
    std::stable_sort(order.begin(), order.end(), [](const Unit* a, const Unit* b) {
      return a->harm / static_cast<double>(a->saved) < b->harm / static_cast<double>(b->saved);
    });
    for (const Unit* unit : order) {
      if (bytes <= *search_.bytes_max && unit->harm > 0) break;
      set(choices_, *unit, 4, act());
      bytes -= unit->saved;
    }
    if (bytes <= *search_.bytes_max) return {};
    return make_error(ErrorCode::kAborted, "{}: the smallest pack has {} bytes, over the target of {}",
                      source_.label(), bytes, *search_.bytes_max);
  }

  Result<void> choose_activations() {
    ADIT_TRY(const double base, measure(choices_));
    ADIT_TRY_VOID(measure_harms(base, false));
    std::vector<const Unit*> order;
    for (const Unit& unit : units_) order.push_back(&unit);
    std::stable_sort(order.begin(), order.end(), [](const Unit* a, const Unit* b) {
      return a->harm / a->weights < b->harm / b->weights;
    });
    const auto with = [&](std::size_t count) {
      LinearChoices choices = choices_;
      for (std::size_t i = 0; i < count; ++i) set_act(choices, *order[i], ActForm::kA8g32);
      return choices;
    };
    ADIT_TRY(std::size_t count,
             most(order.size(), [&](std::size_t some) { return measure(with(some)); }));
    // What the first tokens say is not what the whole text does.
    if (ids_.size() > first_ids_.size()) {
      ADIT_TRY(count, most(count, [&](std::size_t some) { return measure_whole(with(some)); }));
    }
    choices_ = with(count);
    return {};
  }

  // How many of `all` switches, in their order, keep the bound: all, or found by bisection.
  template <class Measure>
  Result<std::size_t> most(std::size_t all, const Measure& kl_of) const {
    std::size_t kept = 0;
    std::size_t broken = all + 1;
    for (std::size_t some = all; broken - kept > 1; some = kept + (broken - kept) / 2) {
      ADIT_TRY(const double kl, kl_of(some));
      (kl <= *search_.act_kl_max ? kept : broken) = some;
    }
    return kept;
  }

  const model::WeightSource& source_;
  const FormSearch& search_;
  const SearchProgress& progress_;
  int threads_ = 1;
  std::optional<model::Pack> eight_, four_;
  std::vector<TokenId> ids_;
  std::vector<TokenId> first_ids_;
  std::optional<model::Reference> reference_;
  KeptLogits first_rows_;
  std::vector<Unit> units_;
  // Linears that the source stores in blocks which affine u4 holds.
  std::set<std::string> stored_four_;
  LinearChoices choices_;
  std::size_t evaluations_ = 0;
  std::size_t evaluated_ = 0;
};

}  // namespace

Result<LinearChoices> choose_forms(const model::WeightSource& source, const std::filesystem::path& scratch,
                                   const FormSearch& search, const SearchProgress& progress) {
  std::filesystem::path eight = scratch, four = scratch;
  const RemovedFile first(eight += ".8"), second(four += ".4");
  return Search(source, search, progress).run(first.path(), second.path());
}

}  // namespace adit::miner
