// SPDX-License-Identifier: MIT
#include "miner/openai/request.hpp"

#include <gtest/gtest.h>

#include "miner/openai/json.hpp"

namespace adit::miner::openai {
namespace {

ApiResult<ApiRequest> chat(const std::string& more) {
  return parse_request(Endpoint::kChat,
                       R"({"model":"m","messages":[{"role":"user","content":"hi"}])" + more + "}");
}
ApiResult<ApiRequest> completions(const std::string& fields) {
  return parse_request(Endpoint::kCompletions, R"({"model":"m",)" + fields + "}");
}

TEST(OpenAiRequest, has_openais_defaults) {
  const auto request = chat("");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->sampling, (model::SamplingParams{.temperature_milli = 1000}));
  EXPECT_EQ(request->choices, 1U);
  EXPECT_FALSE(request->stream || request->max_tokens || request->seed || request->top_logprobs);
  EXPECT_EQ(completions(R"("prompt":"x")")->max_tokens, 16U);
}

TEST(OpenAiRequest, reads_every_field) {
  const auto good = chat(R"(,"temperature":0.7,"top_p":0.5,"top_k":40,"min_p":0.25,"seed":-1,"stop":["a","b"],
    "n":3,"stream":true,"stream_options":{"include_usage":true},"logprobs":true,"top_logprobs":4,
    "max_completion_tokens":9,"user":"u","metadata":{"a":1},"tools":[],"tool_choice":"none","frequency_penalty":0,
    "logit_bias":{},"presence_penalty":null,"response_format":{"type":"json_schema","json_schema":{"name":"n",
    "strict":true,"schema":{"type":"object","properties":{"z":{"type":"null"},"a":{"type":"null"}}}}})");
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_EQ(good->sampling, (model::SamplingParams{700, 32768, 40, 16384}));
  EXPECT_EQ(good->seed, UINT64_MAX);
  EXPECT_EQ(good->stop, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(good->choices, 3U);
  EXPECT_EQ(good->max_tokens, 9U);
  EXPECT_EQ(good->top_logprobs, 4);
  EXPECT_TRUE(good->stream && good->include_usage);
  // In the order in which it was written.
  EXPECT_EQ(good->schema, R"({"type":"object","properties":{"z":{"type":"null"},"a":{"type":"null"}}})");
}

TEST(OpenAiRequest, reads_messages_in_both_forms) {
  const auto request = parse_request(Endpoint::kChat, R"({"model":"m","messages":[
    {"role":"developer","content":"be brief"},
    {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]})");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->messages[0].role, "system");
  EXPECT_EQ(request->messages[1].content, "ab");
}

TEST(OpenAiRequest, reads_prompts_in_all_four_forms) {
  EXPECT_EQ(std::get<0>(completions(R"("prompt":"x")")->prompts.at(0)), "x");
  EXPECT_EQ(completions(R"("prompt":["x","y"])")->prompts.size(), 2U);
  EXPECT_EQ(std::get<1>(completions(R"("prompt":[1,2])")->prompts.at(0)), (std::vector<TokenId>{1, 2}));
  EXPECT_EQ(completions(R"("prompt":[[1],[2,3]])")->prompts.size(), 2U);
  for (const char* bad : {"1", "[]", "[1,\"a\"]", "[[1],\"a\",[\"b\"]]", "{}", "[-1]", "[[1.5]]", "[1e30]"}) {
    const auto request = completions(std::string(R"("prompt":)") + bad);
    ASSERT_FALSE(request) << bad;
    EXPECT_EQ(request.error().param, "prompt");
  }
}

TEST(OpenAiRequest, names_the_field_that_is_wrong) {
  const std::pair<const char*, const char*> cases[] = {
      {R"("temperature":-1)", "temperature"},
      {R"("temperature":"hot")", "temperature"},
      {R"("top_p":1.5)", "top_p"},
      {R"("n":0)", "n"},
      {R"("n":9)", "n"},
      {R"("seed":1.5)", "seed"},
      {R"("seed":18446744073709551615)", "seed"},
      {R"("max_tokens":0)", "max_tokens"},
      {R"("stop":["a","b","c","d","e"])", "stop"},
      {R"("stop":"")", "stop"},
      {R"("stop":[1])", "stop"},
      {R"("frequency_penalty":0.5)", "frequency_penalty"},
      {R"("presence_penalty":-1)", "presence_penalty"},
      {R"("logit_bias":{"5":1})", "logit_bias"},
      {R"("tools":[{"type":"function"}])", "tools[0].function"},
      {R"("tool_choice":"required")", "tool_choice"},
      {R"("top_logprobs":3)", "top_logprobs"},
      {R"("stream_options":{"include_usage":true})", "stream_options"},
      {R"("stream":1)", "stream"},
      {R"("response_format":{"type":"xml"})", "response_format.type"},
      {R"("response_format":{"type":"json_schema"})", "response_format.json_schema"},
      {R"("response_format":{"type":"text","x":1})", "response_format.x"},
      {R"("min_tokens":3)", "min_tokens"},
  };
  for (const auto& [text, param] : cases) {
    const auto request = chat(std::string(",") + text);
    ASSERT_FALSE(request) << text;
    EXPECT_EQ(request.error().param, param) << request.error().message;
    EXPECT_EQ(request.error().status, 400);
  }
  EXPECT_EQ(completions(R"("prompt":"x","echo":true)").error().param, "echo");
  EXPECT_EQ(completions(R"("prompt":"x","suffix":"y")").error().param, "suffix");
  EXPECT_EQ(parse_request(Endpoint::kChat, R"({"model":"m","messages":[{"role":"critic","content":"x"}]})")
                .error()
                .param,
            "messages[0].role");
  EXPECT_EQ(parse_request(Endpoint::kChat,
                          R"({"model":"m","messages":[{"role":"user","content":[{"type":"image_url"}]}]})")
                .error()
                .param,
            "messages[0].content");
  EXPECT_EQ(parse_request(Endpoint::kChat, R"({"messages":[{"role":"user","content":"x"}]})").error().param,
            "model");
}

TEST(OpenAiRequest, refuses_what_is_no_object_of_json) {
  for (const char* bad : {"", "{", "[]", "null", "5", "{\"model\":\"m\",\"model\":\"n\"}", "\xff"}) {
    EXPECT_FALSE(parse_request(Endpoint::kChat, bad)) << bad;
    EXPECT_FALSE(parse_request(Endpoint::kCompletions, bad)) << bad;
  }
  const std::string deep(100'000, '[');
  EXPECT_FALSE(parse_request(Endpoint::kChat, deep));
  EXPECT_FALSE(chat(",\"user\":" + deep + std::string(100'000, ']')));
}

TEST(OpenAiRequest, errors_have_openais_form) {
  const Json body = Json::parse(chat(R"(,"n":0)").error().body());
  EXPECT_EQ(body["error"]["param"], "n");
  EXPECT_EQ(body["error"]["type"], "invalid_request_error");
  EXPECT_TRUE(body["error"]["code"].is_null());
  EXPECT_EQ(body["error"]["message"], "n: expected an integer in 1..8");
}

}  // namespace
}  // namespace adit::miner::openai
