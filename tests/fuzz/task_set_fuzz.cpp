// SPDX-License-Identifier: MIT
// Any bytes as a file of tasks: an error, or tasks whose answers are right answers to themselves.
#include <cstdlib>

#include "common/base/bytes.hpp"
#include "miner/pack/task_set.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto tasks = adit::miner::parse_tasks(adit::as_text({data, size}), "fuzz");
  if (!tasks) return 0;
  if (tasks->empty()) std::abort();
  for (const auto& task : *tasks) {
    if (task.id.empty() || task.messages.empty()) std::abort();
    if (!adit::answers::is_right(task.answer, adit::answers::Extraction::kLenient, task.type, task.answer)) {
      std::abort();
    }
  }
  return 0;
}
