// SPDX-License-Identifier: MIT
#include "miner/serve/engine_source.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "common/log/log.hpp"

namespace adit::miner {
namespace {

// How often a waiting thread looks whether its caller is gone, and an idle engine whether it
// should stop.
constexpr std::chrono::milliseconds kLook{50};

}  // namespace

// One question on its way. The engine thread writes, the caller's thread reads.
struct EngineSource::Job {
  Question question;
  std::atomic<bool> abandoned = false;

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<TokenId> fresh;
  std::optional<Result<Answer>> end;

  void put(TokenId id) {
    {
      const std::lock_guard lock(mutex);
      fresh.push_back(id);
    }
    changed.notify_one();
  }
  void finish(Result<Answer> result) {
    {
      const std::lock_guard lock(mutex);
      end = std::move(result);
    }
    changed.notify_one();
  }
};

EngineSource::EngineSource(std::shared_ptr<const model::Pack> pack, protocol::Card card,
                           const model::EngineOptions& options, std::uint32_t queue_max)
    : pack_(std::move(pack)),
      card_(std::move(card)),
      batch_max_(static_cast<std::uint32_t>(options.batch_max)),
      queue_max_(queue_max),
      queue_(std::size_t{batch_max_} + queue_max_),
      engine_(*pack_, options),
      thread_([this] { run(); }) {}

EngineSource::~EngineSource() {
  queue_.close();
  thread_.join();
}

Load EngineSource::load() const {
  const std::uint32_t inside = inside_;
  const std::uint32_t running = std::min<std::uint32_t>(running_count_, inside);
  return {.running = running,
          .waiting = inside - running,
          .batch_max = batch_max_,
          .queue_max = queue_max_};
}

Result<Answer> EngineSource::answer(const Question& question, net::TokenSink& sink) {
  struct Place {
    std::atomic<std::uint32_t>& count;
    std::uint32_t before = count.fetch_add(1);
    ~Place() { --count; }
  } place{inside_};
  if (place.before >= batch_max_ + queue_max_) {
    return resource_exhausted("{} questions run or wait here already", place.before);
  }
  const auto job = std::make_shared<Job>();
  job->question = question;
  if (!queue_.try_push(job)) {
    if (queue_.closed()) return unavailable("this miner is stopping");
    return resource_exhausted("the queue of {} is full", queue_max_);
  }
  std::vector<TokenId> ids;
  while (true) {
    std::optional<Result<Answer>> end;
    {
      std::unique_lock lock(job->mutex);
      job->changed.wait_for(lock, kLook, [&] { return !job->fresh.empty() || job->end; });
      ids.clear();
      std::swap(ids, job->fresh);
      if (job->end) end = std::move(job->end);
    }
    const bool there = ids.empty() ? !sink.cancelled() : sink.send(ids);
    if (end) return *std::move(end);
    if (!there) {
      job->abandoned = true;
      return make_error(ErrorCode::kCancelled, "the caller is gone");
    }
  }
}

void EngineSource::run() {
  while (!queue_.closed()) {
    take_jobs();
    drop_abandoned();
    if (!running_.empty()) step();
    running_count_ = static_cast<std::uint32_t>(running_.size());
  }
  const Error stopping{ErrorCode::kUnavailable, "this miner is stopping"};
  fail_all(stopping);
  while (const std::optional<JobPtr> job = queue_.try_pop()) {
    (*job)->finish(tl::unexpected<Error>(stopping));
  }
}

void EngineSource::take_jobs() {
  while (engine_.has_room()) {
    std::optional<JobPtr> job = running_.empty() ? queue_.pop_for(kLook) : queue_.try_pop();
    if (!job) return;
    start(*job);
  }
}

void EngineSource::start(const JobPtr& job) {
  if (job->abandoned) return;
  const Question& question = job->question;
  const protocol::SamplingParams& sampling = question.request.sampling;
  const model::GenerateParams params{.max_tokens = question.request.max_tokens,
                                     .sampling = {.temperature_milli = sampling.temperature_milli,
                                                  .top_p_65536 = sampling.top_p_65536,
                                                  .top_k = sampling.top_k,
                                                  .min_p_65536 = sampling.min_p_65536}};
  const proof::TraceBinding binding{
      .card = question.request.card, .request = question.request_hash, .seed = question.seed};
  const auto sequence = engine_.add(question.request.prompt, params, binding);
  if (!sequence) {
    job->finish(tl::unexpected<Error>(sequence.error()));
    return;
  }
  running_.emplace(*sequence, job);
}

void EngineSource::drop_abandoned() {
  for (auto each = running_.begin(); each != running_.end();) {
    if (each->second->abandoned) {
      engine_.cancel(each->first);
      each = running_.erase(each);
    } else {
      ++each;
    }
  }
}

void EngineSource::step() {
  auto result = engine_.step();
  if (!result) {
    ADIT_LOG(kError, "engine_step_failed", {"reason", result.error().message});
    fail_all({ErrorCode::kInternal, "the forward pass failed"});
    return;
  }
  for (const model::NewToken& token : result->tokens) {
    if (const auto found = running_.find(token.sequence); found != running_.end()) {
      found->second->put(token.token);
    }
  }
  for (model::Generated& done : result->finished) {
    const auto found = running_.find(done.sequence);
    if (found == running_.end()) continue;
    found->second->finish(Answer{.ids = std::move(done.ids),
                                 .finish = static_cast<protocol::FinishReason>(done.finish),
                                 .trace_root = done.trace_root});
    running_.erase(found);
  }
}

void EngineSource::fail_all(const Error& error) {
  for (const auto& [sequence, job] : running_) {
    engine_.cancel(sequence);
    job->finish(tl::unexpected<Error>(error));
  }
  running_.clear();
}

}  // namespace adit::miner
