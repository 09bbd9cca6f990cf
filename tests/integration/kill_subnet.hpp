// SPDX-License-Identifier: MIT
// tests/integration/kill_subnet.hpp
//
// The small world of the kill test, the same for the test and the worker process it kills: who the miners are,
// what they answer, which rules hold. Only the model is left out: its place is the Replayer seam.
#pragma once

#include <string>
#include <vector>

#include "common/base/check.hpp"
#include "common/base/rng.hpp"
#include "common/crypto/signer.hpp"
#include "validator/query/miner_client.hpp"
#include "validator/replay/ledger_state.hpp"
#include "validator/verify/replayer.hpp"

namespace adit::test {

inline const std::vector<std::string> kMinerUris = {"//Miner/0", "//Miner/1", "//Miner/2"};
inline constexpr const char* kValidatorUri = "//Validator";
inline constexpr NetUid kNetUid = 1;

inline crypto::Keypair keypair(const std::string& uri) {
  auto pair = crypto::Keypair::from_uri(crypto::Scheme::kSr25519, uri);
  ADIT_CHECK(pair.has_value());
  return *std::move(pair);
}

inline validator::Rules rules() {
  validator::Rules out;
  out.score.deadline_ms = 1000;
  return out;
}

// Answers at once with a properly signed receipt of two tokens.
class SigningMiners final : public validator::MinerClient {
 public:
  explicit SigningMiners(const AccountId& validator) : validator_(validator) {
    for (const std::string& uri : kMinerUris)
      signers_.push_back(std::make_unique<crypto::KeypairSigner>(keypair(uri), rng_));
  }
  validator::Reply ask(const net::Endpoint&, const AccountId& hotkey,
                       const protocol::GenerateRequest& request, std::uint64_t) override {
    validator::Reply reply;
    for (const auto& signer : signers_) {
      if (signer->account() != hotkey) continue;
      protocol::ReceiptCore core{.card = request.card,
                                 .request = request_hash(request),
                                 .seed = seed_of(request, validator_, hotkey),
                                 .n_p = static_cast<std::uint32_t>(request.prompt.size()),
                                 .n_g = 2,
                                 .ids = {7, 2},
                                 .finish = protocol::FinishReason::kStop};
      reply.receipt = sign_receipt(core, *signer).value();
      reply.verdict = protocol::Verdict::kExact;
      reply.latency_ms = 10;
    }
    return reply;
  }

 private:
  OsRng rng_;
  AccountId validator_;
  std::vector<std::unique_ptr<crypto::KeypairSigner>> signers_;
};

class AgreeingReplayer final : public validator::Replayer {
 public:
  Result<validator::Comparison> replay(const protocol::GenerateRequest&,
                                       const protocol::ReceiptCore&) override {
    return validator::Comparison{.exact = true};
  }
};

}  // namespace adit::test
