// SPDX-License-Identifier: MIT
//
// wss against a TLS server on loopback: whom we trust and whom not.
#include <cstdlib>
#include <fstream>
#include <thread>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <gtest/gtest.h>

#include "common/chain/rpc_connection.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tls_certificate.hpp"

namespace adit::chain {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using Tcp = asio::ip::tcp;
using boost::system::error_code;

// Takes one connection and answers every request with its method's name.
class TlsNode {
 public:
  explicit TlsNode(const test::TlsCertificate& certificate)
      : acceptor_(io_, {asio::ip::address_v4::loopback(), 0}) {
    context_.use_certificate_chain(asio::buffer(certificate.certificate_pem));
    context_.use_private_key(asio::buffer(certificate.key_pem), asio::ssl::context::pem);
    thread_ = std::thread([this] { serve(); });
  }
  TlsNode(const TlsNode&) = delete;
  TlsNode& operator=(const TlsNode&) = delete;
  ~TlsNode() { thread_.join(); }
  [[nodiscard]] std::string url(const std::string& host) const {
    return "wss://" + host + ":" + std::to_string(acceptor_.local_endpoint().port());
  }

 private:
  void serve() {
    error_code error;
    Tcp::socket socket(io_);
    acceptor_.accept(socket, error);
    beast::websocket::stream<beast::ssl_stream<beast::tcp_stream>> stream(
        beast::tcp_stream(std::move(socket)), context_);
    stream.next_layer().handshake(asio::ssl::stream_base::server, error);
    if (!error) stream.accept(error);
    while (!error) {
      beast::flat_buffer in;
      stream.read(in, error);
      if (error) break;
      const Json request = Json::parse(beast::buffers_to_string(in.data()));
      const Json reply = {{"id", request["id"]}, {"result", request["method"]}};
      stream.write(asio::buffer(reply.dump()), error);
    }
  }

  asio::io_context io_;
  Tcp::acceptor acceptor_;
  asio::ssl::context context_{asio::ssl::context::tls_server};
  std::thread thread_;
};

class Wss : public testing::Test {
 protected:
  // The certificate becomes the only one that is trusted.
  void trust(const test::TlsCertificate& certificate) {
    const std::string path = (dir_.path() / "trusted.pem").string();
    std::ofstream(path) << certificate.certificate_pem;
    ::setenv("SSL_CERT_FILE", path.c_str(), 1);
  }
  void TearDown() override { ::unsetenv("SSL_CERT_FILE"); }

  static ClientOptions options() {
    ClientOptions quick;
    quick.connect_timeout_ms = 3000;
    quick.request_timeout_ms = 3000;
    return quick;
  }

  test::TempDir dir_;
};

TEST_F(Wss, speaks_with_a_trusted_node_by_name_and_by_address) {
  const test::TlsCertificate certificate = test::make_certificate("localhost");
  trust(certificate);
  for (const char* host : {"localhost", "127.0.0.1"}) {
    TlsNode node(certificate);
    const auto connection = RpcConnection::open(node.url(host), options());
    ASSERT_TRUE(connection.has_value()) << connection.error().message;
    EXPECT_EQ((*connection)->call("hello", Json::array(), Resend::kYes).value(), "hello");
  }
}

TEST_F(Wss, refuses_a_certificate_that_nobody_vouches_for) {
  trust(test::make_certificate("localhost"));
  TlsNode node(test::make_certificate("localhost"));
  const auto connection = RpcConnection::open(node.url("localhost"), options());
  ASSERT_FALSE(connection.has_value());
  EXPECT_EQ(connection.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(connection.error().message.find("certificate verify failed"), std::string::npos)
      << connection.error().message;
}

TEST_F(Wss, refuses_a_certificate_of_another_name) {
  const test::TlsCertificate certificate = test::make_certificate("other.example");
  trust(certificate);
  TlsNode node(certificate);
  const auto connection = RpcConnection::open(node.url("localhost"), options());
  ASSERT_FALSE(connection.has_value());
  EXPECT_NE(connection.error().message.find("certificate verify failed"), std::string::npos)
      << connection.error().message;
}

}  // namespace
}  // namespace adit::chain
