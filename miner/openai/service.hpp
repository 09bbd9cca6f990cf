// SPDX-License-Identifier: MIT
// miner/openai/service.hpp
//
// What every request is answered with: the model, its tokenizer, its adapters and the engine that runs them.
//
// In       adapters: a name for each folder that PEFT wrote. A request's model is the model's name or an adapter's.
//          Adapters are for local requests: nothing that the subnet asks names one, and no card declares one.
// Errors   make: those of Tokenizer::from_blob, and of Adapter::load after "adapter NAME: "; kInvalidArgument for a
//          name that is empty, too long or there twice.
// Threads  const after make; any thread. The engine must outlive it.
// Tests    tests/unit/miner/openai/server_test.cpp
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/clock.hpp"
#include "common/base/rng.hpp"
#include "common/model/constraint/json_filter.hpp"
#include "common/model/pack.hpp"
#include "common/model/tokenizer.hpp"
#include "miner/openai/request.hpp"
#include "miner/openai/tool_form.hpp"
#include "miner/serve/engine_thread.hpp"

namespace adit::miner::openai {

inline constexpr std::size_t kAdaptersMax = 256;

// Names and folders.
using AdapterFolders = std::vector<std::pair<std::string, std::filesystem::path>>;

struct ServedModel {
  std::string name;
  // Null: the model as it is.
  std::shared_ptr<const model::Adapter> adapter;
  // Names the exact integers that answer: the same fingerprint, the same answers for the same seed.
  std::string fingerprint;
  // Of what local requests are bound to.
  Hash256 card{};
};

class Service {
 public:
  // An empty name: that of the pack's file, without its ending. An empty template: the pack's.
  [[nodiscard]] static Result<std::unique_ptr<Service>> make(std::shared_ptr<const model::Pack> pack,
                                                             EngineThread& engine, std::string model_name,
                                                             std::string chat_template = {},
                                                             const AdapterFolders& adapters = {},
                                                             model::KvForm kv = model::KvForm::kF16);

  [[nodiscard]] const model::Pack& pack() const { return *pack_; }
  [[nodiscard]] const model::Tokenizer& tokenizer() const { return tokenizer_; }
  [[nodiscard]] EngineThread& engine() const { return engine_; }
  [[nodiscard]] const std::string& model_name() const { return models_.front().name; }
  // The model itself, then its adapters.
  [[nodiscard]] const std::vector<ServedModel>& models() const { return models_; }
  // nullptr: there is none of that name.
  [[nodiscard]] const ServedModel* find(std::string_view name) const;
  [[nodiscard]] std::uint64_t started_s() const { return started_s_; }
  [[nodiscard]] std::uint64_t now_s() const;
  [[nodiscard]] std::uint64_t random() const;

  [[nodiscard]] const std::string& chat_template() const { return chat_template_; }
  [[nodiscard]] ToolForm tool_form() const { return tool_form_; }

  // One list of ids for each prompt (a chat is one). `opening`: how the answer to a chat begins.
  [[nodiscard]] ApiResult<std::vector<std::vector<TokenId>>> prompts_of(const ApiRequest& request,
                                                                        std::string_view opening = {}) const;
  // One for each answer that must satisfy the schema.
  [[nodiscard]] std::shared_ptr<model::TokenFilter> filter_of(
      const std::shared_ptr<const model::constraint::Schema>& schema) const;
  // As `adit-miner generate` binds it: a function of pack, adapter, prompt, parameters and seed.
  [[nodiscard]] proof::TraceBinding binding_of(const ServedModel& served, std::span<const TokenId> prompt,
                                               const model::GenerateParams& params, std::uint64_t seed) const;

 private:
  Service(std::shared_ptr<const model::Pack> pack, model::Tokenizer tokenizer, EngineThread& engine,
          std::string model_name, std::string chat_template, model::KvForm kv);
  void add(std::string name, std::shared_ptr<const model::Adapter> adapter);
  [[nodiscard]] Result<void> add_adapters(const AdapterFolders& adapters);
  [[nodiscard]] ApiResult<std::string> chat_text(const ApiRequest& request) const;
  [[nodiscard]] Result<std::vector<TokenId>> encode(std::string_view text) const;

  std::shared_ptr<const model::Pack> pack_;
  model::Tokenizer tokenizer_;
  std::shared_ptr<const model::constraint::TokenTrie> trie_;
  EngineThread& engine_;
  std::string chat_template_;
  ToolForm tool_form_ = ToolForm::kNone;
  std::vector<ServedModel> models_;
  model::KvForm kv_;
  std::uint64_t started_s_ = 0;
};

}  // namespace adit::miner::openai
