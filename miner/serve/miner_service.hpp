// SPDX-License-Identifier: MIT
// miner/serve/miner_service.hpp
//
// What happens to an authenticated call: admission, the question's own bounds, the answer, the
// signed receipt in the journal, and only then the reply.
//
// Errors   kFailedPrecondition: another card or charter; kInvalidArgument: ids or lengths outside
//          the card; else those of Admission and AnswerSource. A receipt that cannot be journalled
//          is not given out (kInternal).
// Threads  any; see net::MinerHandler.
// Tests    tests/unit/miner/serve/miner_service_test.cpp
#pragma once

#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/crypto/signer.hpp"
#include "common/net/miner_server.hpp"
#include "miner/serve/admission.hpp"
#include "miner/serve/answer_source.hpp"
#include "miner/serve/journal.hpp"

namespace adit::miner {

struct ServiceParts {
  AnswerSource& source;
  Admission& admission;
  Journal& journal;
  crypto::Signer& hotkey;
  const Clock& clock;
  // Charters that this miner works for; none: any.
  std::vector<Hash256> charters;
  std::string software;
  // Longest prompt and answer together; 0: the card's context.
  std::uint32_t context_max = 0;
};

class MinerService final : public net::MinerHandler {
 public:
  explicit MinerService(ServiceParts parts);

  [[nodiscard]] Result<void> admit(const net::Caller& caller) override;
  [[nodiscard]] Result<protocol::Description> describe(const net::Caller& caller) override;
  [[nodiscard]] Result<protocol::Receipt> generate(const net::Caller& caller,
                                                   const protocol::GenerateRequest& request,
                                                   net::TokenSink& sink) override;

 private:
  [[nodiscard]] Result<void> check(const protocol::GenerateRequest& request) const;

  ServiceParts parts_;
  const Hash256 card_hash_;
  const std::uint32_t context_max_;
};

}  // namespace adit::miner
