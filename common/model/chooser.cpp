// SPDX-License-Identifier: MIT
#include "common/model/chooser.hpp"

#include <optional>

namespace adit::model {

Chooser::Chooser(kernels::Isa isa, int vocab, int threads)
    : isa_(isa), vocab_(static_cast<std::size_t>(vocab)), scratch_(static_cast<std::size_t>(threads)) {
  samplers_.reserve(static_cast<std::size_t>(threads));
  for (int i = 0; i < threads; ++i) samplers_.emplace_back(isa, vocab);
}

Result<Chooser::Choice> Chooser::choose_row(std::size_t worker, const float* logits, const Request& request) {
  Choice choice;
  ADIT_TRY(choice.token, samplers_[worker].choose(logits, request.sampling, request.key, request.position,
                                                  request.allowed));
  if (request.top_logprobs) {
    scratch_[worker].resize(vocab_);
    choice.logprobs =
        logprobs_of(isa_, {logits, vocab_}, choice.token, *request.top_logprobs, scratch_[worker]);
  }
  return choice;
}

Result<std::vector<Chooser::Choice>> Chooser::choose(ThreadTeam& team, const float* logits,
                                                     std::size_t stride, std::span<const Request> requests) {
  std::vector<Choice> choices(requests.size());
  std::vector<std::optional<Error>> errors(requests.size());
  const auto choose_at = [&](std::size_t worker, std::size_t row) {
    Result<Choice> choice = choose_row(worker, logits + row * stride, requests[row]);
    if (choice) {
      choices[row] = *std::move(choice);
    } else {
      errors[row] = choice.error();
    }
  };
  if (requests.size() == 1) {
    choose_at(0, 0);
  } else {
    team.run([&](int worker) {
      const Share share = share_of(static_cast<int>(requests.size()), team.size(), worker);
      for (int row = share.begin; row < share.end; ++row) {
        choose_at(static_cast<std::size_t>(worker), static_cast<std::size_t>(row));
      }
    });
  }
  for (const std::optional<Error>& error : errors) {
    if (error) return tl::unexpected<Error>(*error);
  }
  return choices;
}

}  // namespace adit::model
