// SPDX-License-Identifier: MIT
#include "common/chain/calls.hpp"

#include <numeric>

#include "common/chain/localnet_metadata.hpp"
#include "tests/unit/common/chain/vectors.hpp"

namespace adit::chain {
namespace {

const Bytes kOnes(32, 1);
AccountId ones() {
  return account(to_hex(kOnes));
}

AxonInfo axon_v4() {
  AxonInfo axon{.netuid = 1, .version = 1000, .port = 8091};
  axon.ip[12] = 192, axon.ip[13] = 168, axon.ip[14] = 1, axon.ip[15] = 2;
  return axon;
}

// One unit of every argument, as the runtime pins them (spec 467).
TEST(Calls, equal_the_runtime_s_pins) {
  const WeightRow row{.netuid = 1, .mechanism = 1, .uids = {1}, .values = {1}, .version_key = 1};
  EXPECT_EQ(to_hex(ok(set_mechanism_weights(spec461(), row))), "07770100010401000401000100000000000000");
  WeightRow first = row;
  first.mechanism = 0;
  EXPECT_EQ(to_hex(ok(set_weights(spec461(), first))), "070001000401000401000100000000000000");
  EXPECT_EQ(to_hex(ok(burned_register(spec461(), 1, ones()))), "07070100" + to_hex(kOnes));
  const CallArgument axon[] = {
      {"netuid", {1, 0}},    {"version", {1, 0, 0, 0}}, {"ip", hex("01" + std::string(30, '0'))},
      {"port", {1, 0}},      {"ip_type", {1}},          {"protocol", {1}},
      {"placeholder1", {1}}, {"placeholder2", {1}}};
  EXPECT_EQ(to_hex(ok(encode_call(spec461(), "SubtensorModule", "serve_axon", axon))),
            "070401000100000001000000000000000000000000000000010001010101");
  const CallArgument commit[] = {{"netuid", {1, 0}}, {"commit_hash", kOnes}};
  EXPECT_EQ(to_hex(ok(encode_call(spec461(), "SubtensorModule", "commit_weights", commit))),
            "07600100" + to_hex(kOnes));
  const CallArgument timelocked[] = {{"netuid", {1, 0}},
                                     {"mecid", {1}},
                                     {"commit", {4, 1}},
                                     {"reveal_round", {1, 0, 0, 0, 0, 0, 0, 0}},
                                     {"commit_reveal_version", {1, 0}}};
  EXPECT_EQ(to_hex(ok(encode_call(spec461(), "SubtensorModule", "commit_timelocked_mechanism_weights",
                                  timelocked))),
            "0776010001040101000000000000000100");
}

TEST(Calls, equal_bittensor_core) {
  const Metadata& m = spec461();
  const WeightRow row{.netuid = 1, .uids = {0, 1, 2}, .values = {65535, 32768, 1}};
  EXPECT_EQ(ok(set_mechanism_weights(m, row)), byte_vector("call", "set_mechanism_weights"));
  WeightRow longer{.netuid = 513, .mechanism = 3, .version_key = (std::uint64_t{1} << 63) + 5};
  for (std::uint16_t i = 0; i < 100; ++i) {
    longer.uids.push_back(i);
    longer.values.push_back(static_cast<std::uint16_t>(i * 7));
  }
  EXPECT_EQ(ok(set_mechanism_weights(m, longer)), byte_vector("call", "set_mechanism_weights_long"));
  EXPECT_EQ(ok(set_weights(m, {.netuid = 1, .uids = {7}, .values = {65535}, .version_key = 9})),
            byte_vector("call", "set_weights"));
  EXPECT_EQ(ok(serve_axon(m, axon_v4())), byte_vector("call", "serve_axon_v4"));
  AxonInfo v6{.netuid = 1, .version = 1, .port = 443, .is_v6 = true};
  v6.ip = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  EXPECT_EQ(ok(serve_axon(m, v6)), byte_vector("call", "serve_axon_v6"));
  EXPECT_EQ(ok(burned_register(m, 1, bob())), byte_vector("call", "burned_register"));
  EXPECT_EQ(ok(add_stake(m, bob(), 1, 1'000'000'000)), byte_vector("call", "add_stake"));
  EXPECT_EQ(ok(transfer_keep_alive(m, bob(), 1'000'000'000)), byte_vector("call", "transfer_keep_alive"));
  EXPECT_EQ(ok(set_commitment(m, 1, as_bytes("hello"))), byte_vector("call", "set_commitment"));
}

TEST(Calls, wrap_admin_calls_in_sudo_as_bittensor_core_does) {
  const Metadata& m = spec461();
  const auto wrapped = [&m](Result<Bytes> inner) { return ok(sudo(m, ok(std::move(inner)))); };
  EXPECT_EQ(wrapped(admin_set(m, "tempo", 1, 25)), byte_vector("call", "sudo_tempo"));
  EXPECT_EQ(wrapped(admin_set(m, "weights_set_rate_limit", 1, 0)),
            byte_vector("call", "sudo_weights_set_rate_limit"));
  EXPECT_EQ(wrapped(admin_set(m, "commit_reveal_weights_enabled", 1, 0)),
            byte_vector("call", "sudo_commit_reveal_weights_enabled"));
  EXPECT_EQ(wrapped(admin_set(m, "kappa", 1, 32767)), byte_vector("call", "sudo_kappa"));
  EXPECT_EQ(wrapped(admin_set(m, "serving_rate_limit", 1, 3)),
            byte_vector("call", "sudo_serving_rate_limit"));
  EXPECT_EQ(wrapped(admin_set_global(m, "stake_threshold", 5)),
            byte_vector("call", "sudo_stake_threshold"));
}

TEST(Calls, refuse_what_the_runtime_does_not_take) {
  const Metadata& m = spec461();
  EXPECT_EQ(admin_set(m, "tempo", 1, 70000).error().message,
            "AdminUtils.sudo_set_tempo: tempo = 70000 does not fit u16");
  EXPECT_EQ(admin_set(m, "nothing", 1, 0).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(admin_set(m, "alpha_values", 1, 0).error().code, ErrorCode::kFailedPrecondition);
  EXPECT_EQ(sudo(m, hex("ffff")).error().code, ErrorCode::kFailedPrecondition);
  const CallArgument misnamed[] = {{"netuid", {1, 0}}, {"key", to_bytes(bob())}};
  EXPECT_EQ(encode_call(m, "SubtensorModule", "burned_register", misnamed).error().message,
            "SubtensorModule.burned_register: argument 1 is hotkey in this runtime, expected key");
  const CallArgument narrow[] = {{"netuid", {1}}, {"hotkey", to_bytes(bob())}};
  EXPECT_EQ(encode_call(m, "SubtensorModule", "burned_register", narrow).error().message,
            "SubtensorModule.burned_register: netuid is NetUid in this runtime; 0x01 is not one");
  EXPECT_EQ(set_mechanism_weights(m, {.netuid = 1, .uids = {1, 2}, .values = {1}}).error().message,
            "2 uids but 1 weights");
  EXPECT_FALSE(set_commitment(m, 1, Bytes(129)).has_value());
}

TEST(DecodedCall, reads_back_what_was_built) {
  const Metadata m = decoded(localnet_metadata());
  const WeightRow row{.netuid = 3, .mechanism = 1, .uids = {4, 5}, .values = {6, 0}, .version_key = 7};
  const WeightRow back = ok(decode_weight_row(ok(decode_call(m, ok(set_mechanism_weights(m, row))))));
  EXPECT_EQ(back.netuid, 3);
  EXPECT_EQ(back.mechanism, 1);
  EXPECT_EQ(back.uids, row.uids);
  EXPECT_EQ(back.values, row.values);
  EXPECT_EQ(back.version_key, 7u);
  const AxonInfo axon = ok(decode_serve_axon(ok(decode_call(m, ok(serve_axon(m, axon_v4()))))));
  EXPECT_EQ(axon.ip, axon_v4().ip);
  EXPECT_EQ(axon.port, 8091);
  EXPECT_FALSE(axon.is_v6);
  const DecodedCall outer = ok(decode_call(m, ok(sudo(m, ok(admin_set(m, "tempo", 2, 9))))));
  EXPECT_TRUE(outer.is("Sudo", "sudo"));
  const DecodedCall inner = ok(decode_call(m, ok(outer.raw("call"))));
  EXPECT_TRUE(inner.is("AdminUtils", "sudo_set_tempo"));
  EXPECT_EQ(ok(inner.integer("tempo", 2)), 9u);
  EXPECT_EQ(inner.integer("tempo", 4).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(inner.integer("other", 4).error().code, ErrorCode::kNotFound);
  const DecodedCall transfer = ok(decode_call(m, ok(transfer_keep_alive(m, bob(), 5))));
  EXPECT_EQ(ok(transfer.account("dest")), bob());
}

TEST(DecodedCall, refuses_truncation_and_extra_bytes) {
  const Bytes call = byte_vector("call", "set_mechanism_weights");
  for (std::size_t size = 0; size < call.size(); ++size) {
    EXPECT_FALSE(decode_call(spec461(), ByteView(call).first(size)).has_value()) << size;
  }
  Bytes longer = call;
  longer.push_back(0);
  EXPECT_EQ(decode_call(spec461(), longer).error().message,
            "SubtensorModule.set_mechanism_weights: 1 bytes too many");
}

// A call that holds a call that holds a call …: bounded, not a stack overflow.
TEST(DecodedCall, bounds_nesting) {
  Bytes call =
      hex("0000"
          "00");
  for (int i = 0; i < 5000; ++i) {
    Bytes outer = {12, 0};
    append(outer, call);
    call = std::move(outer);
  }
  EXPECT_FALSE(decode_call(spec461(), call).has_value());
}

}  // namespace
}  // namespace adit::chain
