// SPDX-License-Identifier: MIT
#include "miner/serve/engine_source.hpp"

#include <gtest/gtest.h>

#include <future>

#include "common/model/card.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_llama.hpp"

namespace adit::miner {
namespace {

// Counts tokens; goes away when told, or after so many of them.
class Caller final : public net::TokenSink {
 public:
  explicit Caller(std::size_t leaves_after = 1'000'000) : leaves_after_(leaves_after) {}
  bool send(std::span<const TokenId> ids) override {
    seen.insert(seen.end(), ids.begin(), ids.end());
    if (!told_) started.set_value();
    told_ = true;
    return seen.size() < leaves_after_ && !gone;
  }
  bool cancelled() const override { return gone; }
  std::vector<TokenId> seen;
  std::promise<void> started;
  std::atomic<bool> gone = false;

 private:
  const std::size_t leaves_after_;
  bool told_ = false;
};

struct Scene {
  test::TempDir dir;
  std::shared_ptr<const model::Pack> pack = std::make_shared<const model::Pack>(
      test::tiny_llama_pack(dir.path(), {.context = 8192}, {.bits = 8}));

  std::unique_ptr<EngineSource> source(int batch_max, std::uint32_t queue_max) const {
    const model::EngineOptions options{.threads = 1, .prefill_chunk = 16, .batch_max = batch_max};
    return std::make_unique<EngineSource>(pack, model::card_of(*pack), options, queue_max);
  }
};

Question question(std::uint8_t tag, std::uint32_t max_tokens) {
  Question out;
  out.request.prompt.assign(30, 5 + tag);
  out.request.max_tokens = max_tokens;
  out.request.sampling.temperature_milli = 1000;
  out.seed.fill(tag);
  return out;
}

auto ask(EngineSource& source, const Question& what, Caller& caller) {
  return std::async(std::launch::async,
                    [&source, what, &caller] { return source.answer(what, caller); });
}

TEST(EngineSource, streams_exactly_the_ids_of_the_answer) {
  const Scene scene;
  const auto source = scene.source(4, 4);
  Caller alone;
  const auto first = source->answer(question(1, 60), alone);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(alone.seen, first->ids);
  // Beside others it says the same.
  std::vector<Caller> callers(4);
  std::vector<std::future<Result<Answer>>> answers;
  for (std::uint8_t i = 0; i < 4; ++i) answers.push_back(ask(*source, question(i, 60), callers[i]));
  for (std::uint8_t i = 0; i < 4; ++i) {
    const auto answer = answers[i].get();
    ASSERT_TRUE(answer);
    EXPECT_EQ(callers[i].seen, answer->ids);
    if (i == 1) {
      EXPECT_EQ(answer->ids, first->ids);
      EXPECT_EQ(answer->trace_root, first->trace_root);
    }
  }
  EXPECT_EQ(source->load().running, 0U);
}

TEST(EngineSource, refuses_beyond_batch_and_queue) {
  const Scene scene;
  const auto source = scene.source(1, 1);
  Caller running, waiting, third;
  auto first = ask(*source, question(1, 8000), running);
  running.started.get_future().wait();
  auto second = ask(*source, question(2, 5), waiting);
  while (source->load().waiting == 0) std::this_thread::yield();
  EXPECT_EQ(source->answer(question(3, 5), third).error().code, ErrorCode::kResourceExhausted);
  running.gone = true;
  EXPECT_EQ(first.get().error().code, ErrorCode::kCancelled);
  EXPECT_TRUE(second.get());
  EXPECT_TRUE(source->answer(question(3, 5), third));
}

TEST(EngineSource, a_caller_that_leaves_frees_its_place) {
  const Scene scene;
  const auto source = scene.source(1, 0);
  for (int i = 0; i < 5; ++i) {
    Caller leaving(3);
    EXPECT_EQ(source->answer(question(1, 8000), leaving).error().code, ErrorCode::kCancelled);
  }
  Caller staying;
  EXPECT_TRUE(source->answer(question(2, 5), staying));
}

TEST(EngineSource, the_end_tells_everybody) {
  const Scene scene;
  auto source = scene.source(1, 2);
  Caller running, waiting;
  auto first = ask(*source, question(1, 8000), running);
  running.started.get_future().wait();
  auto second = ask(*source, question(2, 5), waiting);
  while (source->load().waiting == 0) std::this_thread::yield();
  source->stop();
  EXPECT_EQ(first.get().error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(second.get().error().code, ErrorCode::kUnavailable);
  Caller late;
  EXPECT_EQ(source->answer(question(3, 5), late).error().code, ErrorCode::kUnavailable);
}

TEST(EngineSource, what_the_engine_refuses_is_an_error_of_that_question_only) {
  const Scene scene;
  const auto source = scene.source(2, 2);
  Caller good, bad;
  auto running = ask(*source, question(1, 200), good);
  Question wrong = question(2, 5);
  wrong.request.prompt[3] = 100'000;
  EXPECT_EQ(source->answer(wrong, bad).error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(running.get());
}

}  // namespace
}  // namespace adit::miner
