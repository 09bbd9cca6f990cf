// SPDX-License-Identifier: MIT
// Any bytes as the body of a request: refused with an error object, or values within their bounds.
#include <cstdlib>

#include "common/base/bytes.hpp"
#include "common/base/limits.hpp"
#include "miner/openai/json.hpp"
#include "miner/openai/request.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using adit::miner::openai::Endpoint;
  using adit::miner::openai::Json;
  using adit::miner::openai::kChoicesMax;
  using adit::miner::openai::kPromptsMax;
  for (const Endpoint endpoint : {Endpoint::kChat, Endpoint::kCompletions}) {
    const auto request = adit::miner::openai::parse_request(endpoint, adit::as_text({data, size}));
    if (!request) {
      const Json body = Json::parse(request.error().body(), nullptr, false);
      if (body.is_discarded() || body["error"]["message"].get<std::string>().empty()) std::abort();
      continue;
    }
    const bool has_work =
        endpoint == Endpoint::kChat ? !request->messages.empty() : !request->prompts.empty();
    if (!has_work || !adit::model::check_sampling(request->sampling)) std::abort();
    if (request->choices < 1 || request->choices > kChoicesMax || request->prompts.size() > kPromptsMax)
      std::abort();
    if (request->max_tokens &&
        (*request->max_tokens < 1 || *request->max_tokens > adit::limits::kNewTokensMax)) {
      std::abort();
    }
  }
  return 0;
}
