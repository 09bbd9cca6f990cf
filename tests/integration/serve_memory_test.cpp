// SPDX-License-Identifier: MIT
// What the programs that serve hold in memory while they answer many at once: the pack, the keys and values in use, and
// little more. `serve` is the whole miner on a local chain, with the endpoint for local users beside the subnet's;
// `serve-http` that endpoint alone.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <future>
#include <thread>
#include <vector>

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include "common/base/clock.hpp"
#include "common/base/rng.hpp"
#include "common/chain/calls.hpp"
#include "common/chain/substrate_client.hpp"
#include "common/crypto/keyfile.hpp"
#include "common/crypto/mnemonic.hpp"
#include "common/model/card.hpp"
#include "common/model/kv_cache.hpp"
#include "common/model/pack.hpp"
#include "common/net/miner_channel.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_model.hpp"
#include "tests/support/tiny_llama.hpp"
#include "validator/localnet/localnet.hpp"

namespace adit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kOverheadBytes = 150'000'000;
constexpr NetUid kNetUid = 1;
constexpr int kQuestions = 8;
constexpr int kPrompt = 400;
constexpr int kTokens = 48;
constexpr milliseconds kLong{240'000};

struct Model {
  std::filesystem::path pack;
  std::uint64_t pack_bytes = 0;
  std::uint64_t kv_bytes_per_position = 0;
  std::uint32_t vocabulary = 0;
  Hash256 card{};
};

Model model_of(const std::filesystem::path& path) {
  const auto pack = model::Pack::open(path);
  EXPECT_TRUE(pack) << (pack ? "" : pack.error().message);
  if (!pack) return {};
  const protocol::Card card = model::card_of(*pack);
  return {.pack = path,
          .pack_bytes = pack->file_bytes(),
          .kv_bytes_per_position = model::kv_bytes_per_position(pack->config()),
          .vocabulary = card.vocabulary,
          .card = protocol::card_hash(card)};
}

// Looks at a process until it is destroyed; the kernel keeps a peak of the sum only.
class MemoryWatch {
 public:
  explicit MemoryWatch(const test::ChildProcess& process) : thread_([this, &process](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const test::ProcessMemory now = process.memory();
      anonymous_ = std::max<std::uint64_t>(anonymous_, now.anonymous);
      file_ = std::max<std::uint64_t>(file_, now.file);
      std::this_thread::sleep_for(milliseconds(10));
    }
  }) {}
  [[nodiscard]] std::uint64_t anonymous() const { return anonymous_; }
  [[nodiscard]] std::uint64_t file() const { return file_; }

 private:
  std::atomic<std::uint64_t> anonymous_ = 0, file_ = 0;
  std::jthread thread_;
};

// Positions: all that were ever written, shared or not, in whole blocks.
void expect_small(const char* what, const Model& model, const test::ChildProcess& server, const MemoryWatch& watch,
                  std::uint64_t positions) {
  const std::uint64_t kv = positions * model.kv_bytes_per_position;
  const test::ProcessMemory end = server.memory();
  std::printf("%s, %s: peak %.1f MB (most of no file %.1f, of files %.1f); pack %.1f, keys and values %.1f\n", what,
              model.pack.filename().c_str(), static_cast<double>(end.peak) / 1e6,
              static_cast<double>(watch.anonymous()) / 1e6, static_cast<double>(watch.file()) / 1e6,
              static_cast<double>(model.pack_bytes) / 1e6, static_cast<double>(kv) / 1e6);
  EXPECT_GT(end.peak, 0u);
  EXPECT_LE(end.peak, model.pack_bytes + kv + kOverheadBytes);
  // Nothing of the pack is copied.
  EXPECT_LE(watch.anonymous(), kv + kOverheadBytes);
  EXPECT_GE(watch.file(), model.pack_bytes / 2);
}

std::uint64_t in_blocks(std::uint64_t positions) {
  const auto block = static_cast<std::uint64_t>(model::kKvBlock);
  return (positions + block - 1) / block * block;
}

// kQuestions completions at once, each of another text; returns the positions that they take.
std::uint64_t ask_http(const std::string& listen, const std::string& name) {
  std::vector<std::future<std::uint64_t>> answers;
  for (int i = 0; i < kQuestions; ++i) {
    answers.push_back(std::async(std::launch::async, [&listen, &name, i]() -> std::uint64_t {
      httplib::Client client("http://" + listen);
      client.set_read_timeout(kLong);
      std::string text = std::to_string(i);
      for (int word = 0; word < kPrompt / 4; ++word) text += fmt::format(" {}", (word * 7 + i * 13) % 97);
      const auto reply = client.Post(
          "/v1/completions",
          fmt::format(R"({{"model":"{}","prompt":"{}","max_tokens":{},"seed":{}}})", name, text, kTokens, i),
          "application/json");
      if (!reply || reply->status != 200) return 0;
      // ..."total_tokens":N...
      constexpr std::string_view kKey = "\"total_tokens\":";
      const std::size_t at = reply->body.find(kKey);
      return at == std::string::npos ? 0 : in_blocks(std::stoull(reply->body.substr(at + kKey.size())));
    }));
  }
  std::uint64_t positions = 0;
  for (auto& answer : answers) {
    const std::uint64_t here = answer.get();
    EXPECT_GT(here, 0u) << "a completion failed";
    positions += here;
  }
  return positions;
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

void measure_serve_http(const std::filesystem::path& pack, const std::filesystem::path& folder) {
  const Model model = model_of(pack);
  test::ChildProcess server(ADIT_MINER,
                            {"serve-http", "--pack", pack.string(), "--listen", "127.0.0.1:0", "--threads", "2"},
                            folder / "http.out");
  const std::vector<std::string> ready = words_of(server.ready_line(seconds(60)));
  ASSERT_EQ(ready.size(), 4u);
  {
    const MemoryWatch watch(server);
    const std::uint64_t positions = ask_http(ready[1], ready[3]);
    expect_small("serve-http", model, server, watch, positions);
  }
  server.terminate();
  EXPECT_EQ(server.wait().code, 0);
}

// A local chain with a registered validator; the miner's hotkey is registered too.
class Chain {
 public:
  explicit Chain(const std::filesystem::path& folder) : hotkey_file(folder / "hotkey") {
    validator::LocalnetOptions options;
    options.rpc.block_time = milliseconds(40);
    localnet_ = validator::Localnet::start(options, clock_).value();
    const chain::ClientOptions patient{.submit_timeout_ms = 20'000, .search_interval_ms = 20};
    const auto client = chain::connect(localnet_->url(), patient).value();
    miner = crypto::store_keyfile(hotkey_file, crypto::Scheme::kSr25519, crypto::make_mnemonic(rng_))->public_key();
    crypto::KeypairSigner payer(*crypto::Keypair::from_uri(crypto::Scheme::kSr25519, "//Bob"), rng_);
    for (const AccountId& hotkey : {validator.account(), miner}) {
      const auto call = chain::burned_register(client->metadata(), kNetUid, hotkey);
      const auto sent = client->submit(call.value(), payer);
      EXPECT_TRUE(sent && sent->success) << (sent ? sent->error : sent.error().message);
    }
  }
  [[nodiscard]] std::string url() const { return localnet_->url(); }

 private:
  OsRng rng_;
  SystemClock clock_;
  std::unique_ptr<validator::Localnet> localnet_;

 public:
  std::filesystem::path hotkey_file;
  AccountId miner{};
  crypto::KeypairSigner validator{*crypto::Keypair::from_uri(crypto::Scheme::kSr25519, "//Validator"), rng_};
};

int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(fd);
  return bound ? ntohs(address.sin_port) : 0;
}

// kQuestions of the subnet at once; returns the positions that they take.
std::uint64_t ask_subnet(Chain& chain, const Model& model, const std::string& bind) {
  const SystemClock clock;
  protocol::NonceSource nonces(clock);
  std::vector<std::future<std::uint64_t>> answers;
  for (int i = 0; i < kQuestions; ++i) {
    answers.push_back(std::async(std::launch::async, [&, i]() -> std::uint64_t {
      protocol::GenerateRequest request;
      request.card = model.card;
      for (int k = 0; k < kPrompt; ++k) {
        request.prompt.push_back(static_cast<TokenId>(3 + static_cast<std::uint32_t>(k * 37 + i * 11) % 250));
      }
      request.max_tokens = kTokens;
      request.sampling.temperature_milli = 800;
      request.slot = static_cast<std::uint64_t>(i);
      net::MinerChannel channel({.endpoint = *net::parse_endpoint(bind), .miner = chain.miner, .tls = {}},
                                chain.validator, nonces, clock);
      const auto reply = channel.generate(request, kLong);
      EXPECT_TRUE(reply) << (reply ? "" : reply.error().message);
      return reply ? in_blocks(kPrompt + reply->receipt.core.ids.size()) : 0;
    }));
  }
  std::uint64_t positions = 0;
  for (auto& answer : answers) positions += answer.get();
  return positions;
}

void measure_serve(const std::filesystem::path& pack, const std::filesystem::path& folder) {
  const Model model = model_of(pack);
  Chain chain(folder);
  const std::string http = fmt::format("127.0.0.1:{}", free_port());
  const std::string config = (folder / "miner.yaml").string();
  const std::string text = fmt::format(
      "pack: {}\nwallet: {{hotkey_file: {}}}\nchain: {{url: \"{}\", netuid: {}, refresh: 200ms}}\n"
      "server: {{bind: \"127.0.0.1:0\", advertise: \"0.0.0.0:8091\"}}\nadmission: {{require_permit: false}}\n"
      "engine: {{threads: 2, batch: {}}}\nhttp: {{listen: \"{}\"}}\njournal: {{path: {}}}\n",
      pack.string(), chain.hotkey_file.string(), chain.url(), kNetUid, 2 * kQuestions, http,
      (folder / "journal").string());
  ASSERT_TRUE(write_file_atomic(config, as_bytes(text)));
  test::ChildProcess server(ADIT_MINER, {"serve", "--config", config}, folder / "serve.out");
  const std::vector<std::string> ready = words_of(server.ready_line(seconds(60)));
  ASSERT_EQ(ready.size(), 4u);
  {
    const MemoryWatch watch(server);
    auto local = std::async(std::launch::async, [&] { return ask_http(http, pack.stem().string()); });
    const std::uint64_t positions = ask_subnet(chain, model, ready[1]);
    expect_small("serve", model, server, watch, positions + local.get());
  }
  server.terminate();
  EXPECT_EQ(server.wait().code, 0);
}

TEST(ServedMemory, of_a_tiny_model_is_below_the_overhead) {
  if (test::kIsSanitized) GTEST_SKIP() << test::kNotWhenSanitized;
  const test::TempDir folder;
  const auto pack = test::tiny_llama_pack(folder.path(), {}, {.bits = 4}).path();
  measure_serve_http(pack, folder.path());
  measure_serve(pack, folder.path());
}

TEST(ServedMemory, of_the_test_model_is_pack_cache_and_overhead) {
  if (test::kIsSanitized) GTEST_SKIP() << test::kNotWhenSanitized;
  const auto gguf = test::test_model();
  if (!gguf) GTEST_SKIP() << test::kNoTestModel;
  const test::TempDir folder;
  const auto pack = folder.path() / "w8.adit";
  ASSERT_EQ(0, test::ChildProcess(ADIT_MINER, {"pack", gguf->string(), "-o", pack.string(), "--bits", "8"},
                                  folder.path() / "out")
                   .wait()
                   .code);
  measure_serve_http(pack, folder.path());
  measure_serve(pack, folder.path());
}

}  // namespace
}  // namespace adit
