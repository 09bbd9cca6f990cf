// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "common/base/files.hpp"
#include "tests/support/miner_rig.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tls_certificate.hpp"

namespace adit::net {
namespace {

constexpr std::chrono::milliseconds kLong{10'000};

struct TlsRig {
  test::TempDir dir;
  test::TlsCertificate certificate = test::make_certificate("adit-miner.test");
  test::MinerRig rig;

  TlsRig() {
    const std::string base = dir.path().string();
    EXPECT_TRUE(write_file_atomic(base + "/cert.pem", as_bytes(certificate.certificate_pem)));
    EXPECT_TRUE(write_file_atomic(base + "/key.pem", as_bytes(certificate.key_pem), 0600));
    rig.options.tls =
        TlsFiles{.certificate_path = base + "/cert.pem", .key_path = base + "/key.pem"};
  }
};

TEST(Tls, a_pinned_self_signed_certificate_is_trusted) {
  TlsRig tls;
  tls.rig.start();
  const auto by_address =
      tls.rig.channel(TlsTrust{tls.certificate.certificate_pem, ""}).describe(kLong);
  EXPECT_TRUE(by_address) << by_address.error().message;
  MinerChannel by_name =
      tls.rig.channel(TlsTrust{tls.certificate.certificate_pem, "adit-miner.test"});
  EXPECT_TRUE(by_name.generate(test::counting_request(3), kLong));
}

TEST(Tls, another_certificate_another_name_and_no_tls_are_refused) {
  TlsRig tls;
  tls.rig.start();
  const test::TlsCertificate other = test::make_certificate("adit-miner.test");
  EXPECT_EQ(tls.rig.channel(TlsTrust{other.certificate_pem, ""}).describe(kLong).error().code,
            ErrorCode::kUnavailable);
  EXPECT_EQ(tls.rig.channel(TlsTrust{tls.certificate.certificate_pem, "other.test"})
                .describe(kLong)
                .error()
                .code,
            ErrorCode::kUnavailable);
  EXPECT_EQ(tls.rig.channel().describe(kLong).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(tls.rig.handler.admitted, 0);
}

TEST(Tls, beyond_loopback_is_allowed_with_it) {
  TlsRig tls;
  tls.rig.options.bind = *parse_endpoint("0.0.0.0:0");
  EXPECT_TRUE(
      MinerServer::start(tls.rig.options, tls.rig.miner.account(), tls.rig.handler, tls.rig.clock));
}

TEST(Tls, missing_and_wrong_files_are_named) {
  TlsRig tls;
  const std::string base = tls.dir.path().string();
  const auto start = [&] {
    return MinerServer::start(tls.rig.options, tls.rig.miner.account(), tls.rig.handler,
                              tls.rig.clock);
  };
  tls.rig.options.tls->certificate_path = base + "/absent.pem";
  EXPECT_NE(start().error().message.find("absent.pem"), std::string::npos);
  ASSERT_TRUE(write_file_atomic(base + "/text.pem", as_bytes("hello")));
  tls.rig.options.tls->certificate_path = base + "/text.pem";
  EXPECT_EQ(start().error().code, ErrorCode::kInvalidArgument);
  tls.rig.options.tls->certificate_path = base + "/cert.pem";
  tls.rig.options.tls->key_path = base + "/cert.pem";
  EXPECT_EQ(start().error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace adit::net
