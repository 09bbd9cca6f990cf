// SPDX-License-Identifier: MIT
#include "common/chain/submit.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "common/chain/pool_error.hpp"
#include "common/chain/storage_key.hpp"
#include "common/log/log.hpp"
#include "common/scale/decoder.hpp"

namespace adit::chain {
namespace {

constexpr int kSignAttempts = 3;

Error refusal(const PoolError& error) {
  switch (error.kind) {
    case PoolErrorKind::kRefused:
      return {ErrorCode::kFailedPrecondition, "refused by the pool: " + error.text};
    case PoolErrorKind::kPoolFull:
      return {ErrorCode::kResourceExhausted, error.text};
    case PoolErrorKind::kStaleNonce:
    case PoolErrorKind::kStaleRuntime:
    case PoolErrorKind::kAlreadySent:
    case PoolErrorKind::kNonceTaken:
      return {ErrorCode::kAborted, error.text};
  }
  return {ErrorCode::kUnknown, error.text};
}

// Sudo.Sudid carries the inner call's own result, a failure of which does not fail the extrinsic.
std::string inner_error(const Metadata& metadata, const Event& event) {
  if (!event.is("Sudo", "Sudid") || event.fields.empty() || event.fields[0] == 0) return "";
  return dispatch_error_text(metadata, ByteView(event.fields).subspan(1));
}

Result<void> read_outcome(const Metadata& metadata, const std::vector<Event>& events, Inclusion& out) {
  bool decided = false;
  for (const Event& event : events) {
    if (event.phase != Phase::kApplyExtrinsic || event.extrinsic_index != out.extrinsic_index) continue;
    out.events.push_back(event);
    if (event.is("System", "ExtrinsicFailed")) {
      decided = true;
      out.error = dispatch_error_text(metadata, event.fields);
    } else if (event.is("System", "ExtrinsicSuccess")) {
      decided = true;
    } else if (std::string inner = inner_error(metadata, event); !inner.empty()) {
      out.error = std::move(inner);
    }
  }
  if (!decided) {
    return data_loss("block {}: extrinsic {} has neither succeeded nor failed", hex_0x(out.block.hash),
                     out.extrinsic_index);
  }
  out.success = out.error.empty();
  return {};
}

}  // namespace

bool Submitter::out_of_time() const {
  return std::chrono::steady_clock::now() >= deadline_;
}

std::chrono::milliseconds Submitter::time_left() const {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
  return std::max(left, std::chrono::milliseconds(1));
}

Result<Submitter::Sent> Submitter::sign(ByteView call, crypto::Signer& signer) {
  ADIT_TRY(const BlockRef anchor, rpc_.finalized_head());
  SigningContext context;
  context.spec_version = runtime_.version.spec_version;
  context.transaction_version = runtime_.version.transaction_version;
  context.genesis = genesis_;
  context.era = Era::mortal(options_.era_blocks, anchor.number);
  ADIT_TRY(context.nonce, rpc_.next_nonce(signer.account()));
  const BlockNumber birth = context.era.birth(anchor.number);
  context.era_hash = anchor.hash;
  if (birth != anchor.number) {
    ADIT_TRY(context.era_hash, rpc_.block_hash(birth));
  }
  Sent sent;
  ADIT_TRY(sent.xt, sign_extrinsic(runtime_.metadata, call, context, signer));
  sent.hash = extrinsic_hash(sent.xt);
  sent.account = signer.account();
  sent.nonce = context.nonce;
  sent.searched = anchor.number;
  sent.death = *context.era.death(anchor.number);
  return sent;
}

Result<Inclusion> Submitter::submit(ByteView call, crypto::Signer& signer) {
  deadline_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.submit_timeout_ms);
  for (int attempt = 1;; ++attempt) {
    ADIT_TRY(Sent sent, sign(call, signer));
    auto updates = rpc_.submit_and_watch(sent.xt);
    if (updates) return watch(**updates, sent);
    const RpcFailure& failure = updates.error();
    // The node itself did not answer: it may or may not have taken the extrinsic.
    if (!failure.rpc_code) {
      ADIT_LOG(kWarn, "submission_unanswered", {"reason", failure.error.message});
      return search(sent);
    }
    const PoolError error = pool_error(*failure.rpc_code, failure.rpc_data, failure.error.message);
    if (error.kind == PoolErrorKind::kAlreadySent) return search(sent);
    if (error.kind == PoolErrorKind::kStaleNonce && attempt < kSignAttempts) continue;
    return tl::unexpected<Error>(refusal(error));
  }
}

Result<Inclusion> Submitter::watch(Subscription& updates, Sent& sent) {
  for (;;) {
    if (out_of_time()) return search(sent);
    const auto update = updates.next(time_left());
    if (!update) {
      ADIT_LOG(kWarn, "submission_unwatched", {"reason", update.error().message});
      return search(sent);
    }
    ADIT_TRY(std::optional<Inclusion> decided, on_status(*update, sent));
    if (decided) return *std::move(decided);
  }
}

Result<std::optional<Inclusion>> Submitter::on_status(const Json& status, Sent& sent) {
  const auto in_block = [&](const char* name) -> Result<std::optional<Inclusion>> {
    ADIT_TRY(const Hash256 block, hash_from_json("author_extrinsicUpdate", status[name]));
    ADIT_TRY(Inclusion proven, prove(block, sent));
    return std::optional<Inclusion>(std::move(proven));
  };
  if (status.is_object()) {
    if (status.contains("finalized")) return in_block("finalized");
    if (status.contains("inBlock") && !options_.wait_finalized) return in_block("inBlock");
    if (status.contains("usurped")) {
      return make_error(ErrorCode::kAborted, "another extrinsic with nonce {} took its place", sent.nonce);
    }
    if (status.contains("finalityTimeout")) {
      ADIT_TRY(Inclusion found, search(sent));
      return std::optional<Inclusion>(std::move(found));
    }
  }
  // Dropped or invalid: a node says so too when it saw the extrinsic on a branch; the chain knows.
  if (status == "dropped" || status == "invalid") {
    ADIT_TRY(std::optional<Inclusion> found, search_once(sent));
    if (found) return found;
    return make_error(ErrorCode::kAborted, "the node's pool let the extrinsic go: {}",
                      status.get<std::string>());
  }
  return std::optional<Inclusion>{};
}

// Until it is found, its era is over, or time is up. Lost connections meanwhile are waited out.
Result<Inclusion> Submitter::search(Sent& sent) {
  Error last{ErrorCode::kUnavailable, "not searched yet"};
  for (;;) {
    auto found = search_once(sent);
    if (found && *found) return **std::move(found);
    if (!found) {
      last = found.error();
      if (last.code != ErrorCode::kUnavailable && last.code != ErrorCode::kDeadlineExceeded) {
        return tl::unexpected<Error>(last);
      }
    }
    if (out_of_time()) {
      return unavailable("whether the chain took extrinsic {} is not known: {}", hex_0x(sent.hash),
                         found ? "it is in no block yet" : last.message);
    }
    std::this_thread::sleep_for(
        std::min(std::chrono::milliseconds(options_.search_interval_ms), time_left()));
  }
}

Result<std::optional<Inclusion>> Submitter::search_once(Sent& sent) {
  ADIT_TRY(const BlockRef head, rpc_.head());
  for (BlockNumber number = sent.searched + 1; number <= head.number; ++number) {
    ADIT_TRY(const Hash256 hash, rpc_.block_hash(number));
    ADIT_TRY(const std::vector<Bytes> extrinsics, rpc_.block_extrinsics(hash));
    const auto ours = [&sent](const Bytes& xt) { return xt == sent.xt; };
    if (std::any_of(extrinsics.begin(), extrinsics.end(), ours)) {
      if (options_.wait_finalized) {
        ADIT_TRY(const bool stays, is_final({number, hash}));
        if (!stays) return std::optional<Inclusion>{};  // its branch lost: look again
      }
      ADIT_TRY(Inclusion proven, prove(hash, sent));
      return std::optional<Inclusion>(std::move(proven));
    }
  }
  // Blocks that are not final may be replaced; they are looked at again.
  ADIT_TRY(const BlockRef final_head, rpc_.finalized_head());
  sent.searched = std::max(sent.searched, std::min(final_head.number, head.number));
  if (final_head.number + 1 >= sent.death) {
    return make_error(ErrorCode::kAborted, "the extrinsic was in no block before its era ended at block {}",
                      sent.death);
  }
  ADIT_TRY_VOID(resend(sent));
  return std::optional<Inclusion>{};
}

Result<void> Submitter::resend(const Sent& sent) {
  ADIT_TRY(const std::uint32_t nonce, rpc_.next_nonce(sent.account));
  if (nonce > sent.nonce) return {};
  const auto answer = rpc_.submit(sent.xt);
  if (answer || !answer.error().rpc_code) return {};
  const PoolError error =
      pool_error(*answer.error().rpc_code, answer.error().rpc_data, answer.error().error.message);
  if (error.kind == PoolErrorKind::kAlreadySent || error.kind == PoolErrorKind::kStaleNonce) return {};
  return tl::unexpected<Error>(refusal(error));
}

Result<bool> Submitter::is_final(const BlockRef& block) {
  for (;;) {
    ADIT_TRY(const BlockRef head, rpc_.finalized_head());
    if (head.number >= block.number) {
      ADIT_TRY(const Hash256 hash, rpc_.block_hash(block.number));
      return hash == block.hash;
    }
    if (out_of_time()) return deadline_exceeded("block {} is not final yet", block.number);
    std::this_thread::sleep_for(
        std::min(std::chrono::milliseconds(options_.search_interval_ms), time_left()));
  }
}

Result<Inclusion> Submitter::prove(const Hash256& block, const Sent& sent) {
  Inclusion out;
  out.block.hash = block;
  out.extrinsic_hash = sent.hash;
  ADIT_TRY(out.block.number, rpc_.block_number(block));
  ADIT_TRY(const std::vector<Bytes> extrinsics, rpc_.block_extrinsics(block));
  const auto place = std::find(extrinsics.begin(), extrinsics.end(), sent.xt);
  if (place == extrinsics.end()) {
    return data_loss("block {} was said to hold extrinsic {} but does not", hex_0x(block),
                     hex_0x(sent.hash));
  }
  out.extrinsic_index = static_cast<std::uint32_t>(place - extrinsics.begin());
  ADIT_TRY(const Bytes key, storage_key(runtime_.metadata, "System", "Events"));
  ADIT_TRY(const std::optional<Bytes> value, rpc_.storage(key, block));
  if (!value) return data_loss("block {} has no events", hex_0x(block));
  ADIT_TRY(const std::vector<Event> events, decode_events(runtime_.metadata, *value));
  ADIT_TRY_VOID(read_outcome(runtime_.metadata, events, out));
  return out;
}

}  // namespace adit::chain
