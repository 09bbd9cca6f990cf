// SPDX-License-Identifier: MIT
#include "miner/openai/service.hpp"

#include <utility>

#include <fmt/core.h>

#include "common/model/card.hpp"
#include "common/model/chat_template.hpp"
#include "common/protocol/messages.hpp"
#include "miner/generate/standalone.hpp"

namespace adit::miner::openai {
namespace {

constexpr std::uint64_t kNsOfSecond = 1'000'000'000;

}  // namespace

Result<std::unique_ptr<Service>> Service::make(std::shared_ptr<const model::Pack> pack, EngineThread& engine,
                                               std::string model_name) {
  ADIT_TRY(model::Tokenizer tokenizer, model::Tokenizer::from_blob(pack->tokenizer_json()));
  return std::unique_ptr<Service>(
      new Service(std::move(pack), std::move(tokenizer), engine, std::move(model_name)));
}

Service::Service(std::shared_ptr<const model::Pack> pack, model::Tokenizer tokenizer, EngineThread& engine,
                 std::string model_name)
    : pack_(std::move(pack)),
      tokenizer_(std::move(tokenizer)),
      trie_(std::make_shared<const model::constraint::TokenTrie>(tokenizer_, pack_->config().vocab)),
      engine_(engine),
      model_name_(model_name.empty() ? pack_->path().stem().string() : std::move(model_name)),
      fingerprint_("adit1-" + to_hex(pack_->content_hash()).substr(0, 16)),
      card_(protocol::card_hash(model::card_of(*pack_))),
      started_s_(now_s()) {}

std::uint64_t Service::now_s() const {
  return SystemClock().now_ns() / kNsOfSecond;
}

std::uint64_t Service::random() const {
  FixedBytes<8> bytes{};
  OsRng().fill(bytes);
  return load_le<std::uint64_t>(bytes.data());
}

proof::TraceBinding Service::binding_of(std::span<const TokenId> prompt, const model::GenerateParams& params,
                                        std::uint64_t seed) const {
  return standalone_binding(card_, prompt, params, seed);
}

std::shared_ptr<model::TokenFilter> Service::filter_of(
    const std::shared_ptr<const model::constraint::Schema>& schema) const {
  return std::make_shared<model::constraint::JsonFilter>(schema, trie_, tokenizer_, pack_->config().stop_ids);
}

Result<std::vector<TokenId>> Service::encode(std::string_view text) const {
  ADIT_TRY(std::vector<TokenId> ids, tokenizer_.encode(text, true));
  if (tokenizer_.add_bos() && (ids.empty() || ids.front() != tokenizer_.bos())) {
    ids.insert(ids.begin(), tokenizer_.bos());
  }
  return ids;
}

ApiResult<std::vector<std::vector<TokenId>>> Service::prompts_of(const ApiRequest& request) const {
  std::vector<std::vector<TokenId>> out;
  if (request.endpoint == Endpoint::kChat) {
    const auto special = [&](TokenId id) {
      return id < 0 ? std::string() : std::string(tokenizer_.piece(id));
    };
    const auto text = model::render_chat(pack_->chat_template(), request.messages, true,
                                         {special(tokenizer_.bos()), special(tokenizer_.eos())});
    if (!text) return tl::unexpected(api_error(text.error(), "messages"));
    auto ids = encode(*text);
    if (!ids) return tl::unexpected(api_error(ids.error(), "messages"));
    out.push_back(*std::move(ids));
    return out;
  }
  for (const Prompt& prompt : request.prompts) {
    if (const auto* ids = std::get_if<std::vector<TokenId>>(&prompt)) {
      out.push_back(*ids);
      continue;
    }
    auto ids = encode(std::get<std::string>(prompt));
    if (!ids) return tl::unexpected(api_error(ids.error(), "prompt"));
    out.push_back(*std::move(ids));
  }
  return out;
}

}  // namespace adit::miner::openai
