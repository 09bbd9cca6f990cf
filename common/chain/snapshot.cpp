// SPDX-License-Identifier: MIT
#include "common/chain/snapshot.hpp"

#include <algorithm>
#include <map>
#include <string>

#include "common/base/limits.hpp"
#include "common/chain/storage_key.hpp"
#include "common/scale/decoder.hpp"

namespace adit::chain {
namespace {

constexpr std::string_view kPallet = "SubtensorModule";

// Values to read together: add() each, fetch() once, then take them in the order they were added.
class Batch {
 public:
  explicit Batch(const Metadata& metadata) : metadata_(metadata) {}

  Result<void> add(std::string_view item, std::span<const Bytes> parts = {}) {
    ADIT_TRY(const StorageEntry* entry, metadata_.storage(kPallet, item));
    ADIT_TRY(Bytes key, storage_key(*entry, parts));
    entries_.push_back(entry);
    keys_.push_back(std::move(key));
    return {};
  }
  Result<void> fetch(ChainRpc& rpc, const Hash256& at) {
    ADIT_TRY(values_, rpc.query_storage(keys_, at));
    return {};
  }

  // The next value's bytes, or its default; none for an optional item that is not there.
  std::optional<ByteView> next() {
    const std::size_t i = taken_++;
    if (values_[i]) return ByteView(*values_[i]);
    if (entries_[i]->optional) return std::nullopt;
    return ByteView(entries_[i]->default_value);
  }
  // The next value as a little-endian integer of any width up to 8.
  Result<std::uint64_t> next_integer(std::size_t bytes) {
    const std::optional<ByteView> value = next();
    if (!value || value->size() != bytes) return wrong("an integer of the expected width");
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < bytes; ++i) out |= std::uint64_t{(*value)[i]} << (8 * i);
    return out;
  }
  // The next value as a list of integers of `bytes` each, one byte for booleans.
  Result<std::vector<std::uint64_t>> next_list(std::size_t bytes) {
    const std::optional<ByteView> value = next();
    if (!value) return wrong("a list");
    scale::Decoder in(*value);
    const auto count = in.count(bytes);
    if (!count || *count * bytes != in.remaining()) return wrong("a list of the expected width");
    std::vector<std::uint64_t> out(*count, 0);
    for (std::uint64_t& item : out) {
      ADIT_TRY(const ByteView raw, in.raw(bytes));
      for (std::size_t i = 0; i < bytes; ++i) item |= std::uint64_t{raw[i]} << (8 * i);
    }
    return out;
  }
  Result<AccountId> next_account() {
    const std::optional<ByteView> value = next();
    AccountId out;
    if (!value || value->size() != out.size()) return wrong("an account");
    std::copy(value->begin(), value->end(), out.begin());
    return out;
  }
  tl::unexpected<Error> wrong(std::string_view expected) const {
    const StorageEntry& entry = *entries_[taken_ - 1];
    return data_loss("storage {}.{} is not {}", entry.prefix, entry.name, expected);
  }
  [[nodiscard]] const StorageEntry& last_entry() const { return *entries_[taken_ - 1]; }

 private:
  const Metadata& metadata_;
  std::vector<const StorageEntry*> entries_;
  std::vector<Bytes> keys_;
  std::vector<std::optional<Bytes>> values_;
  std::size_t taken_ = 0;
};

std::uint64_t item_or_zero(const std::vector<std::uint64_t>& list, std::size_t i) {
  return i < list.size() ? list[i] : 0;
}

// The fields of a struct by name, so that a runtime that adds one does not break the reader.
Result<Axon> decode_axon(const Metadata& metadata, const StorageEntry& entry, ByteView value) {
  const Type* type = metadata.types().find(entry.value_type);
  const auto* composite = type != nullptr ? std::get_if<CompositeDef>(&type->def) : nullptr;
  if (composite == nullptr) return data_loss("storage {}.{} is not a struct", entry.prefix, entry.name);
  scale::Decoder in(value);
  std::map<std::string, Bytes> fields;
  for (const Field& field : composite->fields) {
    auto bytes = metadata.types().slice(field.type, in, value);
    if (!bytes) return data_loss("storage {}.{}: {}", entry.prefix, field.name, bytes.error().message);
    fields[field.name] = *std::move(bytes);
  }
  const auto integer = [&fields](const char* name) {
    std::uint64_t out = 0;
    const Bytes& bytes = fields[name];
    for (std::size_t i = 0; i < std::min<std::size_t>(bytes.size(), 8); ++i) {
      out |= std::uint64_t{bytes[i]} << (8 * i);
    }
    return out;
  };
  Axon axon;
  const Bytes& ip = fields["ip"];
  if (ip.size() != axon.ip.size()) return data_loss("storage {}.ip is {} bytes", entry.name, ip.size());
  std::copy(ip.rbegin(), ip.rend(), axon.ip.begin());
  axon.block = integer("block");
  axon.version = static_cast<std::uint32_t>(integer("version"));
  axon.port = static_cast<std::uint16_t>(integer("port"));
  axon.is_v6 = integer("ip_type") == 6;
  axon.protocol = static_cast<std::uint8_t>(integer("protocol"));
  return axon;
}

// One value for each neuron.
struct Columns {
  std::size_t neurons = 0;
  std::uint64_t tao_weight = 0;
  std::vector<std::uint64_t> last_update, incentive, dividends, permit, active;
};

Result<Columns> read_subnet(ChainRpc& rpc, const Metadata& metadata, Metagraph& out) {
  const std::vector<Bytes> key = {key_u16(out.netuid)};
  Batch batch(metadata);
  for (const char* item : {"NetworksAdded", "SubnetworkN", "Tempo", "LastEpochBlock", "PendingEpochAt",
                           "SubnetEpochIndex", "BlocksSinceLastStep", "WeightsVersionKey",
                           "WeightsSetRateLimit", "MinAllowedWeights", "CommitRevealWeightsEnabled"}) {
    ADIT_TRY_VOID(batch.add(item, key));
  }
  ADIT_TRY_VOID(batch.add("StakeThreshold"));
  ADIT_TRY_VOID(batch.add("TaoWeight"));
  for (const char* item : {"LastUpdate", "Incentive", "Dividends", "ValidatorPermit", "Active"}) {
    ADIT_TRY_VOID(batch.add(item, key));
  }
  ADIT_TRY_VOID(batch.fetch(rpc, out.block_hash));
  Columns columns;
  ADIT_TRY(const std::uint64_t exists, batch.next_integer(1));
  if (exists == 0) return not_found("there is no subnet {} at block {}", out.netuid, out.block);
  ADIT_TRY(columns.neurons, batch.next_integer(2));
  ADIT_TRY(const std::uint64_t tempo, batch.next_integer(2));
  out.tempo = static_cast<std::uint16_t>(tempo);
  ADIT_TRY(out.last_epoch_block, batch.next_integer(8));
  ADIT_TRY(out.pending_epoch_at, batch.next_integer(8));
  ADIT_TRY(out.epoch_index, batch.next_integer(8));
  ADIT_TRY(out.blocks_since_last_step, batch.next_integer(8));
  ADIT_TRY(out.weights_version, batch.next_integer(8));
  ADIT_TRY(out.weights_rate_limit, batch.next_integer(8));
  ADIT_TRY(const std::uint64_t min_allowed, batch.next_integer(2));
  out.min_allowed_weights = static_cast<std::uint16_t>(min_allowed);
  ADIT_TRY(const std::uint64_t commit_reveal, batch.next_integer(1));
  out.commit_reveal = commit_reveal != 0;
  ADIT_TRY(out.stake_threshold, batch.next_integer(8));
  ADIT_TRY(columns.tao_weight, batch.next_integer(8));
  ADIT_TRY(columns.last_update, batch.next_list(8));
  ADIT_TRY(columns.incentive, batch.next_list(2));
  ADIT_TRY(columns.dividends, batch.next_list(2));
  ADIT_TRY(columns.permit, batch.next_list(1));
  ADIT_TRY(columns.active, batch.next_list(1));
  if (columns.neurons > limits::kUidsMax)
    return data_loss("subnet {}: {} neurons", out.netuid, columns.neurons);
  return columns;
}

Result<void> read_hotkeys(ChainRpc& rpc, const Metadata& metadata, const Columns& columns, Metagraph& out) {
  Batch batch(metadata);
  for (std::size_t uid = 0; uid < columns.neurons; ++uid) {
    const std::vector<Bytes> key = {key_u16(out.netuid), key_u16(static_cast<Uid>(uid))};
    ADIT_TRY_VOID(batch.add("Keys", key));
    ADIT_TRY_VOID(batch.add("BlockAtRegistration", key));
  }
  ADIT_TRY_VOID(batch.fetch(rpc, out.block_hash));
  for (std::size_t uid = 0; uid < columns.neurons; ++uid) {
    Neuron neuron;
    neuron.uid = static_cast<Uid>(uid);
    ADIT_TRY(neuron.hotkey, batch.next_account());
    ADIT_TRY(neuron.registered_at, batch.next_integer(8));
    neuron.last_update = item_or_zero(columns.last_update, uid);
    neuron.incentive = static_cast<std::uint16_t>(item_or_zero(columns.incentive, uid));
    neuron.dividends = static_cast<std::uint16_t>(item_or_zero(columns.dividends, uid));
    neuron.validator_permit = item_or_zero(columns.permit, uid) != 0;
    neuron.active = item_or_zero(columns.active, uid) != 0;
    out.neurons.push_back(neuron);
  }
  return {};
}

Result<void> read_accounts(ChainRpc& rpc, const Metadata& metadata, const Columns& columns,
                           Metagraph& out) {
  Batch batch(metadata);
  for (const Neuron& neuron : out.neurons) {
    const Bytes hotkey = to_bytes(neuron.hotkey);
    ADIT_TRY_VOID(batch.add("Axons", std::vector<Bytes>{key_u16(out.netuid), hotkey}));
    ADIT_TRY_VOID(batch.add("Owner", std::vector<Bytes>{hotkey}));
    ADIT_TRY_VOID(batch.add("TotalHotkeyAlpha", std::vector<Bytes>{hotkey, key_u16(out.netuid)}));
    ADIT_TRY_VOID(batch.add("TotalHotkeyAlpha", std::vector<Bytes>{hotkey, key_u16(0)}));
  }
  ADIT_TRY_VOID(batch.fetch(rpc, out.block_hash));
  for (Neuron& neuron : out.neurons) {
    if (const std::optional<ByteView> value = batch.next()) {
      ADIT_TRY(neuron.axon, decode_axon(metadata, batch.last_entry(), *value));
    }
    ADIT_TRY(neuron.coldkey, batch.next_account());
    ADIT_TRY(const std::uint64_t alpha, batch.next_integer(8));
    ADIT_TRY(const std::uint64_t tao, batch.next_integer(8));
    const std::uint64_t tao_part = weighted(tao, columns.tao_weight);
    neuron.stake = alpha > UINT64_MAX - tao_part ? UINT64_MAX : alpha + tao_part;
  }
  return {};
}

}  // namespace

std::uint64_t weighted(std::uint64_t value, std::uint64_t fraction) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>(Wide{value} * fraction / UINT64_MAX);
}

Result<Metagraph> read_metagraph(ChainRpc& rpc, const Metadata& metadata, NetUid netuid,
                                 const BlockRef& block) {
  Metagraph out;
  out.netuid = netuid;
  out.block = block.number;
  out.block_hash = block.hash;
  ADIT_TRY(const Columns columns, read_subnet(rpc, metadata, out));
  ADIT_TRY_VOID(read_hotkeys(rpc, metadata, columns, out));
  ADIT_TRY_VOID(read_accounts(rpc, metadata, columns, out));
  return out;
}

Result<std::vector<std::pair<Uid, std::uint16_t>>> read_weights(ChainRpc& rpc, const Metadata& metadata,
                                                                NetUid netuid, MechId mechanism, Uid uid,
                                                                const std::optional<Hash256>& at) {
  constexpr std::uint32_t kSubnetsPerMechanism = 4096;
  const std::uint32_t index = mechanism * kSubnetsPerMechanism + netuid;
  if (netuid >= kSubnetsPerMechanism || index > UINT16_MAX) {
    return invalid_argument("subnet {} has no mechanism {}", netuid, mechanism);
  }
  const std::vector<Bytes> parts = {key_u16(static_cast<std::uint16_t>(index)), key_u16(uid)};
  ADIT_TRY(const Bytes key, storage_key(metadata, kPallet, "Weights", parts));
  ADIT_TRY(const std::optional<Bytes> value, rpc.storage(key, at));
  std::vector<std::pair<Uid, std::uint16_t>> row;
  if (!value) return row;
  scale::Decoder in(*value);
  ADIT_TRY(const std::size_t count, in.count(4));
  for (std::size_t i = 0; i < count; ++i) {
    ADIT_TRY(const Uid to, in.u16());
    ADIT_TRY(const std::uint16_t weight, in.u16());
    row.emplace_back(to, weight);
  }
  if (!in.done()) return data_loss("storage {}.Weights: {} bytes too many", kPallet, in.remaining());
  return row;
}

}  // namespace adit::chain
