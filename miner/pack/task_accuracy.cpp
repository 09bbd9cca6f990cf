// SPDX-License-Identifier: MIT
#include "miner/pack/task_accuracy.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "common/model/card.hpp"
#include "common/model/generator.hpp"
#include "common/model/tokenizer.hpp"
#include "common/protocol/messages.hpp"
#include "miner/generate/generate.hpp"
#include "miner/generate/standalone.hpp"

namespace adit::miner {
namespace {

constexpr int kBatch = 16;
// Tasks of one pass of the reference, and rows of logits at once.
constexpr std::size_t kPassTasks = 64;
constexpr int kLogitRows = 64;
// Share of the progress that the pack's own answers take.
constexpr double kPackShare = 0.2;

std::size_t z(int value) { return static_cast<std::size_t>(value); }

bool is_stop(const model::Pack& pack, TokenId id) {
  const auto& stops = pack.config().stop_ids;
  return std::find(stops.begin(), stops.end(), id) != stops.end();
}

// One answer of the reference that is being made.
struct Decoding {
  const std::vector<TokenId>* prompt = nullptr;
  std::vector<TokenId> answer = {};
  std::vector<TokenId> draft = {};
  bool is_done = false;
};

class ReferenceDecoder {
 public:
  ReferenceDecoder(const model::Pack& pack, const model::Reference& reference, const TaskSettings& settings)
      : pack_(pack), reference_(reference), settings_(settings) {}

  // Until every answer is whole.
  Result<void> run(std::span<Decoding> answers) {
    while (true) {
      std::vector<Decoding*> open;
      for (Decoding& one : answers) {
        if (!one.is_done) open.push_back(&one);
      }
      if (open.empty()) return {};
      ADIT_TRY_VOID(draft(open));
      ADIT_TRY_VOID(check(open));
    }
  }

 private:
  // The pack goes on where a draft is used up.
  Result<void> draft(const std::vector<Decoding*>& open) {
    IdLists prompts;
    std::vector<int> budgets;
    std::vector<Decoding*> asking;
    for (Decoding* one : open) {
      if (!one->draft.empty()) continue;
      prompts.push_back(*one->prompt);
      prompts.back().insert(prompts.back().end(), one->answer.begin(), one->answer.end());
      budgets.push_back(settings_.max_tokens - static_cast<int>(one->answer.size()));
      asking.push_back(one);
    }
    if (asking.empty()) return {};
    ADIT_TRY(IdLists drafts, pack_answers(pack_, prompts, budgets, settings_));
    for (std::size_t i = 0; i < asking.size(); ++i) asking[i]->draft = std::move(drafts[i]);
    return {};
  }

  // Takes over of each draft what the reference says as well, and the reference's own id after that.
  Result<void> check(const std::vector<Decoding*>& open) {
    IdLists sequences;
    for (const Decoding* one : open) {
      sequences.push_back(*one->prompt);
      sequences.back().insert(sequences.back().end(), one->answer.begin(), one->answer.end());
      sequences.back().insert(sequences.back().end(), one->draft.begin(), one->draft.end() - 1);
    }
    ADIT_TRY(const std::vector<float> hidden, reference_.hidden(sequences));
    std::size_t row = 0;
    for (std::size_t i = 0; i < open.size(); ++i) {
      const std::size_t first = row + open[i]->prompt->size() + open[i]->answer.size() - 1;
      ADIT_TRY_VOID(check_one(*open[i], hidden.data() + first * z(reference_.config().hidden)));
      row += sequences[i].size();
    }
    return {};
  }

  // `hidden`: the rows whose logits choose the ids of the draft.
  Result<void> check_one(Decoding& one, const float* hidden) {
    const std::vector<TokenId> draft = std::exchange(one.draft, {});
    const std::size_t vocab = z(reference_.config().vocab);
    std::vector<float> logits(z(kLogitRows) * vocab);
    for (std::size_t i = 0; i < draft.size(); ++i) {
      const std::size_t of_block = i % z(kLogitRows);
      if (of_block == 0) {
        const auto count = std::min(draft.size() - i, z(kLogitRows));
        ADIT_TRY_VOID(reference_.logits(hidden + i * z(reference_.config().hidden), static_cast<int>(count),
                                        logits.data()));
      }
      const float* from = logits.data() + of_block * vocab;
      const auto best = static_cast<TokenId>(std::max_element(from, from + vocab) - from);
      one.answer.push_back(best);
      one.is_done = is_stop(pack_, best) || one.answer.size() == z(settings_.max_tokens);
      if (one.is_done || best != draft[i]) return {};
    }
    return {};
  }

  const model::Pack& pack_;
  const model::Reference& reference_;
  const TaskSettings& settings_;
};

void count(TaskCounts& counts, bool right_pack, bool right_reference, bool same_answer, bool same_text) {
  ++counts.tasks;
  counts.right_pack += right_pack ? 1 : 0;
  counts.right_reference += right_reference ? 1 : 0;
  counts.same_answer += same_answer ? 1 : 0;
  counts.same_text += same_text ? 1 : 0;
}

}  // namespace

Result<IdLists> pack_answers(const model::Pack& pack, const IdLists& prompts, std::span<const int> budgets,
                             const TaskSettings& settings) {
  model::BatchEngine engine(pack,
                           {.isa = settings.isa, .kv = settings.kv, .threads = settings.threads, .batch_max = kBatch});
  const Hash256 card = protocol::card_hash(model::card_of(pack, {}, settings.kv));
  IdLists out(prompts.size());
  std::map<model::SequenceId, std::size_t> places;
  std::size_t next = 0;
  while (next < prompts.size() || engine.running() > 0) {
    while (next < prompts.size() && engine.has_room()) {
      const model::GenerateParams params{.max_tokens = static_cast<std::uint32_t>(budgets[next]),
                                         .sampling = {.temperature_milli = 0}};
      ADIT_TRY_VOID(model::check_generation(pack.config(), prompts[next], params));
      ADIT_TRY(const model::SequenceId id,
               engine.add(prompts[next], params, standalone_binding(card, prompts[next], params, 0)));
      places.emplace(id, next++);
    }
    ADIT_TRY(model::StepResult step, engine.step());
    for (model::Generated& done : step.finished) out[places.at(done.sequence)] = std::move(done.ids);
  }
  return out;
}

Result<IdLists> reference_answers(const model::Pack& pack, const model::Reference& reference, const IdLists& prompts,
                                  const IdLists& drafts, const TaskSettings& settings,
                                  const std::function<void(double)>& progress) {
  ReferenceDecoder decoder(pack, reference, settings);
  IdLists out;
  for (std::size_t begin = 0; begin < prompts.size(); begin += kPassTasks) {
    if (progress) progress(static_cast<double>(begin) / static_cast<double>(prompts.size()));
    std::vector<Decoding> answers;
    for (std::size_t i = begin; i < std::min(begin + kPassTasks, prompts.size()); ++i) {
      answers.push_back({.prompt = &prompts[i], .draft = drafts[i]});
    }
    ADIT_TRY_VOID(decoder.run(answers));
    for (Decoding& one : answers) out.push_back(std::move(one.answer));
  }
  return out;
}

Result<TaskReport> answer_tasks(const model::Pack& pack, const model::Reference& reference,
                                std::span<const TaskItem> tasks, const TaskSettings& settings,
                                const std::function<void(double)>& progress) {
  ADIT_TRY(const model::Tokenizer tokenizer, model::Tokenizer::from_blob(pack.tokenizer_json()));
  IdLists prompts;
  for (const TaskItem& task : tasks) {
    auto ids = chat_ids(pack, tokenizer, task.messages);
    const model::GenerateParams params{.max_tokens = static_cast<std::uint32_t>(settings.max_tokens)};
    auto fits = ids ? model::check_generation(pack.config(), *ids, params)
                    : Result<void>(tl::unexpected<Error>(ids.error()));
    if (!fits) return tl::unexpected<Error>(fits.error().context("task " + task.id));
    prompts.push_back(*std::move(ids));
  }
  const std::vector<int> budgets(prompts.size(), settings.max_tokens);
  ADIT_TRY(const IdLists of_pack, pack_answers(pack, prompts, budgets, settings));
  ADIT_TRY(const IdLists of_reference, reference_answers(pack, reference, prompts, of_pack, settings, [&](double done) {
             if (progress) progress(kPackShare + (1 - kPackShare) * done);
           }));
  TaskReport out;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const TaskItem& task = tasks[i];
    const auto words = z(static_cast<int>(std::count(task.answer.begin(), task.answer.end(), ' '))) + 1;
    const auto read = [&](const std::vector<TokenId>& ids) {
      return answers::extract_answer(tokenizer.decode(ids, true), task.extraction, task.type, words);
    };
    const auto a = read(of_pack[i]), b = read(of_reference[i]);
    for (TaskCounts* counts : {&out.all, &out.kinds[std::string(kind_name(task.type))]}) {
      count(*counts, a == task.answer, b == task.answer, a == b, of_pack[i] == of_reference[i]);
    }
  }
  return out;
}

}  // namespace adit::miner
