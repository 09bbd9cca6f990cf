// SPDX-License-Identifier: MIT
#include "common/chain/substrate_client.hpp"

#include <map>
#include <mutex>
#include <utility>

#include "common/chain/calls.hpp"
#include "common/chain/chain_rpc.hpp"
#include "common/chain/snapshot.hpp"
#include "common/chain/submit.hpp"
#include "common/log/log.hpp"

namespace adit::chain {
namespace {

Result<std::shared_ptr<const Runtime>> read_runtime(ChainRpc& rpc, const RuntimeVersion& version,
                                                    const Hash256& at) {
  auto metadata = rpc.metadata(at);
  if (!metadata) return tl::unexpected<Error>(metadata.error());
  return std::make_shared<const Runtime>(Runtime{version, *std::move(metadata)});
}

// True: under both runtimes the bytes are the same call with the same arguments.
bool means_the_same(ByteView call, const Metadata& before, const Metadata& after) {
  const auto a = decode_call(before, call);
  const auto b = decode_call(after, call);
  if (!a || !b || a->pallet != b->pallet || a->name != b->name ||
      a->arguments.size() != b->arguments.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a->arguments.size(); ++i) {
    if (a->arguments[i].name != b->arguments[i].name || a->arguments[i].value != b->arguments[i].value) {
      return false;
    }
  }
  return true;
}

class SubstrateClient final : public ChainClient {
 public:
  SubstrateClient(std::unique_ptr<ChainRpc> rpc, const ClientOptions& options, const Hash256& genesis,
                  std::shared_ptr<const Runtime> runtime)
      : rpc_(std::move(rpc)), options_(options), genesis_(genesis) {
    runtimes_.push_back(std::move(runtime));
  }

  Result<BlockRef> head() override { return rpc_->head(); }
  Result<BlockRef> finalized_head() override { return rpc_->finalized_head(); }
  Result<Hash256> block_hash(BlockNumber number) override { return rpc_->block_hash(number); }

  Result<Metagraph> metagraph(NetUid netuid, const std::optional<Hash256>& at) override {
    BlockRef block;
    if (at) {
      block.hash = *at;
      ADIT_TRY(block.number, rpc_->block_number(*at));
    } else {
      ADIT_TRY(block, rpc_->head());
    }
    ADIT_TRY(const std::shared_ptr<const Runtime> runtime, runtime_at(block.hash));
    return read_metagraph(*rpc_, runtime->metadata, netuid, block);
  }

  Result<std::vector<std::pair<Uid, std::uint16_t>>> weights_of(NetUid netuid, MechId mechanism, Uid uid,
                                                                const std::optional<Hash256>& at) override {
    return read_weights(*rpc_, latest()->metadata, netuid, mechanism, uid, at);
  }

  Result<std::optional<Bytes>> storage(ByteView key, const std::optional<Hash256>& at) override {
    return rpc_->storage(key, at);
  }

  Result<std::uint32_t> next_nonce(const AccountId& account) override { return rpc_->next_nonce(account); }

  Result<Inclusion> submit(ByteView call, crypto::Signer& signer) override {
    const std::shared_ptr<std::mutex> own = account_mutex(signer.account());
    const std::lock_guard lock(*own);
    const std::shared_ptr<const Runtime> before = latest();
    ADIT_TRY(const BlockRef best, rpc_->head());
    ADIT_TRY(const std::shared_ptr<const Runtime> now, runtime_at(best.hash));
    if (now != before && !means_the_same(call, before->metadata, now->metadata)) {
      return make_error(ErrorCode::kAborted, "the runtime went from {} to {}: make the call again",
                        before->version.spec_version, now->version.spec_version);
    }
    return Submitter(*rpc_, options_, genesis_, *now).submit(call, signer);
  }

  const Metadata& metadata() override { return latest()->metadata; }

 private:
  std::shared_ptr<const Runtime> latest() {
    const std::lock_guard lock(mutex_);
    return runtimes_.back();
  }

  // The runtime of a block; after an upgrade its metadata is read once. Older ones are kept, because
  // metadata() gave out references to them.
  Result<std::shared_ptr<const Runtime>> runtime_at(const Hash256& at) {
    ADIT_TRY(const RuntimeVersion version, rpc_->runtime_version(at));
    const std::lock_guard lock(mutex_);
    for (const auto& runtime : runtimes_) {
      if (runtime->version.spec_version == version.spec_version) return runtime;
    }
    ADIT_TRY(std::shared_ptr<const Runtime> runtime, read_runtime(*rpc_, version, at));
    ADIT_LOG(kInfo, "chain_runtime_changed", {"spec_version", version.spec_version});
    const bool newer = version.spec_version > runtimes_.back()->version.spec_version;
    runtimes_.insert(newer ? runtimes_.end() : runtimes_.begin(), runtime);
    return runtime;
  }

  // Two submissions of one account must not fetch the same nonce.
  std::shared_ptr<std::mutex> account_mutex(const AccountId& account) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<std::mutex>& own = accounts_[account];
    if (!own) own = std::make_shared<std::mutex>();
    return own;
  }

  const std::unique_ptr<ChainRpc> rpc_;
  const ClientOptions options_;
  const Hash256 genesis_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<const Runtime>> runtimes_;  // the latest last
  std::map<AccountId, std::shared_ptr<std::mutex>> accounts_;
};

}  // namespace

Result<std::unique_ptr<ChainClient>> connect(std::string url, const ClientOptions& options) {
  ADIT_TRY(std::unique_ptr<RpcConnection> connection, RpcConnection::open(url, options));
  auto rpc = std::make_unique<ChainRpc>(std::move(connection));
  const auto ready = [&]() -> Result<std::unique_ptr<ChainClient>> {
    ADIT_TRY(const Hash256 genesis, rpc->block_hash(0));
    ADIT_TRY(const BlockRef head, rpc->head());
    ADIT_TRY(const RuntimeVersion version, rpc->runtime_version(head.hash));
    ADIT_TRY(std::shared_ptr<const Runtime> runtime, read_runtime(*rpc, version, head.hash));
    return std::make_unique<SubstrateClient>(std::move(rpc), options, genesis, std::move(runtime));
  };
  auto client = ready();
  if (client || client.error().message.find(url) != std::string::npos) return client;
  return tl::unexpected<Error>(client.error().context(url));
}

}  // namespace adit::chain
