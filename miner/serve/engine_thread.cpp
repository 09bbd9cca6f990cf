// SPDX-License-Identifier: MIT
#include "miner/serve/engine_thread.hpp"

#include <algorithm>
#include <utility>

#include "common/log/log.hpp"

namespace adit::miner {
namespace {

Error stopping_error() { return {ErrorCode::kUnavailable, "this miner is stopping"}; }

}  // namespace

// What the engine thread writes and the caller's thread reads.
struct EngineCall::Jobs {
  struct Job {
    EngineJob job;
    std::atomic<bool> abandoned = false;
    std::atomic<bool> released = false;
  };

  Jobs(std::vector<EngineJob>&& work, std::shared_ptr<std::atomic<std::uint32_t>> places)
      : jobs(work.size()), inside(std::move(places)) {
    for (std::size_t i = 0; i < work.size(); ++i) jobs[i].job = std::move(work[i]);
  }

  EngineNews& news_of(std::size_t index) {
    const auto found = std::find_if(news.begin(), news.end(), [&](const auto& n) { return n.job == index; });
    return found != news.end() ? *found : news.emplace_back(EngineNews{.job = index});
  }
  void put(std::size_t index, model::NewToken&& token) {
    {
      const std::lock_guard lock(mutex);
      news_of(index).tokens.push_back(std::move(token));
    }
    changed.notify_one();
  }
  void finish(std::size_t index, Result<model::Generated> result) {
    {
      const std::lock_guard lock(mutex);
      news_of(index).end = std::move(result);
    }
    release(index);
    changed.notify_one();
  }
  // Gives the job's place back, once.
  void release(std::size_t index) {
    if (!jobs[index].released.exchange(true)) --*inside;
  }

  std::vector<Job> jobs;
  std::shared_ptr<std::atomic<std::uint32_t>> inside;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<EngineNews> news;
};

std::vector<EngineNews> EngineCall::wait(std::chrono::milliseconds wait) {
  std::unique_lock lock(jobs_->mutex);
  jobs_->changed.wait_for(lock, wait, [&] { return !jobs_->news.empty(); });
  return std::exchange(jobs_->news, {});
}

void EngineCall::abandon(std::size_t job) {
  jobs_->jobs[job].abandoned = true;
  jobs_->release(job);
}

void EngineCall::abandon_all() {
  for (std::size_t i = 0; i < jobs_->jobs.size(); ++i) abandon(i);
}

EngineThread::EngineThread(std::shared_ptr<const model::Pack> pack, const model::EngineOptions& options,
                           std::uint32_t queue_max)
    : pack_(std::move(pack)),
      batch_max_(static_cast<std::uint32_t>(options.batch_max)),
      queue_max_(queue_max),
      engine_(*pack_, options),
      thread_([this] { run(); }) {}

EngineThread::~EngineThread() {
  stop();
  thread_.join();
}

void EngineThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

Load EngineThread::load() const {
  const std::uint32_t inside = *inside_;
  const std::uint32_t running = std::min<std::uint32_t>(running_count_, inside);
  return {.running = running, .waiting = inside - running, .batch_max = batch_max_, .queue_max = queue_max_};
}

Result<std::unique_ptr<EngineCall>> EngineThread::submit(std::vector<EngineJob> jobs, Origin origin) {
  const auto count = static_cast<std::uint32_t>(jobs.size());
  std::shared_ptr<Jobs> shared;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return tl::unexpected<Error>(stopping_error());
    if (*inside_ + count > batch_max_ + queue_max_) {
      return resource_exhausted("{} answers run or wait here already, {} places", inside_->load(),
                                batch_max_ + queue_max_);
    }
    *inside_ += count;
    shared = std::make_shared<Jobs>(std::move(jobs), inside_);
    for (std::size_t i = 0; i < count; ++i) (origin == Origin::kSubnet ? subnet_ : local_).push_back({shared, i});
  }
  changed_.notify_all();
  return std::unique_ptr<EngineCall>(new EngineCall(std::move(shared)));
}

void EngineThread::run() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      const auto has_work = [&] { return stopping_ || !subnet_.empty() || !local_.empty(); };
      if (running_.empty()) changed_.wait(lock, has_work);
      if (stopping_) break;
    }
    take_items();
    drop_abandoned();
    if (!running_.empty()) step();
    running_count_ = static_cast<std::uint32_t>(running_.size());
  }
  fail_all(stopping_error());
  while (const std::optional<Item> item = next_item()) {
    item->jobs->finish(item->index, tl::unexpected<Error>(stopping_error()));
  }
}

std::optional<EngineThread::Item> EngineThread::next_item() {
  const std::lock_guard lock(mutex_);
  std::deque<Item>& queue = subnet_.empty() ? local_ : subnet_;
  if (queue.empty()) return std::nullopt;
  Item item = std::move(queue.front());
  queue.pop_front();
  return item;
}

void EngineThread::take_items() {
  while (engine_.has_room()) {
    const std::optional<Item> item = next_item();
    if (!item) return;
    start(*item);
  }
}

void EngineThread::start(const Item& item) {
  Jobs::Job& mine = item.jobs->jobs[item.index];
  if (mine.abandoned) return;
  const auto sequence =
      engine_.add(mine.job.prompt, mine.job.params, mine.job.binding, std::move(mine.job.extras));
  if (!sequence) {
    item.jobs->finish(item.index, tl::unexpected<Error>(sequence.error()));
    return;
  }
  running_.emplace(*sequence, item);
}

void EngineThread::drop_abandoned() {
  for (auto each = running_.begin(); each != running_.end();) {
    const Item& item = each->second;
    if (item.jobs->jobs[item.index].abandoned) {
      engine_.cancel(each->first);
      each = running_.erase(each);
    } else {
      ++each;
    }
  }
}

void EngineThread::step() {
  auto result = engine_.step();
  if (!result) {
    ADIT_LOG(kError, "engine_step_failed", {"reason", result.error().message});
    fail_all({ErrorCode::kInternal, "the forward pass failed"});
    return;
  }
  for (model::NewToken& token : result->tokens) {
    const auto found = running_.find(token.sequence);
    if (found != running_.end()) found->second.jobs->put(found->second.index, std::move(token));
  }
  for (model::Generated& done : result->finished) {
    const auto found = running_.find(done.sequence);
    if (found == running_.end()) continue;
    found->second.jobs->finish(found->second.index, std::move(done));
    running_.erase(found);
  }
}

void EngineThread::fail_all(const Error& error) {
  for (const auto& [sequence, item] : running_) {
    engine_.cancel(sequence);
    item.jobs->finish(item.index, tl::unexpected<Error>(error));
  }
  running_.clear();
}

}  // namespace adit::miner
