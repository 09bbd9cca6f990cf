// SPDX-License-Identifier: MIT
#include "validator/verify/pack_replayer.hpp"

namespace adit::validator {

Result<Comparison> PackReplayer::replay(const protocol::GenerateRequest& request,
                                        const protocol::ReceiptCore& claimed) {
  model::ReplayInput input;
  input.prompt = request.prompt;
  input.ids = claimed.ids;
  input.params.max_tokens = request.max_tokens;
  input.params.sampling = {.temperature_milli = request.sampling.temperature_milli,
                           .top_p_65536 = request.sampling.top_p_65536,
                           .top_k = request.sampling.top_k,
                           .min_p_65536 = request.sampling.min_p_65536};
  input.binding = {.card = claimed.card, .request = claimed.request, .seed = claimed.seed};
  input.trace_root = claimed.trace_root;
  ADIT_TRY(const model::ReplayResult result, engine_.replay(input));
  Comparison out{.exact = !result.mismatch};
  if (result.mismatch && result.mismatch->kind != model::MismatchKind::kTrace) {
    out.token_position = result.mismatch->index;
    out.expected = result.mismatch->expected;
  }
  return out;
}

}  // namespace adit::validator
