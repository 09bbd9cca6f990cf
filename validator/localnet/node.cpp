// SPDX-License-Identifier: MIT
#include "validator/localnet/node.hpp"

#include <algorithm>

#include "validator/localnet/accounts.hpp"
#include "validator/localnet/dispatch.hpp"

namespace adit::validator {
namespace {

constexpr std::size_t kExtrinsicBytesMax = 1u << 20;
// A transaction that proved invalid is not taken again for this long.
constexpr BlockNumber kBanBlocks = 150;
// How far ahead of the account a nonce may be.
constexpr std::uint32_t kFutureNoncesMax = 1024;

tl::unexpected<PoolRefusal> invalid(std::string why) {
  return tl::unexpected<PoolRefusal>(PoolRefusal{1010, "Invalid Transaction", std::move(why)});
}

}  // namespace

Result<std::unique_ptr<Node>> Node::open(const std::optional<std::filesystem::path>& state_dir,
                                         const Clock& clock, BlockNumber history_blocks) {
  ADIT_TRY(std::unique_ptr<Runtime> runtime, Runtime::make());
  ADIT_TRY(std::unique_ptr<ChainStore> store, ChainStore::open(state_dir, history_blocks));
  BuiltBlock genesis = runtime->genesis();
  const Hash256 genesis_hash = genesis.block.hash;
  if (store->empty()) {
    ADIT_TRY_VOID(store->append(std::move(genesis.block), genesis.changes));
  }
  ADIT_TRY(const std::optional<Block> first, store->block(BlockNumber{0}));
  if (!first || first->hash != genesis_hash) {
    return failed_precondition("the state folder holds another chain: genesis {}, expected {}",
                               first ? to_hex(first->hash) : "missing", to_hex(genesis_hash));
  }
  std::unique_ptr<Node> node(new Node(std::move(runtime), std::move(store), clock));
  node->genesis_hash_ = genesis_hash;
  return node;
}

Block Node::head() const {
  const std::lock_guard lock(mutex_);
  return store_->head();
}

Result<std::optional<Block>> Node::block(BlockNumber number) const {
  const std::lock_guard lock(mutex_);
  return store_->block(number);
}

Result<std::optional<Block>> Node::block(const Hash256& hash) const {
  const std::lock_guard lock(mutex_);
  return store_->block(hash);
}

Result<BlockNumber> Node::number_of(const std::optional<Hash256>& at) const {
  if (!at) return store_->head().header.number;
  ADIT_TRY(const std::optional<Block> block, store_->block(*at));
  if (!block) return not_found("Header was not found in the database: 0x{}", to_hex(*at));
  if (block->header.number < store_->state().horizon()) {
    return make_error(ErrorCode::kOutOfRange, "State already discarded for 0x{}", to_hex(*at));
  }
  return block->header.number;
}

Result<void> Node::with_state(const std::optional<Hash256>& at,
                              const std::function<void(const State&, BlockNumber)>& read) const {
  const std::lock_guard lock(mutex_);
  ADIT_TRY(const BlockNumber number, number_of(at));
  read(State(runtime_->metadata(), store_->state(), number), number);
  return {};
}

Result<std::vector<Bytes>> Node::keys(ByteView prefix, ByteView after, std::size_t most,
                                      const std::optional<Hash256>& at) const {
  const std::lock_guard lock(mutex_);
  ADIT_TRY(const BlockNumber number, number_of(at));
  return store_->state().keys(prefix, after, most, number);
}

tl::expected<void, PoolRefusal> Node::check_signature(const Transaction& transaction,
                                                      const Hash256& era_hash) const {
  chain::SigningContext context;
  context.spec_version = runtime_->version().spec_version;
  context.transaction_version = runtime_->version().transaction_version;
  context.genesis = genesis_hash_;
  context.era_hash = era_hash;
  const Result<bool> holds = chain::verify_extrinsic(runtime_->metadata(), transaction.extrinsic, context);
  if (!holds) return invalid(holds.error().message);
  if (!*holds) return invalid("Transaction has a bad signature");
  return {};
}

tl::expected<void, PoolRefusal> Node::check_funds_and_call(const Transaction& transaction,
                                                           State& state) const {
  const CallKind* kind = find_call(transaction.call.pallet, transaction.call.name);
  const AccountId& signer = transaction.extrinsic.signer;
  const Rao fee = fee_of(*kind, transaction.bytes.size()) + transaction.extrinsic.tip;
  if (transaction.extrinsic.tip > fee || read_account(state, signer).free < fee) {
    return invalid("Inability to pay some fees (e.g. account balance too low)");
  }
  if (kind->refusal == nullptr) return {};
  EventLog events;
  const BlockNumber next = store_->head().header.number + 1;
  const auto code = kind->refusal({state, events, next, signer, transaction.call});
  if (code) return invalid(fmt::format("Custom error: {}", *code));
  return {};
}

tl::expected<Transaction, PoolRefusal> Node::check(ByteView bytes) const {
  const auto undecodable = [](const std::string& why) {
    return tl::unexpected<PoolRefusal>(PoolRefusal{1001, "Extrinsic has invalid format: " + why, ""});
  };
  if (bytes.size() > kExtrinsicBytesMax) return undecodable("longer than 1 MiB");
  Transaction transaction;
  transaction.bytes = to_bytes(bytes);
  transaction.hash = chain::extrinsic_hash(bytes);
  Result<chain::DecodedExtrinsic> extrinsic = chain::decode_extrinsic(runtime_->metadata(), bytes);
  if (!extrinsic) return undecodable(extrinsic.error().message);
  transaction.extrinsic = *std::move(extrinsic);
  Result<chain::DecodedCall> call = chain::decode_call(runtime_->metadata(), transaction.extrinsic.call);
  if (!call) return undecodable(call.error().message);
  transaction.call = *std::move(call);
  const std::string reason = why_not(runtime_->metadata(), transaction.call);
  if (!reason.empty()) return invalid(reason);

  const Block& head = store_->head();
  const BlockNumber now = head.header.number;
  Hash256 era_hash = genesis_hash_;
  if (const std::optional<BlockNumber> death = transaction.extrinsic.era.death(now)) {
    transaction.last_block = *death - 1;
    const auto birth = store_->block(transaction.extrinsic.era.birth(now));
    // Only a phase ahead of a chain that is younger than one period has no such block.
    if (!birth || !*birth || now + 1 > *transaction.last_block) {
      return invalid("Transaction has an ancient birth block");
    }
    era_hash = (*birth)->hash;
  }
  if (const auto ok = check_signature(transaction, era_hash); !ok) {
    return tl::unexpected<PoolRefusal>(ok.error());
  }
  State state(runtime_->metadata(), store_->state(), now);
  const std::uint32_t nonce = read_account(state, transaction.extrinsic.signer).nonce;
  if (transaction.extrinsic.nonce < nonce) return invalid("Transaction is outdated");
  if (transaction.extrinsic.nonce - nonce > kFutureNoncesMax) {
    return invalid("Transaction will be valid in the future");
  }
  if (const auto ok = check_funds_and_call(transaction, state); !ok) {
    return tl::unexpected<PoolRefusal>(ok.error());
  }
  return transaction;
}

tl::expected<Submitted, PoolRefusal> Node::submit(ByteView extrinsic) {
  const std::lock_guard lock(mutex_);
  tl::expected<Transaction, PoolRefusal> checked = check(extrinsic);
  if (!checked) return tl::unexpected<PoolRefusal>(checked.error());
  const State state(runtime_->metadata(), store_->state(), store_->head().header.number);
  const AccountId signer = checked->extrinsic.signer;
  const std::uint32_t nonce = checked->extrinsic.nonce;
  Submitted out{.hash = checked->hash};
  if (const auto added = pool_.add(*std::move(checked)); !added) {
    return tl::unexpected<PoolRefusal>(added.error());
  }
  out.ready = pool_.next_nonce(signer, read_account(state, signer).nonce) > nonce;
  return out;
}

std::vector<Bytes> Node::pending() const {
  const std::lock_guard lock(mutex_);
  std::vector<Bytes> out;
  for (const Transaction* transaction : pool_.all()) out.push_back(transaction->bytes);
  return out;
}

std::uint32_t Node::next_nonce(const AccountId& account) const {
  const std::lock_guard lock(mutex_);
  const State state(runtime_->metadata(), store_->state(), store_->head().header.number);
  return pool_.next_nonce(account, read_account(state, account).nonce);
}

Result<Block> Node::make_block() {
  BlockNotice notice;
  std::function<void(const BlockNotice&)> listener;
  {
    const std::lock_guard lock(mutex_);
    const State before(runtime_->metadata(), store_->state(), store_->head().header.number);
    const std::vector<Transaction> ready = pool_.ready(before);
    BuiltBlock built =
        runtime_->build_block(store_->state(), store_->head(), ready, clock_.now_ns() / 1'000'000);
    notice.block = std::make_shared<const Block>(built.block);
    ADIT_TRY_VOID(store_->append(std::move(built.block), built.changes));
    const BlockNumber number = notice.block->header.number;
    for (const Hash256& hash : built.included) pool_.remove(hash);
    const State after(runtime_->metadata(), store_->state(), number);
    notice.included = std::move(built.included);
    notice.invalid = pool_.drop_dead(after, number + 1);
    for (const Hash256& hash : built.left_out) {
      pool_.remove(hash);
      pool_.ban(hash, number + kBanBlocks);
      if (std::find(notice.invalid.begin(), notice.invalid.end(), hash) == notice.invalid.end()) {
        notice.invalid.push_back(hash);
      }
    }
    pool_.forgive(number);
    listener = listener_;
  }
  if (listener) listener(notice);
  return *notice.block;
}

void Node::on_block(std::function<void(const BlockNotice&)> listener) {
  const std::lock_guard lock(mutex_);
  listener_ = std::move(listener);
}

}  // namespace adit::validator
