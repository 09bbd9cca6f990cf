// SPDX-License-Identifier: MIT
// The chain over real sockets.
#include <thread>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/base/clock.hpp"
#include "validator/localnet/localnet.hpp"
#include "validator/localnet/rpc_server.hpp"

namespace adit::validator {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using Json = nlohmann::json;

class Client {
 public:
  explicit Client(std::uint16_t port, const std::string& origin = "") : socket_(context_) {
    beast::get_lowest_layer(socket_).connect({asio::ip::make_address("127.0.0.1"), port});
    socket_.set_option(websocket::stream_base::decorator([origin](websocket::request_type& request) {
      if (!origin.empty()) request.set(beast::http::field::origin, origin);
    }));
    socket_.handshake("127.0.0.1", "/");
  }
  void send(const std::string& text) { socket_.write(asio::buffer(text)); }
  Json read() {
    beast::flat_buffer buffer;
    socket_.read(buffer);
    return Json::parse(beast::buffers_to_string(buffer.data()));
  }
  Json call(const std::string& method, const Json& params = Json::array()) {
    send(Json{{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}}.dump());
    return read();
  }

 private:
  asio::io_context context_;
  websocket::stream<asio::ip::tcp::socket> socket_;
};

std::unique_ptr<Localnet> start(std::optional<std::chrono::milliseconds> block_time = std::nullopt) {
  static const SystemClock clock;
  LocalnetOptions options;
  options.rpc.block_time = block_time;
  auto chain = Localnet::start(options, clock);
  EXPECT_TRUE(chain) << chain.error().message;
  return chain ? *std::move(chain) : nullptr;
}

std::uint16_t port_of(const Localnet& chain) {
  const std::string url = chain.url();
  return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

TEST(RpcServer, AnswersSeveralClientsAndTellsThemBlocks) {
  const auto chain = start();
  ASSERT_TRUE(chain);
  EXPECT_TRUE(chain->url().starts_with("ws://127.0.0.1:"));
  Client first(port_of(*chain));
  Client second(port_of(*chain));
  EXPECT_EQ(first.call("system_chain")["result"], "Adit Localnet");
  EXPECT_TRUE(second.call("chain_subscribeNewHeads")["result"].is_string());
  EXPECT_EQ(second.read()["params"]["result"]["number"], "0x0");
  ASSERT_TRUE(chain->make_block());
  EXPECT_EQ(second.read()["params"]["result"]["number"], "0x1");
  EXPECT_TRUE(first.call("dev_newBlock")["result"].is_string());
  EXPECT_EQ(second.read()["params"]["result"]["number"], "0x2");
  first.send("not json");
  EXPECT_EQ(first.read()["error"]["code"], -32700);
}

TEST(RpcServer, MakesBlocksByTheClock) {
  const auto chain = start(std::chrono::milliseconds(20));
  ASSERT_TRUE(chain);
  Client client(port_of(*chain));
  client.call("chain_subscribeFinalizedHeads");
  client.read();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.read()["method"], "chain_finalizedHead");
  EXPECT_GE(chain->node().head().header.number, 3u);
  EXPECT_FALSE(chain->failure());
}

TEST(RpcServer, AMessageThatIsTooLongEndsTheConnectionOnly) {
  const auto chain = start();
  ASSERT_TRUE(chain);
  Client client(port_of(*chain));
  EXPECT_ANY_THROW({
    client.send(std::string(5u << 20, ' '));
    client.read();
  });
  Client other(port_of(*chain));
  EXPECT_EQ(other.call("system_name")["result"], "adit-localnet");
}

TEST(RpcServer, PagesOfOtherOriginsAreTurnedAway) {
  const auto chain = start();
  ASSERT_TRUE(chain);
  EXPECT_ANY_THROW(Client(port_of(*chain), "https://example.com"));
  EXPECT_ANY_THROW(Client(port_of(*chain), "http://localhost.example.com"));
  EXPECT_EQ(Client(port_of(*chain), "http://localhost:3000").call("system_name")["result"],
            "adit-localnet");
}

TEST(RpcServer, APortInUseAndAStrangeHostAreNamed) {
  const auto chain = start();
  ASSERT_TRUE(chain);
  const SystemClock clock;
  LocalnetOptions options;
  options.rpc.port = port_of(*chain);
  const auto second = Localnet::start(options, clock);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(second.error().message.find("127.0.0.1:"), std::string::npos);
  options.rpc = {.host = "0.0.0.0"};
  EXPECT_EQ(Localnet::start(options, clock).error().code, ErrorCode::kInvalidArgument);
}

TEST(RpcServer, StopsWhileClientsAreConnected) {
  auto chain = start(std::chrono::milliseconds(5));
  ASSERT_TRUE(chain);
  Client client(port_of(*chain));
  client.call("chain_subscribeNewHeads");
  chain.reset();
  EXPECT_ANY_THROW(for (int i = 0; i < 100000; ++i) client.read());
}

// A block or a client that is due in the moment of stopping is already queued: cancelling no longer reaches it.
TEST(RpcServer, StopsInTheMomentOfABlock) {
  for (int i = 0; i < 300; ++i) {
    auto chain = start(std::chrono::milliseconds(1));
    ASSERT_TRUE(chain);
    const Client client(port_of(*chain));
    std::this_thread::sleep_for(std::chrono::microseconds(i % 30 * 40));
    chain.reset();
  }
}

}  // namespace
}  // namespace adit::validator
