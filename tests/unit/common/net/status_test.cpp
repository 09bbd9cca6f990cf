// SPDX-License-Identifier: MIT
#include "common/net/status.hpp"

#include <gtest/gtest.h>

#include "common/base/limits.hpp"

namespace adit::net {
namespace {

TEST(Status, codes_go_both_ways) {
  for (int code = 1; code <= 16; ++code) {
    const Error error{static_cast<ErrorCode>(code), "why"};
    const Error back = from_status(to_status(error));
    EXPECT_EQ(back.code, error.code);
    EXPECT_EQ(back.message, "why");
  }
}

TEST(Status, a_peers_text_is_cut_and_cleaned) {
  const grpc::Status status(grpc::StatusCode::INTERNAL, std::string(5000, 'x') + "\n\x1b[31m");
  EXPECT_EQ(from_status(status).message.size(), limits::kPeerTextBytesMax);
  EXPECT_EQ(from_status({grpc::StatusCode::INTERNAL, "a\nb\x1b"}).message, "a b ");
}

TEST(Status, verdicts_of_failed_calls) {
  EXPECT_EQ(verdict_of({ErrorCode::kDeadlineExceeded, ""}), protocol::Verdict::kLate);
  EXPECT_EQ(verdict_of({ErrorCode::kUnavailable, ""}), protocol::Verdict::kNoReply);
  EXPECT_EQ(verdict_of({ErrorCode::kDataLoss, ""}), protocol::Verdict::kMalformedReceipt);
  EXPECT_EQ(verdict_of({ErrorCode::kResourceExhausted, ""}), protocol::Verdict::kRefused);
  // A failed call is never paid.
  for (int code = 1; code <= 16; ++code) {
    EXPECT_NE(verdict_of({static_cast<ErrorCode>(code), ""}), protocol::Verdict::kExact);
  }
}

}  // namespace
}  // namespace adit::net
