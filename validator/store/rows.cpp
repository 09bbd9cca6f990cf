// SPDX-License-Identifier: MIT
#include "validator/store/rows.hpp"

#include "common/base/limits.hpp"
#include "common/scale/decoder.hpp"
#include "common/scale/encoder.hpp"

namespace adit::validator {
namespace {

// Reads fields in order; the first failure is kept and named, later reads do nothing.
class Reader {
 public:
  Reader(ByteView body, const char* what) : decoder_(body), what_(what) {}

  void get(const char* field, std::uint8_t& out) { keep(field, decoder_.u8(), out); }
  void get(const char* field, bool& out) { keep(field, decoder_.boolean(), out); }
  void get(const char* field, std::uint16_t& out) { keep(field, decoder_.u16(), out); }
  void get(const char* field, std::uint32_t& out) { keep(field, decoder_.u32(), out); }
  void get(const char* field, std::uint64_t& out) { keep(field, decoder_.u64(), out); }
  void get(const char* field, Hash256& out) {
    if (failure_) return;
    const auto raw = decoder_.raw(out.size());
    if (!raw) return fail(field, raw.error().message);
    std::copy(raw->begin(), raw->end(), out.begin());
  }
  void get(const char* field, Bytes& out) {
    if (failure_) return;
    const auto bytes = decoder_.bytes();
    if (!bytes) return fail(field, bytes.error().message);
    out = to_bytes(*bytes);
  }
  void get(const char* field, std::string& out) {
    Bytes bytes;
    get(field, bytes);
    out = std::string(as_text(bytes));
  }
  // The length of a list whose items take at least `item_bytes` each.
  std::size_t length(const char* field, std::size_t item_bytes) {
    if (failure_) return 0;
    const auto count = decoder_.count(item_bytes);
    if (!count) {
      fail(field, count.error().message);
      return 0;
    }
    return *count;
  }
  void fail(const char* field, const std::string& why) {
    if (!failure_)
      failure_ = fmt::format("{} row: {} at offset {}: {}", what_, field, decoder_.offset(), why);
  }
  template <class Row>
  Result<Row> finish(Row row) {
    if (!failure_ && !decoder_.done()) fail("end", fmt::format("{} bytes too many", decoder_.remaining()));
    if (failure_) return invalid_argument("{}", *failure_);
    return row;
  }

 private:
  template <class T>
  void keep(const char* field, Result<T> value, T& out) {
    if (failure_) return;
    if (!value) return fail(field, value.error().message);
    out = *value;
  }

  scale::Decoder decoder_;
  const char* what_;
  std::optional<std::string> failure_;
};

void put_text(scale::Encoder& out, const std::string& text) {
  out.bytes(as_bytes(text));
}

}  // namespace

NewRow encode_row(const PlanRow& row) {
  scale::Encoder out;
  out.u64(row.step);
  out.u64(row.block);
  out.raw(row.block_hash);
  out.u16(row.netuid);
  out.raw(row.charter);
  out.raw(row.secret_commitment);
  out.raw(row.revealed_secret);
  put_text(out, row.software);
  out.compact(row.miners.size());
  for (const PlannedMiner& miner : row.miners) {
    out.u16(miner.uid);
    out.raw(miner.hotkey);
  }
  return {RowKind::kPlan, out.take()};
}

Result<PlanRow> decode_plan(ByteView body) {
  Reader in(body, "plan");
  PlanRow row;
  in.get("step", row.step);
  in.get("block", row.block);
  in.get("block_hash", row.block_hash);
  in.get("netuid", row.netuid);
  in.get("charter", row.charter);
  in.get("secret_commitment", row.secret_commitment);
  in.get("revealed_secret", row.revealed_secret);
  in.get("software", row.software);
  row.miners.resize(in.length("miners", 34));
  for (PlannedMiner& miner : row.miners) {
    in.get("uid", miner.uid);
    in.get("hotkey", miner.hotkey);
  }
  return in.finish(std::move(row));
}

NewRow encode_row(const AskedRow& row) {
  scale::Encoder out;
  out.u64(row.step);
  out.u64(row.slot);
  out.u16(row.uid);
  out.raw(row.hotkey);
  put_text(out, row.family);
  out.u32(row.level);
  put_text(out, row.expected);
  out.bytes(row.request);
  return {RowKind::kAsked, out.take()};
}

Result<AskedRow> decode_asked(ByteView body) {
  Reader in(body, "asked");
  AskedRow row;
  in.get("step", row.step);
  in.get("slot", row.slot);
  in.get("uid", row.uid);
  in.get("hotkey", row.hotkey);
  in.get("family", row.family);
  in.get("level", row.level);
  in.get("expected", row.expected);
  in.get("request", row.request);
  return in.finish(std::move(row));
}

NewRow encode_row(const JudgedRow& row) {
  scale::Encoder out;
  out.u64(row.step);
  out.u64(row.slot);
  out.u16(row.uid);
  out.raw(row.hotkey);
  out.u8(static_cast<std::uint8_t>(row.verdict));
  out.u64(row.tokens);
  out.u64(row.latency_ms);
  out.bytes(row.receipt);
  put_text(out, row.detail);
  return {RowKind::kJudged, out.take()};
}

Result<JudgedRow> decode_judged(ByteView body) {
  Reader in(body, "judged");
  JudgedRow row;
  std::uint8_t verdict = 0;
  in.get("step", row.step);
  in.get("slot", row.slot);
  in.get("uid", row.uid);
  in.get("hotkey", row.hotkey);
  in.get("verdict", verdict);
  if (verdict >= protocol::kVerdicts.size()) in.fail("verdict", fmt::format("{} is none", verdict));
  row.verdict = static_cast<protocol::Verdict>(verdict);
  in.get("tokens", row.tokens);
  in.get("latency_ms", row.latency_ms);
  in.get("receipt", row.receipt);
  in.get("detail", row.detail);
  return in.finish(std::move(row));
}

NewRow encode_row(const WeightsRow& row) {
  scale::Encoder out;
  out.u64(row.step);
  out.u64(row.block);
  out.u64(row.version_key);
  out.u32(row.nonce);
  out.compact(row.uids.size());
  for (std::size_t i = 0; i < row.uids.size(); ++i) {
    out.u16(row.uids[i]);
    out.u16(row.values[i]);
  }
  return {RowKind::kWeights, out.take()};
}

Result<WeightsRow> decode_weights(ByteView body) {
  Reader in(body, "weights");
  WeightsRow row;
  in.get("step", row.step);
  in.get("block", row.block);
  in.get("version_key", row.version_key);
  in.get("nonce", row.nonce);
  const std::size_t count = in.length("uids", 4);
  row.uids.resize(count);
  row.values.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    in.get("uid", row.uids[i]);
    in.get("value", row.values[i]);
  }
  return in.finish(std::move(row));
}

NewRow encode_row(const SubmittedRow& row) {
  scale::Encoder out;
  out.u64(row.step);
  out.boolean(row.success);
  out.u64(row.block);
  out.raw(row.block_hash);
  put_text(out, row.error);
  return {RowKind::kSubmitted, out.take()};
}

Result<SubmittedRow> decode_submitted(ByteView body) {
  Reader in(body, "submitted");
  SubmittedRow row;
  in.get("step", row.step);
  in.get("success", row.success);
  in.get("block", row.block);
  in.get("block_hash", row.block_hash);
  in.get("error", row.error);
  return in.finish(std::move(row));
}

}  // namespace adit::validator
