// SPDX-License-Identifier: MIT
#include "miner/openai/service.hpp"

#include <set>
#include <utility>

#include <fmt/core.h>

#include "common/base/limits.hpp"
#include "common/crypto/hash.hpp"
#include "common/log/log.hpp"
#include "common/model/card.hpp"
#include "common/model/chat_template.hpp"
#include "common/protocol/messages.hpp"
#include "miner/generate/standalone.hpp"

namespace adit::miner::openai {
namespace {

constexpr std::uint64_t kNsOfSecond = 1'000'000'000;

std::string fingerprint_of(const model::Pack& pack, const std::string& chat_template) {
  std::string out = "adit1-" + to_hex(pack.content_hash()).substr(0, 16);
  // Another template than the pack's makes other answers.
  if (chat_template != pack.chat_template()) {
    out += "-" + to_hex(crypto::b2("adit1.template", as_bytes(chat_template))).substr(0, 8);
  }
  return out;
}

// As DeepSeek's templates want calls: arguments are put into the text as they are, and calls are looked for in messages
// whose content is none. (Others want the object, and search the content.)
void to_deepseek(model::ChatMessage& message) {
  Json json = Json::parse(message.more.empty() ? "{}" : message.more, nullptr, false);
  if (!json.is_object() || !json.contains("tool_calls")) return;
  for (Json& call : json["tool_calls"]) {
    Json& arguments = call["function"]["arguments"];
    arguments = to_text(arguments);
  }
  if (message.content.empty()) json["content"] = nullptr;
  message.more = to_text(json);
}

}  // namespace

Result<std::unique_ptr<Service>> Service::make(std::shared_ptr<const model::Pack> pack, EngineThread& engine,
                                               std::string model_name, std::string chat_template,
                                               const AdapterFolders& adapters, model::KvForm kv) {
  ADIT_TRY(model::Tokenizer tokenizer, model::Tokenizer::from_blob(pack->tokenizer_json()));
  std::unique_ptr<Service> out(new Service(std::move(pack), std::move(tokenizer), engine,
                                           std::move(model_name), std::move(chat_template), kv));
  ADIT_TRY_VOID(out->add_adapters(adapters));
  return out;
}

Service::Service(std::shared_ptr<const model::Pack> pack, model::Tokenizer tokenizer, EngineThread& engine,
                 std::string model_name, std::string chat_template, model::KvForm kv)
    : pack_(std::move(pack)),
      tokenizer_(std::move(tokenizer)),
      trie_(std::make_shared<const model::constraint::TokenTrie>(tokenizer_, pack_->config().vocab)),
      engine_(engine),
      chat_template_(chat_template.empty() ? std::string(pack_->chat_template()) : std::move(chat_template)),
      tool_form_(form_of(chat_template_)),
      kv_(kv),
      started_s_(now_s()) {
  add(model_name.empty() ? pack_->path().stem().string() : std::move(model_name), nullptr);
}

void Service::add(std::string name, std::shared_ptr<const model::Adapter> adapter) {
  const Hash256 hash = adapter ? adapter->content_hash() : Hash256{};
  std::string fingerprint = fingerprint_of(*pack_, chat_template_);
  if (kv_ != model::KvForm::kF16) fingerprint += "-numerics" + std::to_string(model::numerics_of(kv_));
  if (adapter) fingerprint += "-" + to_hex(hash).substr(0, 16);
  models_.push_back({.name = std::move(name),
                     .adapter = std::move(adapter),
                     .fingerprint = std::move(fingerprint),
                     .card = protocol::card_hash(model::card_of(*pack_, hash, kv_))});
}

Result<void> Service::add_adapters(const AdapterFolders& adapters) {
  if (adapters.size() > kAdaptersMax) {
    return invalid_argument("{} adapters, expected at most {}", adapters.size(), kAdaptersMax);
  }
  std::set<std::string_view> names{model_name()};
  for (const auto& [name, folder] : adapters) {
    if (name.empty() || name.size() > limits::kNameBytesMax) {
      return invalid_argument("adapter {}: expected a name of 1 to {} bytes", name.substr(0, 80),
                              limits::kNameBytesMax);
    }
    if (!names.insert(name).second) return invalid_argument("adapter {}: this name is taken", name);
  }
  for (const auto& [name, folder] : adapters) {
    auto adapter = model::Adapter::load(folder, *pack_);
    if (!adapter) return tl::unexpected<Error>(adapter.error().context("adapter " + name));
    ADIT_LOG(kInfo, "adapter", {"name", name}, {"hash", to_hex((*adapter)->content_hash())},
             {"linears", (*adapter)->pairs()});
    add(name, *std::move(adapter));
  }
  return {};
}

const ServedModel* Service::find(std::string_view name) const {
  for (const ServedModel& served : models_) {
    if (served.name == name) return &served;
  }
  return nullptr;
}

std::uint64_t Service::now_s() const {
  return SystemClock().now_ns() / kNsOfSecond;
}

std::uint64_t Service::random() const {
  FixedBytes<8> bytes{};
  OsRng().fill(bytes);
  return load_le<std::uint64_t>(bytes.data());
}

proof::TraceBinding Service::binding_of(const ServedModel& served, std::span<const TokenId> prompt,
                                        const model::GenerateParams& params, std::uint64_t seed) const {
  return standalone_binding(served.card, prompt, params, seed);
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

ApiResult<std::string> Service::chat_text(const ApiRequest& request) const {
  const ToolUse& use = request.tools;
  if (use.is_active() && tool_form_ == ToolForm::kNone) {
    return tl::unexpected(wrong_field("tools",
                                      "this model's chat template has no place for tools; another one can be "
                                      "given (--chat-template, http.chat_template)"));
  }
  if (use.in_history && chat_template_.find("tool") == std::string::npos) {
    return tl::unexpected(
        wrong_field("messages", "this model's chat template has no place for calls and their results"));
  }
  const auto special = [&](TokenId id) { return id < 0 ? std::string() : std::string(tokenizer_.piece(id)); };
  std::vector<model::ChatMessage> messages = request.messages;
  if (chat_template_.find(kDeepseekOpen) != std::string::npos) {
    for (model::ChatMessage& message : messages) to_deepseek(message);
  }
  const auto text = model::render_chat(chat_template_, messages, true,
                                       {special(tokenizer_.bos()), special(tokenizer_.eos())},
                                       {.tools = use.is_active() ? use.json : std::string(), .others = {}});
  if (!text) return tl::unexpected(api_error(text.error(), "messages"));
  return *text;
}

ApiResult<std::vector<std::vector<TokenId>>> Service::prompts_of(const ApiRequest& request,
                                                                 std::string_view opening) const {
  std::vector<std::vector<TokenId>> out;
  if (request.endpoint == Endpoint::kChat) {
    auto text = chat_text(request);
    if (!text) return tl::unexpected(text.error());
    auto ids = encode(text->append(opening));
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
