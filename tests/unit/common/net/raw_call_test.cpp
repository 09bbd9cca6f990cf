// SPDX-License-Identifier: MIT
// What a caller can do wrong on the wire, sent with the generated gRPC stub and hand-made metadata.
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include "adit/v1/miner.grpc.pb.h"
#include "common/net/deadline.hpp"
#include "common/protocol/btauth.hpp"
#include "common/protocol/wire.hpp"
#include "tests/support/miner_rig.hpp"

namespace adit::net {
namespace {

struct RawCall {
  test::MinerRig rig;
  v1::GenerateRequest request;
  std::string signed_body;
  std::vector<protocol::Header> headers;

  RawCall() {
    rig.start();
    const Bytes body = protocol::encode_request(test::counting_request(2));
    request.ParseFromArray(body.data(), static_cast<int>(body.size()));
    sign(rig.nonces.next());
  }
  void sign(std::uint64_t nonce) {
    signed_body = request.SerializeAsString();
    headers = *protocol::seal(rig.validator, rig.miner.account(),
                              {"POST", "/adit.v1.Miner/Generate", as_bytes(signed_body)}, nonce);
  }
  std::string& value(std::string_view key) {
    for (auto& [name, text] : headers) {
      if (name == key) return text;
    }
    return headers[0].second;
  }
  grpc::StatusCode send() {
    const auto stub = v1::Miner::NewStub(
        grpc::CreateChannel(rig.endpoint().text(), grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    context.set_deadline(deadline_after(std::chrono::seconds(10)));
    for (const auto& [key, text] : headers) context.AddMetadata(key, text);
    const auto reader = stub->Generate(&context, request);
    v1::GenerateChunk chunk;
    received.clear();
    while (reader->Read(&chunk)) received.push_back(chunk);
    status = reader->Finish();
    retry_after = context.GetServerTrailingMetadata().count("adit-retry-after-ms") > 0;
    return status.error_code();
  }
  std::vector<v1::GenerateChunk> received;
  grpc::Status status;
  bool retry_after = false;
};

TEST(RawCall, the_generated_stub_is_understood) {
  RawCall call;
  ASSERT_EQ(call.send(), grpc::StatusCode::OK) << call.status.error_message();
  ASSERT_EQ(call.received.size(), 3U);
  EXPECT_EQ(call.received[0].tokens().ids(0), 101U);
  EXPECT_TRUE(call.received[2].has_receipt());
}

TEST(RawCall, a_tampered_body_is_refused) {
  RawCall call;
  call.request.set_slot(call.request.slot() + 1);
  EXPECT_EQ(call.send(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(call.rig.handler.admitted, 0);
}

TEST(RawCall, a_replayed_call_is_refused_and_runs_once) {
  RawCall call;
  EXPECT_EQ(call.send(), grpc::StatusCode::OK);
  EXPECT_EQ(call.send(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_NE(call.status.error_message().find("used before"), std::string::npos);
  EXPECT_EQ(call.rig.handler.generated, 1);
}

TEST(RawCall, a_stale_or_future_nonce_is_refused) {
  RawCall call;
  call.sign(call.rig.clock.now_ns() - 11'000'000'000);
  EXPECT_EQ(call.send(), grpc::StatusCode::UNAUTHENTICATED);
  call.sign(call.rig.clock.now_ns() + 10'000'000'000);
  EXPECT_EQ(call.send(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(call.rig.handler.admitted, 0);
}

TEST(RawCall, unsigned_and_doubled_metadata_is_refused) {
  RawCall call;
  call.headers.push_back(call.headers[0]);
  EXPECT_EQ(call.send(), grpc::StatusCode::INVALID_ARGUMENT);
  call.headers.clear();
  EXPECT_EQ(call.send(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST(RawCall, a_signature_for_another_method_is_refused) {
  RawCall call;
  call.headers = *protocol::seal(call.rig.validator, call.rig.miner.account(),
                                 {"POST", "/adit.v1.Miner/Describe", as_bytes(call.signed_body)},
                                 call.rig.nonces.next());
  EXPECT_EQ(call.send(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST(RawCall, signed_nonsense_is_an_invalid_argument) {
  RawCall call;
  call.request.set_card("short");
  call.sign(call.rig.nonces.next());
  EXPECT_EQ(call.send(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_NE(call.status.error_message().find("request.card: 5 bytes, expected 32"),
            std::string::npos);
  EXPECT_EQ(call.rig.handler.generated, 0);
}

TEST(RawCall, a_refusal_for_rate_says_when_to_come_again) {
  RawCall call;
  call.rig.server->stop(std::chrono::milliseconds(0));
  call.rig.options.rate = {.per_second = 1, .burst = 1};
  call.rig.start();
  call.sign(call.rig.nonces.next());
  EXPECT_EQ(call.send(), grpc::StatusCode::OK);
  EXPECT_FALSE(call.retry_after);
  call.sign(call.rig.nonces.next());
  EXPECT_EQ(call.send(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(call.retry_after);
}

}  // namespace
}  // namespace adit::net
