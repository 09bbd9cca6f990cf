// SPDX-License-Identifier: MIT
#include "validator/query/fan_out.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

namespace adit::validator {
namespace {

// Hands out the next question whose miner has room, lowest index first.
class Dispatcher {
 public:
  Dispatcher(const std::vector<Question>& questions, unsigned per_miner)
      : questions_(questions), taken_(questions.size(), false), per_miner_(std::max(1u, per_miner)) {}

  // The index of a question to ask now; size() when all are taken. Waits while every open one is blocked.
  std::size_t take() {
    std::unique_lock lock(mutex_);
    for (;;) {
      bool blocked = false;
      for (std::size_t i = 0; i < questions_.size(); ++i) {
        if (taken_[i]) continue;
        unsigned& running = running_[questions_[i].asked.hotkey];
        if (running < per_miner_) {
          taken_[i] = true;
          ++running;
          return i;
        }
        blocked = true;
      }
      if (!blocked) return questions_.size();
      changed_.wait(lock);
    }
  }

  // Returns how many are finished.
  std::size_t finish(std::size_t index) {
    const std::lock_guard lock(mutex_);
    --running_[questions_[index].asked.hotkey];
    changed_.notify_all();
    return ++finished_;
  }

 private:
  const std::vector<Question>& questions_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<bool> taken_;
  std::map<AccountId, unsigned> running_;
  const unsigned per_miner_;
  std::size_t finished_ = 0;
};

}  // namespace

std::vector<Answered> fan_out(MinerClient& client, std::vector<Question> questions,
                              const FanOutOptions& options, const std::function<void(std::size_t)>& done) {
  std::vector<Reply> replies(questions.size());
  Dispatcher dispatcher(questions, options.per_miner);
  std::mutex report;
  const auto work = [&] {
    for (std::size_t i = dispatcher.take(); i < questions.size(); i = dispatcher.take()) {
      const Question& question = questions[i];
      if (question.address) {
        replies[i] =
            client.ask(*question.address, question.asked.hotkey, question.request, options.deadline_ms);
      } else {
        replies[i].detail = "the miner announces no address that can be reached";
      }
      const std::size_t finished = dispatcher.finish(i);
      const std::lock_guard lock(report);
      if (done) done(finished);
    }
  };
  {
    std::vector<std::jthread> threads;
    const std::size_t count = std::min<std::size_t>(std::max(1u, options.threads), questions.size());
    for (std::size_t i = 0; i < count; ++i) threads.emplace_back(work);
  }
  std::vector<Answered> out;
  out.reserve(questions.size());
  for (std::size_t i = 0; i < questions.size(); ++i) {
    out.push_back({std::move(questions[i]), std::move(replies[i])});
  }
  return out;
}

}  // namespace adit::validator
