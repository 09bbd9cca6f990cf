// SPDX-License-Identifier: MIT
#include "miner/serve/engine_source.hpp"

#include <utility>
#include <vector>

namespace adit::miner {
namespace {

// How often a waiting thread looks whether its caller is gone.
constexpr std::chrono::milliseconds kLook{50};

EngineJob job_of(const Question& question) {
  const protocol::SamplingParams& sampling = question.request.sampling;
  return {.prompt = question.request.prompt,
          .params = {.max_tokens = question.request.max_tokens,
                     .sampling = {.temperature_milli = sampling.temperature_milli,
                                  .top_p_65536 = sampling.top_p_65536,
                                  .top_k = sampling.top_k,
                                  .min_p_65536 = sampling.min_p_65536}},
          .binding = {.card = question.request.card,
                      .request = question.request_hash,
                      .seed = question.seed}};
}

}  // namespace

EngineSource::EngineSource(std::shared_ptr<const model::Pack> pack, protocol::Card card,
                           const model::EngineOptions& options, std::uint32_t queue_max)
    : pack_(std::move(pack)), card_(std::move(card)), engine_(pack_, options, queue_max) {}

Result<Answer> EngineSource::answer(const Question& question, net::TokenSink& sink) {
  std::vector<EngineJob> jobs;
  jobs.push_back(job_of(question));
  ADIT_TRY(const std::unique_ptr<EngineCall> call, engine_.submit(std::move(jobs), Origin::kSubnet));
  std::vector<TokenId> ids;
  while (true) {
    ids.clear();
    std::optional<Result<model::Generated>> end;
    for (EngineNews& news : call->wait(kLook)) {
      for (const model::NewToken& token : news.tokens) ids.push_back(token.token);
      end = std::move(news.end);
    }
    const bool there = ids.empty() ? !sink.cancelled() : sink.send(ids);
    if (end) {
      ADIT_TRY(model::Generated done, *std::move(end));
      return Answer{.ids = std::move(done.ids),
                    .finish = static_cast<protocol::FinishReason>(done.finish),
                    .trace_root = done.trace_root};
    }
    if (!there) return make_error(ErrorCode::kCancelled, "the caller is gone");
  }
}

}  // namespace adit::miner
