// SPDX-License-Identifier: MIT
#include "validator/app.hpp"

#include <algorithm>
#include <array>

#include "common/base/exit_code.hpp"
#include "common/base/files.hpp"
#include "common/base/limits.hpp"
#include "common/chain/substrate_client.hpp"
#include "common/crypto/keyfile.hpp"
#include "common/log/log.hpp"
#include "common/model/card.hpp"
#include "common/model/chat_template.hpp"
#include "common/model/tokenizer.hpp"
#include "validator/charter/charter.hpp"
#include "validator/query/grpc_miner_client.hpp"
#include "validator/verify/pack_replayer.hpp"

namespace adit::validator {
namespace {

// After a failed step the chain is left alone for at least this long.
constexpr std::uint64_t kChainRetryNs = 2'000'000'000;

tl::unexpected<AppFailure> failed(Error error, int exit_code) {
  return tl::unexpected<AppFailure>(AppFailure{std::move(error), exit_code});
}

kernels::Isa isa_of(const std::string& name) {
  if (name == "scalar") return kernels::Isa::kScalar;
  if (name == "avx2") return kernels::Isa::kAvx2;
  if (name == "avx512") return kernels::Isa::kAvx512;
  return kernels::best_isa();
}

// The model's side of a validator: what turns tasks into prompts and ids into answers.
struct Model {
  model::Pack pack;
  model::Tokenizer tokenizer;
  Hash256 card{};
};

Result<Model> load_model(const ValidatorConfig& config, const Charter& charter) {
  ADIT_TRY(model::Pack pack, model::Pack::open(config.pack));
  if (pack.content_hash() != charter.pack) {
    return failed_precondition("{}: content hash {} but the charter names {}", config.pack.string(),
                               to_hex(pack.content_hash()), to_hex(charter.pack));
  }
  ADIT_TRY_VOID(pack.verify_content_hash());
  ADIT_TRY(model::Tokenizer tokenizer, model::Tokenizer::from_blob(pack.tokenizer_json()));
  const model::KvForm kv = model::kv_form_of(charter.numerics);
  if (auto fits = model::check_kv(pack.config(), kv); !fits)
    return tl::unexpected<Error>(fits.error().context("charter: model.numerics"));
  const Hash256 card = protocol::card_hash(model::card_of(pack, {}, kv));
  return Model{std::move(pack), std::move(tokenizer), card};
}

Result<PreparedTask> prepare_task(const Charter& charter, const Model& model, const Hash256& seed) {
  const Task task = make_task(charter.tasks, seed);
  const std::array<model::ChatMessage, 1> messages = {{{"user", task.prompt}}};
  ADIT_TRY(const std::string text, model::render_chat(model.pack.chat_template(), messages, true));
  ADIT_TRY(std::vector<TokenId> prompt, model.tokenizer.encode(text, true));
  return PreparedTask{task.family, task.level, task.answer, std::move(prompt)};
}

StepSettings settings_of(const ValidatorConfig& config, const Charter& charter, const Hash256& card) {
  return {.netuid = charter.netuid,
          .charter = charter_hash(charter),
          .card = card,
          .software = "adit-validator " ADIT_VERSION,
          .sampling = charter.sampling,
          .max_tokens = charter.max_tokens,
          .questions = charter.questions_per_step,
          .blocks_left_min = config.blocks_left_min,
          .blocks_after_epoch = config.blocks_after_epoch,
          .allow_loopback_miners = config.query.allow_loopback_miners,
          .fan_out = {.threads = config.query.threads,
                      .per_miner = config.query.per_miner,
                      .deadline_ms = charter.rules.score.deadline_ms}};
}

Result<std::optional<net::TlsTrust>> trust_of(const ValidatorConfig& config) {
  if (config.query.tls_root.empty()) return std::nullopt;
  ADIT_TRY(const Bytes pem, read_file(config.query.tls_root, limits::kConfigBytesMax));
  return net::TlsTrust{.roots_pem = std::string(as_text(pem))};
}

}  // namespace

struct App::Parts {
  Parts(const ValidatorConfig& config_in, const Clock& clock, Charter charter_in, Model model_in,
        crypto::Keypair keypair, std::unique_ptr<chain::ChainClient> chain_in, Ledger ledger_in,
        std::optional<net::TlsTrust> trust, Rng& rng)
      : config(config_in),
        charter(std::move(charter_in)),
        model(std::move(model_in)),
        signer(std::move(keypair), rng),
        chain(std::move(chain_in)),
        ledger(std::move(ledger_in)),
        state(charter.rules),
        miners(signer, clock, std::move(trust)),
        replayer(model.pack,
                 {.isa = isa_of(config.verify.isa),
                  .kv = model::kv_form_of(charter.numerics),
                  .threads = static_cast<int>(config.verify.threads)}),
        judge({.validator = signer.account(),
               .vocabulary = static_cast<std::uint32_t>(model.pack.config().vocab),
               .stop_ids = model.pack.config().stop_ids,
               .is_right =
                   [this](const AskedRow& asked, std::span<const TokenId> ids) {
                     return answers::is_right(model.tokenizer.decode(ids, true), charter.extraction,
                                     answer_type(asked.family), asked.expected);
                   }},
              replayer),
        setter(*chain, signer, charter.netuid, charter.mechanism),
        step(settings_of(config, charter, model.card),
             {.chain = *chain,
              .signer = signer,
              .miners = miners,
              .judge = judge,
              .weights = setter,
              .ledger = ledger,
              .state = state,
              .rng = rng,
              .make_task = [this](const Hash256& seed) { return prepare_task(charter, model, seed); },
              .observe =
                  [this](Phase phase) {
                    if (observer) observer(phase);
                  }}) {}

  ValidatorConfig config;
  Charter charter;
  Model model;
  crypto::KeypairSigner signer;
  std::unique_ptr<chain::ChainClient> chain;
  Ledger ledger;
  LedgerState state;
  GrpcMinerClient miners;
  PackReplayer replayer;
  Judge judge;
  WeightSetter setter;
  std::function<void(Phase)> observer;
  Step step;
};

App::App(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
App::~App() = default;
void App::observe(std::function<void(Phase)> observer) {
  parts_->observer = std::move(observer);
}
Result<bool> App::run_once() {
  return parts_->step.run_once();
}

tl::expected<std::unique_ptr<App>, AppFailure> App::prepare(const ValidatorConfig& config, const Clock& clock,
                                                            Rng& rng) {
  auto charter = load_charter(config.charter);
  if (!charter) return failed(charter.error(), exit_code::kConfig);
  if (charter->netuid != config.chain.netuid || charter->mechanism != config.chain.mechanism) {
    return failed(
        {ErrorCode::kInvalidArgument,
         fmt::format("chain.netuid {} mechanism {}: the charter is for netuid {} mechanism {}",
                     config.chain.netuid, config.chain.mechanism, charter->netuid, charter->mechanism)},
        exit_code::kConfig);
  }
  auto trust = trust_of(config);
  if (!trust) return failed(trust.error(), exit_code::kConfig);
  auto keypair = crypto::load_keyfile(
      crypto::wallet_paths(config.wallet.dir, config.wallet.name, config.wallet.hotkey).hotkey);
  if (!keypair) return failed(keypair.error(), exit_code::kKeys);
  auto model = load_model(config, *charter);
  if (!model) return failed(model.error(), exit_code::kModel);
  std::error_code made;
  std::filesystem::create_directories(config.state, made);
  auto ledger = Ledger::open(config.ledger());
  if (!ledger) return failed(ledger.error(), exit_code::kUnavailable);
  auto chain = chain::connect(config.chain.url);
  if (!chain) return failed(chain.error(), exit_code::kChain);
  auto parts =
      std::make_unique<Parts>(config, clock, *std::move(charter), *std::move(model), *std::move(keypair),
                              *std::move(chain), *std::move(ledger), *std::move(trust), rng);
  const auto folded =
      parts->ledger.walk(1, [&](const Row& row) -> Result<void> { return parts->state.apply(row); });
  if (!folded) return failed(folded.error(), exit_code::kFailed);
  return std::unique_ptr<App>(new App(std::move(parts)));
}

Result<void> App::run(const std::function<bool(std::uint64_t)>& wait) {
  bool chain_lost = false;
  for (;;) {
    const Result<bool> done = run_once();
    std::uint64_t pause_ns = parts_->config.poll_ns;
    if (done) {
      if (chain_lost) ADIT_LOG(kInfo, "chain_back");
      chain_lost = false;
      if (*done) pause_ns = 0;
    } else if (done.error().code == ErrorCode::kDataLoss) {
      return tl::unexpected<Error>(done.error());
    } else {
      if (!chain_lost) ADIT_LOG(kError, "step_failed", {"reason", done.error().message});
      chain_lost = true;
      pause_ns = std::max(pause_ns, kChainRetryNs);
    }
    if (!wait(pause_ns)) return {};
  }
}

}  // namespace adit::validator
