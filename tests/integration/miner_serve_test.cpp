// SPDX-License-Identifier: MIT
// One honest miner and both cheats, each the whole of `serve` on its own loopback port, over a
// fake chain and a tiny real model; a validator asks them and recomputes what they say.
#include <gtest/gtest.h>
#include <httplib.h>

#include <fstream>
#include <future>
#include <map>
#include <thread>

#include "common/base/files.hpp"
#include "common/base/shutdown.hpp"
#include "common/crypto/keyfile.hpp"
#include "common/crypto/mnemonic.hpp"
#include "common/model/card.hpp"
#include "common/model/replay.hpp"
#include "common/net/miner_channel.hpp"
#include "common/protocol/receipt_check.hpp"
#include "miner/app/engine_factory.hpp"
#include "miner/app/serve_app.hpp"
#include "miner/serve/journal.hpp"
#include "tests/demo/copier_source.hpp"
#include "tests/support/adapter_folder.hpp"
#include "tests/support/fake_chain.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_adapter.hpp"
#include "tests/support/tiny_llama.hpp"
#include "tests/support/tiny_model.hpp"

namespace adit::miner {
namespace {

constexpr std::chrono::milliseconds kLong{60'000};

// serve() owns its client; all miners of the test share one chain.
class SharedChain final : public chain::ChainClient {
 public:
  explicit SharedChain(test::FakeChain& chain) : chain_(chain) {}
  Result<chain::BlockRef> head() override { return chain_.head(); }
  Result<chain::BlockRef> finalized_head() override { return chain_.finalized_head(); }
  Result<Hash256> block_hash(BlockNumber number) override { return chain_.block_hash(number); }
  Result<chain::Metagraph> metagraph(NetUid netuid, const std::optional<Hash256>& at) override {
    return chain_.metagraph(netuid, at);
  }
  Result<std::vector<std::pair<Uid, std::uint16_t>>> weights_of(
      NetUid netuid, MechId mechanism, Uid uid, const std::optional<Hash256>& at) override {
    return chain_.weights_of(netuid, mechanism, uid, at);
  }
  Result<std::optional<Bytes>> storage(ByteView key, const std::optional<Hash256>& at) override {
    return chain_.storage(key, at);
  }
  Result<std::uint32_t> next_nonce(const AccountId& account) override {
    return chain_.next_nonce(account);
  }
  Result<chain::Inclusion> submit(ByteView call, crypto::Signer& signer) override {
    return chain_.submit(call, signer);
  }
  const chain::Metadata& metadata() override { return chain_.metadata(); }

 private:
  test::FakeChain& chain_;
};

// A running miner: serve() on a thread of its own.
struct RunningMiner {
  AccountId hotkey{};
  std::filesystem::path journal;
  std::promise<net::Endpoint> ready;
  // Of the endpoint for local users; only the honest miner has one.
  net::Endpoint http;
  net::Endpoint endpoint;
  std::future<tl::expected<void, ServeFailure>> end;
};

class Subnet {
 public:
  explicit Subnet(KvChoice kv_choice = KvChoice::kF16) : kv(kv_choice) {
    const auto make = [&](const char* folder, std::uint64_t seed) {
      std::filesystem::create_directories(dir.path() / folder);
      return std::make_shared<const model::Pack>(
          test::tiny_llama_pack(dir.path() / folder, {.seed = seed}, {.bits = 8}));
    };
    pack = make("declared", 1);
    other_pack = make("other", 2);
    card = model::card_of(*pack, {}, kv_form_of(kv));
    chain.state.block = 10;
    chain::Neuron& self = chain.add_neuron(validator.account());
    self.validator_permit = true;
    self.stake = 5000;
    chain.add_neuron(stranger.account());
  }

  RunningMiner& add(const std::string& name, const SourceFactory& factory) {
    RunningMiner& miner = miners[name];
    const auto folder = dir.path() / name;
    const auto key_file = folder / "hotkey";
    miner.hotkey =
        crypto::store_keyfile(key_file, crypto::Scheme::kSr25519, crypto::make_mnemonic(rng))
            .value()
            .public_key();
    miner.journal = folder / "journal";
    const auto coldkey_file = folder / "coldkey";
    EXPECT_TRUE(
        crypto::store_keyfile(coldkey_file, crypto::Scheme::kSr25519, crypto::make_mnemonic(rng)));
    ServeConfig config;
    config.pack = pack->path();
    config.keys.hotkey_file = key_file;
    config.keys.coldkey_file = coldkey_file;
    config.register_hotkey = true;
    config.refresh_ns = 50'000'000;
    config.bind = *net::parse_endpoint("127.0.0.1:0");
    config.advertise = *net::parse_endpoint("0.0.0.0:8091");
    config.min_stake = 1000;
    config.engine_threads = 1;
    config.batch_max = 3;
    config.kv = kv;
    config.queue_max = 8;
    config.journal = miner.journal;
    if (name == "honest") {
      config.http_listen = net::parse_endpoint("127.0.0.1:0").value();
      const auto lora = test::write_adapter(folder / "tone", test::random_lora(pack->config(), 1));
      config.http_adapters = {{"tone", lora}};
      // Local users may call functions, which the pack's own template has no place for.
      config.http_chat_template = folder / "template";
      EXPECT_TRUE(write_file_atomic(
          config.http_chat_template,
          as_bytes("{{ tools | tojson if tools }}<tool_call>{% for m in messages %}{{ m.content }}{% endfor %}")));
    }
    ServeSeams seams{
        .make_source = factory,
        .connect = [this](const std::string&) -> Result<std::unique_ptr<chain::ChainClient>> {
          return std::make_unique<SharedChain>(chain);
        },
        .on_ready = [&miner](const net::Endpoint& bound,
                             const Hash256&) { miner.ready.set_value(bound); },
        .on_http = [&miner](const net::Endpoint& bound) { miner.http = bound; }};
    miner.end = std::async(std::launch::async, [config, seams] { return serve(config, seams); });
    miner.endpoint = miner.ready.get_future().get();
    return miner;
  }

  [[nodiscard]] protocol::GenerateRequest question(std::uint64_t slot,
                                                   std::uint32_t max_tokens) const {
    protocol::GenerateRequest out;
    out.card = protocol::card_hash(card);
    for (std::uint64_t i = 0; i < 20 + slot; ++i) {
      out.prompt.push_back(static_cast<TokenId>(3 + (i * 37 + slot * 11) % 250));
    }
    out.max_tokens = max_tokens;
    out.sampling.temperature_milli = 800;
    out.slot = slot;
    return out;
  }
  Result<net::GenerateReply> ask(const RunningMiner& miner, crypto::Signer& who,
                                 const protocol::GenerateRequest& request) {
    net::MinerChannel channel({.endpoint = miner.endpoint, .miner = miner.hotkey, .tls = {}}, who,
                              nonces, clock);
    return channel.generate(request, kLong);
  }
  // The verdict of a validator that holds the pack.
  protocol::Verdict judge(const RunningMiner& miner, const protocol::GenerateRequest& request,
                          const protocol::Receipt& receipt) const {
    const auto shape = protocol::check_receipt(receipt, {.request = request,
                                                         .validator = validator.account(),
                                                         .miner = miner.hotkey,
                                                         .vocabulary = card.vocabulary,
                                                         .stop_ids = card.stop_ids});
    EXPECT_EQ(shape.verdict, protocol::Verdict::kExact) << shape.detail;
    const protocol::ReceiptCore& core = receipt.core;
    model::Replayer replayer(*pack, {.isa = kernels::Isa::kScalar, .kv = kv_form_of(kv)});
    const auto replayed = replayer.replay(
        {.prompt = request.prompt,
         .ids = core.ids,
         .params = {.max_tokens = request.max_tokens,
                    .sampling = {.temperature_milli = request.sampling.temperature_milli}},
         .binding = {.card = core.card, .request = core.request, .seed = core.seed},
         .trace_root = core.trace_root});
    if (!replayed) return protocol::Verdict::kMalformedReceipt;
    if (!replayed->mismatch) return protocol::Verdict::kExact;
    return replayed->mismatch->kind == model::MismatchKind::kTrace
               ? protocol::Verdict::kTraceMismatch
               : protocol::Verdict::kTokenMismatch;
  }

  // Of the charter.
  KvChoice kv;
  test::TempDir dir;
  OsRng rng;
  SystemClock clock;
  protocol::NonceSource nonces{clock};
  crypto::KeypairSigner validator{
      *crypto::Keypair::from_uri(crypto::Scheme::kSr25519, "//Validator"), rng};
  crypto::KeypairSigner stranger{*crypto::Keypair::from_uri(crypto::Scheme::kSr25519, "//Stranger"),
                                 rng};
  test::FakeChain chain;
  std::shared_ptr<const model::Pack> pack, other_pack;
  protocol::Card card;
  std::map<std::string, RunningMiner> miners;
};

void check_honest(Subnet& subnet, const RunningMiner& honest) {
  // Several at once: each is what it would be alone.
  std::vector<std::future<Result<net::GenerateReply>>> replies;
  for (std::uint64_t slot = 0; slot < 6; ++slot) {
    replies.push_back(std::async(std::launch::async, [&subnet, &honest, slot] {
      return subnet.ask(honest, subnet.validator, subnet.question(slot, 24));
    }));
  }
  for (std::uint64_t slot = 0; slot < 6; ++slot) {
    const auto reply = replies[slot].get();
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(subnet.judge(honest, subnet.question(slot, 24), reply->receipt),
              protocol::Verdict::kExact);
  }
  // The same question again gives the same core: a retry is no equivocation.
  const auto first = subnet.ask(honest, subnet.validator, subnet.question(3, 24));
  const auto again = subnet.ask(honest, subnet.validator, subnet.question(3, 24));
  EXPECT_EQ(first->receipt.core, again->receipt.core);
  const auto journal = read_journal(honest.journal);
  ASSERT_EQ(journal->records.size(), 8U);
  EXPECT_EQ(journal->records.back().receipt, again->receipt);
}

// A local user on the same engine, while the subnet asks: of the model itself, and of an adapter.
void check_http(Subnet& subnet, const RunningMiner& honest) {
  httplib::Client client("127.0.0.1", honest.http.port);
  std::uint64_t slot = 30;
  std::vector<std::string> answers;
  for (const std::string& model : {subnet.pack->path().stem().string(), std::string("tone")}) {
    const std::string body = R"({"prompt":"abc","max_tokens":20,"seed":1,"model":")" + model + "\"}";
    const auto post = [&] { return client.Post("/v1/completions", body, "application/json"); };
    const auto choices_of = [](const std::string& reply) { return reply.substr(reply.find("\"choices\"")); };
    const auto alone = post();
    ASSERT_TRUE(alone);
    EXPECT_EQ(alone->status, 200) << alone->body;
    const auto question = subnet.question(++slot, 200);
    auto reply =
        std::async(std::launch::async, [&] { return subnet.ask(honest, subnet.validator, question); });
    const auto beside = post();
    ASSERT_TRUE(beside);
    EXPECT_EQ(choices_of(beside->body), choices_of(alone->body));
    const auto answered = reply.get();
    ASSERT_TRUE(answered) << answered.error().message;
    EXPECT_EQ(subnet.judge(honest, question, answered->receipt), protocol::Verdict::kExact);
    answers.push_back(choices_of(alone->body));
  }
  EXPECT_NE(answers[0], answers[1]);
}

// The local user's own chat template has a place for functions.
void check_tools(const RunningMiner& honest) {
  httplib::Client client("127.0.0.1", honest.http.port);
  const auto call = client.Post("/v1/chat/completions",
                                R"({"messages":[{"role":"user","content":"now?"}],"tool_choice":"required","tools":[)"
                                R"({"type":"function","function":{"name":"now"}}],"max_tokens":60,"model":"tone"})",
                                "application/json");
  ASSERT_TRUE(call);
  EXPECT_NE(call->body.find(R"("function":{"name":"now","arguments":"{}"})"), std::string::npos) << call->body;
}

void check_refusals(Subnet& subnet, const RunningMiner& honest) {
  const auto stranger = subnet.ask(honest, subnet.stranger, subnet.question(1, 4));
  EXPECT_EQ(stranger.error().code, ErrorCode::kPermissionDenied);
  protocol::GenerateRequest request = subnet.question(1, 4);
  request.card[0] ^= 1;
  EXPECT_EQ(subnet.ask(honest, subnet.validator, request).error().code,
            ErrorCode::kFailedPrecondition);
  request = subnet.question(1, subnet.card.context);
  EXPECT_EQ(subnet.ask(honest, subnet.validator, request).error().code,
            ErrorCode::kInvalidArgument);
}

void check_cheats(Subnet& subnet, const RunningMiner& quantised, const RunningMiner& copier) {
  for (const RunningMiner* cheat : {&quantised, &copier}) {
    const protocol::GenerateRequest request = subnet.question(9, 24);
    const auto reply = subnet.ask(*cheat, subnet.validator, request);
    ASSERT_TRUE(reply) << reply.error().message;
    const protocol::Verdict verdict = subnet.judge(*cheat, request, reply->receipt);
    EXPECT_EQ(protocol::penalty(verdict), protocol::Penalty::kZeroWindow)
        << protocol::name(verdict);
  }
}

// A charter of numerics 2: int8 keys and values are exact, f16 ones under that card are found.
void check_numerics_2(Subnet& subnet) {
  EXPECT_EQ(subnet.card.numerics, 2U);
  check_honest(subnet, subnet.add("int8", make_honest_source));
  const RunningMiner& other = subnet.add("f16", [&](ServeConfig config) {
    config.kv = KvChoice::kF16;
    return make_engine_source(config, subnet.pack, subnet.card);
  });
  const auto reply = subnet.ask(other, subnet.validator, subnet.question(9, 24));
  ASSERT_TRUE(reply) << reply.error().message;
  const protocol::Verdict verdict = subnet.judge(other, subnet.question(9, 24), reply->receipt);
  EXPECT_EQ(protocol::penalty(verdict), protocol::Penalty::kZeroWindow) << protocol::name(verdict);
}

// The end: a question that runs when the signal comes is answered, and everybody leaves in order.
void check_drain(Subnet& subnet, const RunningMiner& honest) {
  std::promise<void> started;
  auto reply = std::async(std::launch::async, [&] {
    net::MinerChannel channel({.endpoint = honest.endpoint, .miner = honest.hotkey, .tls = {}},
                              subnet.validator, subnet.nonces, subnet.clock);
    bool told = false;
    return channel.generate(subnet.question(4, 400), kLong, [&](std::span<const TokenId>) {
      if (!told) started.set_value();
      told = true;
      return true;
    });
  });
  started.get_future().wait();
  shutdown::request();
  const auto answered = reply.get();
  ASSERT_TRUE(answered) << answered.error().message;
  EXPECT_EQ(subnet.judge(honest, subnet.question(4, 400), answered->receipt),
            protocol::Verdict::kExact);
  for (auto& [name, miner] : subnet.miners) {
    const auto end = miner.end.get();
    EXPECT_TRUE(end) << name << ": " << end.error().error.message;
  }
}

TEST(MinerServe, engine_kv_must_be_what_model_and_charter_say) {
  const test::TempDir dir;
  const model::Pack pack = test::tiny_llama_pack(dir.path(), {}, {.bits = 8});
  const auto refusal = [&](KvChoice kv, const std::string& charter) {
    ServeConfig config;
    config.kv = kv;
    config.charter_file = dir.path() / "charter.yaml";
    std::ofstream(config.charter_file) << charter;
    const auto served = check_served(config, pack);
    return served ? std::string() : served.error().message;
  };
  const std::string named = "model:\n  pack: " + to_hex(pack.content_hash()) + "\n";
  EXPECT_EQ(refusal(KvChoice::kF16, named), "");
  EXPECT_EQ(refusal(KvChoice::kInt8, named + "  numerics: 2\n"), "");
  for (const std::string& message :
       {refusal(KvChoice::kF16, named + "  numerics: 2\n"), refusal(KvChoice::kInt8, named)}) {
    EXPECT_NE(message.find("engine.kv"), std::string::npos) << message;
    EXPECT_NE(message.find("model.numerics"), std::string::npos) << message;
  }
  const std::string other = refusal(KvChoice::kF16, "model:\n  pack: " + std::string(64, '0') + "\n");
  EXPECT_NE(other.find("model.pack"), std::string::npos) << other;

  const test::TinyModel latent(test::tiny_config("deepseek_v2"));
  ServeConfig config;
  config.kv = KvChoice::kInt8;
  const auto served = check_served(config, test::pack_of(latent, dir.path(), {.bits = 8}));
  ASSERT_FALSE(served);
  EXPECT_NE(served.error().message.find("engine.kv"), std::string::npos) << served.error().message;
}

TEST(MinerServe, honest_answers_hold_and_cheats_are_found) {
  shutdown::install();
  Subnet subnet;
  const RunningMiner& honest = subnet.add("honest", make_honest_source);
  check_honest(subnet, honest);
  check_refusals(subnet, honest);
  check_http(subnet, honest);
  check_tools(honest);
  const RunningMiner& quantised = subnet.add("quantised", [&](const ServeConfig& config) {
    return make_engine_source(config, subnet.other_pack, subnet.card);
  });
  const RunningMiner& copier =
      subnet.add("copier", [&](const ServeConfig&) -> Result<std::unique_ptr<AnswerSource>> {
        return std::make_unique<test::CopierSource>(subnet.card, "tiny", honest.journal);
      });
  check_cheats(subnet, quantised, copier);
  Subnet int8(KvChoice::kInt8);
  check_numerics_2(int8);
  check_drain(subnet, honest);
  for (auto& [name, miner] : int8.miners) EXPECT_TRUE(miner.end.get()) << name;
  // All three registered by themselves and announced "this machine".
  ASSERT_EQ(subnet.chain.state.neurons.size(), 5U);
  for (std::size_t uid = 2; uid < 5; ++uid) {
    ASSERT_TRUE(subnet.chain.state.neurons[uid].axon);
    EXPECT_EQ(subnet.chain.state.neurons[uid].axon->port, 8091);
  }
}

}  // namespace
}  // namespace adit::miner
