// SPDX-License-Identifier: MIT
#include "miner/fetch/http_get.hpp"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/support/http_rig.hpp"
#include "tests/support/temp_dir.hpp"

namespace adit::miner {
namespace {

using test::HttpAnswer;
using test::HttpExchange;
using test::HttpRig;

// Environment variables for one test.
class Environment {
 public:
  ~Environment() {
    for (const std::string& name : names_) unsetenv(name.c_str());
  }
  void set(const std::string& name, const std::string& value) {
    names_.push_back(name);
    setenv(name.c_str(), value.c_str(), 1);
  }

 private:
  std::vector<std::string> names_;
};

struct Got {
  Result<Transfer> transfer;
  std::string body;
  int heads = 0;
};

Got get(const std::string& url, const HttpSettings& settings = {}) {
  Got got{internal_error("not run"), "", 0};
  auto http = HttpGet::make(settings);
  got.transfer = http->run(
      {.url = url},
      [&](const Transfer&) -> Result<void> {
        ++got.heads;
        return {};
      },
      [&](ByteView bytes) -> Result<void> {
        got.body += as_text(bytes);
        return {};
      });
  return got;
}

class HttpGetTest : public testing::Test {
 protected:
  HttpGetTest() { test::forget_proxies(); }
};

TEST_F(HttpGetTest, gives_status_headers_and_body) {
  const HttpRig rig([](const HttpExchange&) {
    return HttpAnswer{.headers = {{"X-Repo-Commit", " abc "}}, .body = "hello"};
  });
  const Got got = get(rig.url() + "/x");
  ASSERT_TRUE(got.transfer) << got.transfer.error().message;
  EXPECT_EQ(200, got.transfer->status());
  EXPECT_EQ("abc", got.transfer->first_header("x-repo-commit"));
  EXPECT_EQ("hello", got.body);
  EXPECT_EQ(1, got.heads);
}

TEST_F(HttpGetTest, says_which_hop_said_what) {
  const HttpRig rig([](const HttpExchange& request) {
    if (request.target == "/b/end") return HttpAnswer{.body = "there"};
    return HttpAnswer{
        .status = 307, .headers = {{"Location", "/b/end"}, {"X-Linked-Size", "5"}}, .body = "no"};
  });
  const Got got = get(rig.url() + "/a");
  ASSERT_TRUE(got.transfer) << got.transfer.error().message;
  ASSERT_EQ(2U, got.transfer->hops.size());
  EXPECT_EQ(rig.url() + "/b/end", got.transfer->hops[1].url);
  EXPECT_EQ("5", got.transfer->first_header("x-linked-size"));
  EXPECT_EQ("there", got.body) << "the redirect's own body is no content";
}

TEST_F(HttpGetTest, ends_a_circle_of_redirects) {
  const HttpRig rig(
      [](const HttpExchange&) { return HttpAnswer{.status = 302, .headers = {{"Location", "/again"}}}; });
  const Got got = get(rig.url());
  ASSERT_FALSE(got.transfer);
  EXPECT_NE(std::string::npos, got.transfer.error().message.find("more than 10 redirects"));
  EXPECT_EQ(11U, rig.seen().size());
}

TEST_F(HttpGetTest, follows_to_http_and_https_only) {
  const HttpRig rig([](const HttpExchange&) {
    return HttpAnswer{.status = 302, .headers = {{"Location", "file:///etc/passwd"}}};
  });
  const Got got = get(rig.url());
  ASSERT_FALSE(got.transfer);
  EXPECT_EQ(ErrorCode::kInvalidArgument, got.transfer.error().code);
  EXPECT_FALSE(get("file:///etc/passwd").transfer);
}

TEST_F(HttpGetTest, a_cut_connection_is_broken_not_wrong) {
  const HttpRig rig([](const HttpExchange&) { return HttpAnswer{.body = "0123456789", .cut_after = 4}; });
  const Got got = get(rig.url());
  ASSERT_TRUE(got.transfer);
  EXPECT_TRUE(got.transfer->broken);
  EXPECT_EQ("0123", got.body);
}

TEST_F(HttpGetTest, nobody_there_is_broken_too) {
  std::string url;
  {
    const HttpRig rig([](const HttpExchange&) { return HttpAnswer{}; });
    url = rig.url();
  }
  const Got got = get(url);
  ASSERT_TRUE(got.transfer);
  EXPECT_TRUE(got.transfer->broken);
}

TEST_F(HttpGetTest, the_body_of_an_error_is_no_content) {
  const HttpRig rig([](const HttpExchange&) { return HttpAnswer{.status = 404, .body = "sorry"}; });
  const Got got = get(rig.url());
  ASSERT_TRUE(got.transfer);
  EXPECT_EQ(404, got.transfer->status());
  EXPECT_EQ("", got.body);
  EXPECT_EQ(0, got.heads);
}

TEST_F(HttpGetTest, what_a_callback_refuses_ends_it) {
  const HttpRig rig([](const HttpExchange&) { return HttpAnswer{.body = "0123456789"}; });
  auto http = HttpGet::make({});
  const auto transfer = http->run(
      {.url = rig.url()}, [](const Transfer&) { return Result<void>(); },
      [](ByteView) -> Result<void> { return data_loss("no room"); });
  ASSERT_FALSE(transfer);
  EXPECT_EQ("no room", transfer.error().message);
}

TEST_F(HttpGetTest, proxies_come_from_the_environment_in_both_cases) {
  const HttpRig proxy([](const HttpExchange&) { return HttpAnswer{.body = "by proxy"}; });
  for (const char* name : {"HTTP_PROXY", "http_proxy"}) {
    Environment environment;
    environment.set(name, proxy.url());
    const Got got = get("http://hub.invalid/file");
    ASSERT_TRUE(got.transfer) << got.transfer.error().message;
    EXPECT_EQ("by proxy", got.body);
    EXPECT_EQ("http://hub.invalid/file", proxy.seen().back().target);
  }
}

TEST_F(HttpGetTest, no_proxy_goes_direct) {
  const HttpRig proxy([](const HttpExchange&) { return HttpAnswer{.body = "by proxy"}; });
  const HttpRig rig([](const HttpExchange&) { return HttpAnswer{.body = "direct"}; });
  for (const char* name : {"NO_PROXY", "no_proxy"}) {
    Environment environment;
    environment.set("HTTP_PROXY", proxy.url());
    EXPECT_EQ("by proxy", get(rig.url()).body);
    environment.set(name, "127.0.0.1");
    EXPECT_EQ("direct", get(rig.url()).body);
  }
}

TEST_F(HttpGetTest, an_https_proxy_is_asked_for_a_tunnel) {
  const HttpRig proxy([](const HttpExchange&) { return HttpAnswer{.status = 403}; });
  for (const char* name : {"HTTPS_PROXY", "https_proxy"}) {
    Environment environment;
    environment.set(name, proxy.url());
    static_cast<void>(get("https://hub.invalid/file"));
    EXPECT_EQ("CONNECT", proxy.seen().back().method);
    EXPECT_EQ("hub.invalid:443", proxy.seen().back().target);
  }
}

TEST_F(HttpGetTest, trusts_the_certificates_it_is_given_and_no_others) {
  const auto certificate = test::make_certificate("hub.test");
  const HttpRig rig([](const HttpExchange&) { return HttpAnswer{.body = "sealed"}; }, certificate);
  const Got refused = get(rig.url());
  ASSERT_FALSE(refused.transfer);
  EXPECT_EQ(ErrorCode::kUnauthenticated, refused.transfer.error().code) << refused.transfer.error().message;

  const test::TempDir folder;
  std::ofstream(folder.path() / "ca.pem") << certificate.certificate_pem;
  const Got got = get(rig.url(), {.ca_file = folder.path() / "ca.pem"});
  ASSERT_TRUE(got.transfer) << got.transfer.error().message;
  EXPECT_EQ("sealed", got.body);
}

TEST_F(HttpGetTest, does_not_go_from_https_to_http) {
  const auto certificate = test::make_certificate("hub.test");
  const HttpRig plain([](const HttpExchange&) { return HttpAnswer{.body = "open"}; });
  const HttpRig rig(
      [&](const HttpExchange&) { return HttpAnswer{.status = 302, .headers = {{"Location", plain.url()}}}; },
      certificate);
  const test::TempDir folder;
  std::ofstream(folder.path() / "ca.pem") << certificate.certificate_pem;
  const Got got = get(rig.url(), {.ca_file = folder.path() / "ca.pem"});
  ASSERT_FALSE(got.transfer);
  EXPECT_EQ(ErrorCode::kFailedPrecondition, got.transfer.error().code);
  EXPECT_TRUE(plain.seen().empty());
}

TEST_F(HttpGetTest, origins_and_escapes) {
  EXPECT_EQ("https://hub.test:443", origin_of("https://HUB.test/a/b").value());
  EXPECT_EQ("http://127.0.0.1:81", origin_of("http://127.0.0.1:81").value());
  EXPECT_FALSE(origin_of("hub"));
  EXPECT_FALSE(origin_of("ftp://hub.test"));
  EXPECT_TRUE(is_loopback_origin("http://127.0.0.1:81"));
  EXPECT_FALSE(is_loopback_origin("http://127.0.0.1.hub.test:81"));
  EXPECT_EQ("refs%2Fpr%2F1%20%C3%A9", url_escape("refs/pr/1 é"));
}

}  // namespace
}  // namespace adit::miner
