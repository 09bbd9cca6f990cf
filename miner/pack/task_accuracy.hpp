// SPDX-License-Identifier: MIT
// miner/pack/task_accuracy.hpp
//
// How many tasks a pack answers rightly, and how many the f32 reference of its original does: both greedy, behind
// the pack's chat template.
//
// In       a pack, the source of its original, tasks.
// Out      counts by kind of answer and over all. same_answer: the two answers say the same (or both nothing);
//          same_text: all ids are equal.
// Exact    the pack's answers are canonical. The reference's are those of plain greedy decoding with it: the pack
//          drafts, the reference checks every id against its own largest logit and puts its own where they differ.
// Errors   those of tokenizer and template; kInvalidArgument naming the task whose prompt is too long.
// Units    one pass of the reference over the tasks for each time that one of its answers leaves the pack's.
// Threads  settings.threads.
// Tests    tests/unit/miner/pack/task_accuracy_test.cpp
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/kv_form.hpp"
#include "common/model/pack.hpp"
#include "common/model/reference.hpp"
#include "kernels/core/isa.h"
#include "miner/pack/task_set.hpp"

namespace adit::miner {

struct TaskCounts {
  std::size_t tasks = 0;
  std::size_t right_pack = 0;
  std::size_t right_reference = 0;
  std::size_t same_answer = 0;
  std::size_t same_text = 0;

  bool operator==(const TaskCounts&) const = default;
};

struct TaskReport {
  TaskCounts all;
  // By kind_name.
  std::map<std::string, TaskCounts, std::less<>> kinds;
};

struct TaskSettings {
  int max_tokens = 48;
  int threads = 1;
  kernels::Isa isa = kernels::best_isa();
  // check_kv holds for the pack.
  model::KvForm kv = model::KvForm::kF16;
};

// Greedy answers of the pack; `budgets`: how many ids each may have, at least 1. A stop id ends an answer and counts.
using IdLists = std::vector<std::vector<TokenId>>;
[[nodiscard]] Result<IdLists> pack_answers(const model::Pack& pack, const IdLists& prompts,
                                           std::span<const int> budgets, const TaskSettings& settings);
// The same of the reference, from drafts that need not be any good.
[[nodiscard]] Result<IdLists> reference_answers(const model::Pack& pack, const model::Reference& reference,
                                                const IdLists& prompts, const IdLists& drafts,
                                                const TaskSettings& settings,
                                                const std::function<void(double)>& progress);
[[nodiscard]] Result<TaskReport> answer_tasks(const model::Pack& pack, const model::Reference& reference,
                                              std::span<const TaskItem> tasks, const TaskSettings& settings,
                                              const std::function<void(double)>& progress);

}  // namespace adit::miner
