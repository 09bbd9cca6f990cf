// SPDX-License-Identifier: MIT
#include "tests/support/scripted_chain.hpp"

#include <utility>

#include "common/scale/encoder.hpp"

namespace adit::test {
namespace {

std::string hex_0x(ByteView bytes) {
  return "0x" + to_hex(bytes);
}

// DispatchInfo: two compact weights, class Normal, pays no fee.
const Bytes kDispatchInfo = {4, 4, 0, 1};

}  // namespace

ScriptedChain::ScriptedChain()
    : blob_(to_bytes(chain::localnet_metadata())), metadata_(*chain::Metadata::decode(blob_)) {
  events_key_ = hex_0x(*chain::storage_key(metadata_, "System", "Events"));
  blocks_.push_back(make_block({}, "", {}));
  script();
}

void ScriptedChain::serve_metadata(Bytes blob) {
  const std::lock_guard lock(mutex_);
  blob_ = std::move(blob);
}

void ScriptedChain::put(std::string_view item, std::vector<Bytes> parts, Bytes value) {
  const Bytes key = *chain::storage_key(metadata_, "SubtensorModule", item, parts);
  const std::lock_guard lock(mutex_);
  storage_[hex_0x(key)] = hex_0x(value);
}

Bytes ScriptedChain::events_of(const std::vector<Bytes>& extrinsics, const std::string& error,
                               std::vector<chain::Event> more) const {
  std::vector<chain::Event> events = std::move(more);
  for (std::uint32_t i = 0; i < extrinsics.size(); ++i) {
    chain::Event event{chain::Phase::kApplyExtrinsic, i, "System", "ExtrinsicSuccess", {}};
    if (!error.empty()) {
      const auto dot = error.find('.');
      event.name = "ExtrinsicFailed";
      event.fields = *chain::encode_module_error(metadata_, error.substr(0, dot), error.substr(dot + 1));
    }
    append(event.fields, kDispatchInfo);
    events.push_back(event);
  }
  return *chain::encode_events(metadata_, events);
}

ScriptedChain::Block ScriptedChain::make_block(std::vector<Bytes> extrinsics, const std::string& error,
                                               std::vector<chain::Event> more) {
  Block block;
  const std::uint64_t number = blocks_.size();
  for (std::size_t i = 0; i < 8; ++i) block.hash[i] = static_cast<std::uint8_t>(number >> (8 * i));
  block.hash[31] = branch_;
  block.events = events_of(extrinsics, error, std::move(more));
  block.extrinsics = std::move(extrinsics);
  return block;
}

BlockNumber ScriptedChain::add_block(std::vector<Bytes> extrinsics, const std::string& error,
                                     std::vector<chain::Event> more) {
  const std::lock_guard lock(mutex_);
  blocks_.push_back(make_block(std::move(extrinsics), error, std::move(more)));
  if (!hold_final) final_ = blocks_.size() - 1;
  return blocks_.size() - 1;
}

void ScriptedChain::reorganise(BlockNumber from) {
  const std::lock_guard lock(mutex_);
  ++branch_;
  blocks_.resize(from);
  blocks_.push_back(make_block({}, "", {}));
}

void ScriptedChain::finalize_all() {
  const std::lock_guard lock(mutex_);
  final_ = blocks_.size() - 1;
}

Hash256 ScriptedChain::hash256_of(BlockNumber number) {
  const std::lock_guard lock(mutex_);
  return blocks_.at(number).hash;
}
std::string ScriptedChain::hash_of(BlockNumber number) {
  return hex_0x(hash256_of(number));
}

bool ScriptedChain::accepts(const Bytes& xt) {
  const auto decoded = chain::decode_extrinsic(metadata_, xt);
  if (!decoded || decoded->nonce != nonce) return false;
  const std::lock_guard lock(mutex_);
  chain::SigningContext context;
  context.spec_version = spec_version;
  context.transaction_version = 1;
  context.genesis = blocks_[0].hash;
  const BlockNumber birth = decoded->era.birth(blocks_.size() - 1);
  if (birth >= blocks_.size()) return false;
  context.era_hash = blocks_[birth].hash;
  const auto holds = chain::verify_extrinsic(metadata_, *decoded, context);
  return holds && *holds;
}

const ScriptedChain::Block* ScriptedChain::find(const Json& hash) const {
  if (hash.is_null()) return &blocks_.back();
  for (const Block& block : blocks_) {
    if (hash == hex_0x(block.hash)) return &block;
  }
  return nullptr;
}

Json ScriptedChain::storage_at(const std::string& key, const Json& hash) const {
  const Block* block = find(hash);
  if (block == nullptr) return nullptr;
  if (key == events_key_) return hex_0x(block->events);
  const auto found = storage_.find(key);
  return found == storage_.end() ? Json(nullptr) : Json(found->second);
}

void ScriptedChain::script() {
  // Answers under the lock.
  const auto on = [this](const std::string& method, auto answer) {
    node.on(method, [this, answer](const Json& params, int) {
      const std::lock_guard lock(mutex_);
      return Answer::result(answer(params));
    });
  };
  on("chain_getBlockHash", [this](const Json& params) -> Json {
    const auto number = params.at(0).get<std::size_t>();
    return number < blocks_.size() ? Json(hex_0x(blocks_[number].hash)) : Json(nullptr);
  });
  on("chain_getHead", [this](const Json&) -> Json { return hex_0x(blocks_.back().hash); });
  on("chain_getFinalizedHead", [this](const Json&) -> Json { return hex_0x(blocks_[final_].hash); });
  on("chain_getHeader", [this](const Json& params) -> Json {
    const Block* block = find(params.at(0));
    if (block == nullptr) return nullptr;
    return {{"number", fmt::format("0x{:x}", block - blocks_.data())}};
  });
  on("chain_getBlock", [this](const Json& params) -> Json {
    const Block* block = find(params.at(0));
    if (block == nullptr) return nullptr;
    Json list = Json::array();
    for (const Bytes& xt : block->extrinsics) list.push_back(hex_0x(xt));
    return {{"block", {{"extrinsics", list}}}};
  });
  on("state_getStorageAt",
     [this](const Json& p) { return storage_at(p.at(0).get<std::string>(), p.at(1)); });
  on("state_queryStorageAt", [this](const Json& params) -> Json {
    Json changes = Json::array();
    for (const Json& key : params.at(0)) {
      changes.push_back(Json::array({key, storage_at(key.get<std::string>(), params.at(1))}));
    }
    return Json::array({{{"block", params.at(1)}, {"changes", changes}}});
  });
  on("state_getRuntimeVersion", [this](const Json&) -> Json {
    return {{"specName", "node-subtensor"}, {"specVersion", spec_version.load()}, {"transactionVersion", 1}};
  });
  on("state_call", [this](const Json&) -> Json {
    scale::Encoder out;
    out.u8(1);
    out.bytes(blob_);
    return hex_0x(out.take());
  });
  on("account_nextIndex", [this](const Json&) -> Json { return nonce.load(); });
}

}  // namespace adit::test
