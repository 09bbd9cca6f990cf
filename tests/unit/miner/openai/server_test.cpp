// SPDX-License-Identifier: MIT
// The endpoint over real sockets, with a tiny random model.
#include <future>
#include <thread>

#include <gtest/gtest.h>
#include <httplib.h>

#include "common/base/limits.hpp"
#include "miner/openai/http_server.hpp"
#include "miner/openai/json.hpp"
#include "tests/support/adapter_folder.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_adapter.hpp"
#include "tests/support/tiny_llama.hpp"

namespace adit::miner::openai {
namespace {

constexpr const char* kJson = "application/json";
constexpr const char* kChat = "/v1/chat/completions";
constexpr const char* kCompletions = "/v1/completions";

struct Scene {
  explicit Scene(int batch = 4, std::uint32_t queue = 16, const std::string& key = "", double weights = 1,
                 const std::vector<std::string>& adapters = {})
      : pack(std::make_shared<const model::Pack>(
            test::tiny_llama_pack(dir.path(), {.context = 8192, .weight_scale = weights}, {.bits = 8}))) {
    engine = std::make_unique<EngineThread>(
        pack, model::EngineOptions{.threads = 1, .prefill_chunk = 32, .batch_max = batch}, queue);
    AdapterFolders folders;
    for (const std::string& name : adapters) {
      folders.emplace_back(
          name, test::write_adapter(dir.path() / name, test::random_lora(pack->config(), folders.size())));
    }
    service = Service::make(pack, *engine, "tiny", "", folders).value();
    server =
        HttpServer::start(
            {.listen = net::parse_endpoint("127.0.0.1:0").value(), .api_key = key, .threads = 16}, *service)
            .value();
  }
  [[nodiscard]] httplib::Client client() const {
    httplib::Client out("127.0.0.1", server->bound().port);
    out.set_read_timeout(60);
    return out;
  }
  [[nodiscard]] Json post(const std::string& path, const Json& body, int status = 200) const {
    const auto reply = client().Post(path, to_text(body), kJson);
    if (!reply) {
      ADD_FAILURE() << httplib::to_string(reply.error());
      return {};
    }
    EXPECT_EQ(reply->status, status) << reply->body;
    return Json::parse(reply->body);
  }
  // The events of a stream, without the last, [DONE].
  [[nodiscard]] std::vector<Json> stream(const std::string& path, Json body) const {
    body["stream"] = true;
    const auto reply = client().Post(path, to_text(body), kJson);
    std::vector<Json> out;
    bool done = false;
    for (std::size_t at = 0; reply && at < reply->body.size();) {
      const std::size_t end = reply->body.find("\n\n", at);
      const std::string event = reply->body.substr(at, end - at);
      EXPECT_TRUE(event.starts_with("data: "));
      EXPECT_FALSE(done);
      done = event == "data: [DONE]";
      if (!done) out.push_back(Json::parse(event.substr(6)));
      at = end + 2;
    }
    EXPECT_TRUE(done);
    return out;
  }

  test::TempDir dir;
  std::shared_ptr<const model::Pack> pack;
  std::unique_ptr<EngineThread> engine;
  std::unique_ptr<Service> service;
  std::unique_ptr<HttpServer> server;
};

Json chat_body(std::int64_t seed, int max_tokens) {
  return {{"model", "tiny"},
          {"messages", Json::array({{{"role", "user"}, {"content", "hello"}}})},
          {"seed", seed},
          {"max_tokens", max_tokens}};
}

// Greedy: a model whose layers do next to nothing says its last token again and again.
constexpr double kRepeats = 0.01;
Json long_body(int max_tokens) {
  Json body = chat_body(1, max_tokens);
  body["temperature"] = 0;
  return body;
}

TEST(HttpServer, tells_what_it_serves) {
  const Scene scene;
  const auto models = scene.client().Get("/v1/models");
  ASSERT_TRUE(models);
  EXPECT_EQ(Json::parse(models->body)["data"][0]["id"], "tiny");
  EXPECT_EQ(scene.client().Get("/v1/models/tiny")->status, 200);
  EXPECT_EQ(scene.client().Get("/v1/models/other")->status, 404);
  EXPECT_EQ(scene.client().Get("/health")->status, 200);
}

Json ask(const std::string& model, std::int64_t seed = 5) {
  Json body = chat_body(seed, 30);
  body["model"] = model;
  return body;
}

TEST(HttpServer, the_model_field_chooses_an_adapter) {
  const Scene scene(4, 16, "", 1, {"red", "blue"});
  const Json models = Json::parse(scene.client().Get("/v1/models")->body)["data"];
  ASSERT_EQ(models.size(), 3U);
  EXPECT_EQ(models[0]["id"], "tiny");
  EXPECT_FALSE(models[0].contains("adapter"));
  EXPECT_EQ(models[1]["id"], "red");
  EXPECT_EQ(models[1]["parent"], "tiny");
  EXPECT_NE(models[1]["adapter"], models[2]["adapter"]);
  EXPECT_EQ(Json::parse(scene.client().Get("/v1/models/blue")->body), models[2]);
  const std::vector<std::string> names{"tiny", "red", "blue"};
  std::vector<Json> alone;
  for (const std::string& name : names) {
    const Json whole = scene.post(kChat, ask(name));
    EXPECT_EQ(whole["model"], name);
    for (const Json& other : alone) {
      EXPECT_NE(whole["choices"], other["choices"]);
      EXPECT_NE(whole["system_fingerprint"], other["system_fingerprint"]);
    }
    alone.push_back(whole);
  }
  // All at once, each streamed too: the same answers.
  std::vector<std::future<std::pair<Json, std::string>>> together;
  for (const std::string& name : names) {
    together.push_back(std::async(std::launch::async, [&scene, name] {
      std::string text;
      for (const Json& event : scene.stream(kChat, ask(name))) {
        EXPECT_EQ(event["model"], name);
        text += event["choices"][0]["delta"].value("content", "");
      }
      return std::pair(scene.post(kChat, ask(name)), text);
    }));
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto [whole, text] = together[i].get();
    EXPECT_EQ(whole["choices"], alone[i]["choices"]);
    EXPECT_EQ(text, alone[i]["choices"][0]["message"]["content"]);
  }
  const Json refused = scene.post(kChat, ask("green"), 404);
  EXPECT_EQ(refused["error"]["code"], "model_not_found");
  EXPECT_EQ(refused["error"]["param"], "model");
  EXPECT_EQ(refused["error"]["message"], "model: 'green' is not served here, only 'tiny', 'red', 'blue'");
  EXPECT_EQ(scene.client().Get("/v1/models/green")->status, 404);
}

TEST(HttpServer, adapters_need_names_and_files) {
  const Scene scene(1, 0, "", 1, {"red"});
  const std::string red = (scene.dir.path() / "red").string();
  const auto message = [&](const AdapterFolders& folders) {
    const auto made = Service::make(scene.pack, *scene.engine, "tiny", "", folders);
    return made ? std::string() : made.error().message;
  };
  EXPECT_EQ(message({{"red", red}}), "");
  EXPECT_EQ(message({{"tiny", red}}), "adapter tiny: this name is taken");
  EXPECT_EQ(message({{"a", red}, {"a", red}}), "adapter a: this name is taken");
  EXPECT_EQ(message({{"", red}}), "adapter : expected a name of 1 to 128 bytes");
  EXPECT_TRUE(message({{"a", red + "/none"}}).starts_with("adapter a: "));
}

TEST(HttpServer, a_stream_joined_is_the_whole_answer) {
  const Scene scene;
  for (const std::int64_t seed : {1, 2}) {
    Json body = chat_body(seed, 40);
    body["n"] = 3;
    body["logprobs"] = true;
    body["top_logprobs"] = 2;
    const Json whole = scene.post(kChat, body);
    body["stream_options"] = {{"include_usage", true}};
    std::vector<std::string> texts(3), ends(3);
    std::vector<Json> logprobs(3, Json::array());
    const std::vector<Json> events = scene.stream(kChat, body);
    for (const Json& event : events) {
      for (const Json& choice : event["choices"]) {
        const auto index = choice["index"].get<std::size_t>();
        texts[index] += choice["delta"].value("content", "");
        if (!choice["logprobs"].is_null()) {
          for (const Json& each : choice["logprobs"]["content"]) logprobs[index].push_back(each);
        }
        if (!choice["finish_reason"].is_null()) ends[index] = choice["finish_reason"];
      }
    }
    EXPECT_EQ(events.back()["usage"], whole["usage"]);
    for (std::size_t i = 0; i < 3; ++i) {
      const Json& choice = whole["choices"][i];
      EXPECT_EQ(choice["message"]["content"], texts[i]);
      EXPECT_EQ(choice["finish_reason"], ends[i]);
      EXPECT_EQ(choice["logprobs"]["content"], logprobs[i]);
      // Choice i is what seed + i says alone.
      EXPECT_EQ(
          scene.post(kChat, chat_body(seed + static_cast<std::int64_t>(i), 40))["choices"][0]["message"],
          choice["message"]);
    }
  }
}

TEST(HttpServer, completions_take_many_prompts) {
  const Scene scene;
  Json body{{"model", "tiny"}, {"prompt", {"ab", "cd"}}, {"n", 2},
            {"seed", 5},       {"max_tokens", 12},       {"logprobs", 1}};
  const Json whole = scene.post(kCompletions, body);
  ASSERT_EQ(whole["choices"].size(), 4U);
  std::vector<std::string> texts(4);
  for (const Json& event : scene.stream(kCompletions, body)) {
    const Json& choice = event["choices"][0];
    texts[choice["index"].get<std::size_t>()] += choice["text"];
  }
  for (std::size_t i = 0; i < 4; ++i) {
    const Json& choice = whole["choices"][i];
    EXPECT_EQ(choice["text"], texts[i]);
    EXPECT_EQ(choice["logprobs"]["tokens"].size(), choice["logprobs"]["text_offset"].size());
  }
  // The same ids given as ids: "cd" is two tokens of one byte.
  body["prompt"] = {{3 + 'c', 3 + 'd'}};
  const Json again = scene.post(kCompletions, body);
  EXPECT_EQ(again["choices"][0]["text"], whole["choices"][2]["text"]);
}

TEST(HttpServer, ends_at_a_stop_string) {
  const Scene scene;
  const std::string text = scene.post(kChat, chat_body(3, 200))["choices"][0]["message"]["content"];
  // Three characters out of the middle.
  std::size_t at = text.size() / 2;
  while (at > 0 && (static_cast<std::uint8_t>(text[at]) & 0xc0) == 0x80) --at;
  std::size_t end = at + 3;
  while (end < text.size() && (static_cast<std::uint8_t>(text[end]) & 0xc0) == 0x80) ++end;
  Json body = chat_body(3, 200);
  body["stop"] = text.substr(at, end - at);
  const Json whole = scene.post(kChat, body);
  EXPECT_EQ(whole["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(whole["choices"][0]["message"]["content"], text.substr(0, text.find(text.substr(at, end - at))));
}

TEST(HttpServer, holds_answers_to_a_schema) {
  const Scene scene;
  Json body = chat_body(4, 200);
  body["n"] = 3;
  body["response_format"] = {{"type", "json_schema"},
                             {"json_schema",
                              {{"name", "n"},
                               {"schema",
                                {{"type", "object"},
                                 {"properties", {{"z", {{"type", "boolean"}}}, {"a", {{"enum", {"x", 7}}}}}},
                                 {"required", {"z", "a"}}}}}}};
  const Json whole = scene.post(kChat, body);
  for (const Json& choice : whole["choices"]) {
    EXPECT_EQ(choice["finish_reason"], "stop");
    const Json answer = Json::parse(choice["message"]["content"].get<std::string>());
    // In declared order.
    EXPECT_EQ(answer.begin().key(), "z");
    EXPECT_TRUE(answer["z"].is_boolean());
    EXPECT_TRUE(answer["a"] == "x" || answer["a"] == 7);
  }
  body["response_format"]["json_schema"]["schema"]["properties"]["a"] = {{"type", "string"},
                                                                         {"pattern", "x"}};
  const Json refused = scene.post(kChat, body, 400);
  EXPECT_EQ(refused["error"]["param"], "response_format");
  EXPECT_EQ(refused["error"]["message"], "schema: #/properties/a/pattern: not supported here");
}

TEST(HttpServer, refuses_with_openais_errors) {
  const Scene scene(1, 0);
  Json body = chat_body(1, 5);
  body["model"] = "other";
  EXPECT_EQ(scene.post(kChat, body, 404)["error"]["code"], "model_not_found");
  EXPECT_EQ(scene.post(kChat, chat_body(1, 8192), 400)["error"]["code"], "context_length_exceeded");
  body = chat_body(1, 5);
  body["n"] = 2;
  EXPECT_EQ(scene.post(kChat, body, 429)["error"]["code"], "engine_busy");
  EXPECT_EQ(scene.post(kCompletions, {{"model", "tiny"}, {"prompt", {5000}}}, 400)["error"]["param"],
            "prompt");
  EXPECT_EQ(scene.client().Get(kChat)->status, 404);
  EXPECT_EQ(scene.client().Post(kChat, "{", kJson)->status, 400);
  EXPECT_EQ(scene.client().Post(kChat, "{}", "text/plain")->status, 415);
  EXPECT_EQ(scene.client().Post(kChat, {{"Content-Encoding", "gzip"}}, "{}", kJson)->status, 415);
  EXPECT_EQ(scene.client().Get("/v1/models", {{"Host", "evil.example"}})->status, 403);
  const auto large = scene.client().Post(kChat, std::string(limits::kRequestBytesMax + 1, ' '), kJson);
  EXPECT_TRUE(!large || large->status == 413);
}

TEST(HttpServer, asks_for_the_key) {
  const Scene scene(1, 0, "secret");
  EXPECT_EQ(scene.client().Get("/v1/models")->status, 401);
  EXPECT_EQ(scene.client().Get("/v1/models", {{"Authorization", "Bearer secre"}})->status, 401);
  EXPECT_EQ(scene.client().Get("/v1/models", {{"Authorization", "Bearer secret"}})->status, 200);
}

TEST(HttpServer, stays_on_loopback_without_a_key) {
  const Scene scene;
  for (const char* listen : {"0.0.0.0:0", "[::]:0", "192.0.2.1:80"}) {
    const auto started = HttpServer::start({.listen = net::parse_endpoint(listen).value()}, *scene.service);
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, ErrorCode::kFailedPrecondition);
  }
  const auto taken = HttpServer::start({.listen = scene.server->bound()}, *scene.service);
  EXPECT_FALSE(taken);
}

void wait_until_idle(const EngineThread& engine) {
  for (int i = 0; i < 2000 && engine.load().running + engine.load().waiting > 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(engine.load().running + engine.load().waiting, 0U);
}

void wait_until_busy(const EngineThread& engine) {
  for (int i = 0; i < 20'000 && engine.load().running == 0; ++i)
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  ASSERT_GT(engine.load().running, 0U);
}

TEST(HttpServer, a_client_that_leaves_cancels_its_request) {
  const Scene scene(1, 1, "", kRepeats);
  Json body = long_body(8000);
  auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(scene.post(kChat, body)["choices"][0]["finish_reason"], "length");
  const auto whole = std::chrono::steady_clock::now() - begin;
  // Not streaming: the client gives up waiting.
  httplib::Client impatient = scene.client();
  impatient.set_read_timeout(0, 50'000);
  begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(impatient.Post(kChat, to_text(body), kJson));
  impatient.stop();
  wait_until_idle(*scene.engine);
  // Streaming: it closes after the first bytes.
  body["stream"] = true;
  httplib::Request request;
  request.method = "POST";
  request.path = kChat;
  request.body = to_text(body);
  request.set_header("Content-Type", kJson);
  request.content_receiver = [](const char*, std::size_t, std::uint64_t, std::uint64_t) { return false; };
  EXPECT_FALSE(scene.client().send(request));
  wait_until_idle(*scene.engine);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, whole);
}

TEST(HttpServer, lets_requests_finish_when_it_stops) {
  Scene scene(2, 2, "", kRepeats);
  const Json body = long_body(600);
  const auto expected = scene.post(kChat, body);
  ASSERT_EQ(expected["choices"][0]["finish_reason"], "length");
  auto running = std::async(std::launch::async, [&] { return scene.post(kChat, body); });
  wait_until_busy(*scene.engine);
  scene.server->stop(std::chrono::seconds(60));
  EXPECT_EQ(running.get()["choices"][0]["message"], expected["choices"][0]["message"]);
  EXPECT_FALSE(scene.client().Get("/health"));
}

TEST(HttpServer, cuts_what_does_not_finish_in_time) {
  Scene scene(2, 2, "", kRepeats);
  const Json body = long_body(8000);
  auto whole = std::async(std::launch::async, [&] { return scene.post(kChat, body, 503); });
  wait_until_busy(*scene.engine);
  scene.server->stop(std::chrono::milliseconds(10));
  EXPECT_EQ(whole.get()["error"]["code"], "unavailable");
}

}  // namespace
}  // namespace adit::miner::openai
