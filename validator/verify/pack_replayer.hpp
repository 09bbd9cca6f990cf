// SPDX-License-Identifier: MIT
// validator/verify/pack_replayer.hpp
//
// Replayer with the pack itself: one prefill over prompt and ids, every id the canonical choice, root equal.
//
// In       a pack whose card the request names; `pack` outlives this object.
// Errors   those of model::Replayer that are not about the answer.
// Threads  one.
// Tests    deploy/demo.sh
#pragma once

#include "common/model/replay.hpp"
#include "validator/verify/replayer.hpp"

namespace adit::validator {

class PackReplayer final : public Replayer {
 public:
  PackReplayer(const model::Pack& pack, const model::ReplayOptions& options) : engine_(pack, options) {}
  [[nodiscard]] Result<Comparison> replay(const protocol::GenerateRequest& request,
                                          const protocol::ReceiptCore& claimed) override;

 private:
  model::Replayer engine_;
};

}  // namespace adit::validator
