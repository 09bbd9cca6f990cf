// SPDX-License-Identifier: MIT
#include "common/model/chooser.hpp"

#include <optional>

namespace adit::model {

Chooser::Chooser(kernels::Isa isa, int vocab, int threads) {
  samplers_.reserve(static_cast<std::size_t>(threads));
  for (int i = 0; i < threads; ++i) samplers_.emplace_back(isa, vocab);
}

Result<std::vector<TokenId>> Chooser::choose(ThreadTeam& team, const float* logits, std::size_t stride,
                                             std::span<const Request> requests) {
  std::vector<TokenId> tokens(requests.size());
  std::vector<std::optional<Error>> errors(requests.size());
  const auto choose_row = [&](std::size_t worker, std::size_t row) {
    const Request& request = requests[row];
    Result<TokenId> token =
        samplers_[worker].choose(logits + row * stride, request.sampling, request.key, request.position);
    if (token) {
      tokens[row] = *token;
    } else {
      errors[row] = token.error();
    }
  };
  if (requests.size() == 1) {
    choose_row(0, 0);
  } else {
    team.run([&](int worker) {
      const Share share = share_of(static_cast<int>(requests.size()), team.size(), worker);
      for (int row = share.begin; row < share.end; ++row) {
        choose_row(static_cast<std::size_t>(worker), static_cast<std::size_t>(row));
      }
    });
  }
  for (const std::optional<Error>& error : errors) {
    if (error) return tl::unexpected<Error>(*error);
  }
  return tokens;
}

}  // namespace adit::model
