// SPDX-License-Identifier: MIT
#include "common/model/hf_tokenizer.hpp"

#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/base/bytes.hpp"
#include "common/base/files.hpp"
#include "tests/support/temp_dir.hpp"

namespace adit::model {
namespace {

using nlohmann::json;

json vector_json(const std::string& name) {
  return json::parse(
      as_text(read_file(std::string(ADIT_TEST_VECTORS) + "/tokenizer/" + name, 1u << 20).value()));
}

class HfFolder : public testing::Test {
 protected:
  void write(const char* name, const std::string& text) { std::ofstream(dir_.path() / name) << text; }
  void write(const char* name, const json& value) { write(name, value.dump()); }
  const std::filesystem::path& path() { return dir_.path(); }
  std::string error() {
    const auto parts = tokenizer_from_hf(path());
    return parts ? "none" : parts.error().message;
  }

 private:
  test::TempDir dir_;
};

TEST_F(HfFolder, roles_come_from_the_configuration) {
  write("tokenizer.json", vector_json("tiny-llama2.json"));
  write("tokenizer_config.json", json{{"bos_token", "<s>"},
                                      {"eos_token", {{"content", "</s>"}}},
                                      {"add_bos_token", true},
                                      {"unk_token", "<unk>"}});
  const auto parts = tokenizer_from_hf(path());
  ASSERT_TRUE(parts.has_value()) << parts.error().message;
  EXPECT_EQ(parts->kind, "llama");
  EXPECT_EQ(parts->bos, 1);
  EXPECT_EQ(parts->eos, 2);
  EXPECT_EQ(parts->unk, 0);
  EXPECT_TRUE(parts->add_bos);
  EXPECT_TRUE(parts->byte_fallback);
  EXPECT_EQ(parts->unk_text, "<unk>");
}

TEST_F(HfFolder, template_processing_puts_a_token_before) {
  json root = vector_json("tiny-flags.json");
  root["post_processor"] = {
      {"type", "TemplateProcessing"},
      {"single", json::array({{{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}},
                              {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}})},
      {"pair", json::array()},
      {"special_tokens", {{"<s>", {{"id", "<s>"}, {"ids", {1}}, {"tokens", {"<s>"}}}}}}};
  write("tokenizer.json", root);
  const auto parts = tokenizer_from_hf(path());
  ASSERT_TRUE(parts.has_value()) << parts.error().message;
  EXPECT_EQ(parts->bos, 1);
  EXPECT_TRUE(parts->add_bos);
  write("tokenizer_config.json", json{{"bos_token", "</s>"}});
  EXPECT_NE(error().find("bos_token: id 2, but tokenizer.json puts 1 before every text"), std::string::npos);
  root["post_processor"]["single"].push_back({{"SpecialToken", {{"id", "</s>"}}}});
  write("tokenizer.json", root);
  EXPECT_NE(error().find("post_processor.single: expected the text alone or one token before it"),
            std::string::npos);
}

struct Refused {
  const char* what;
  void (*change)(json&);
  const char* message;
};

TEST_F(HfFolder, what_is_not_understood_is_refused_by_name) {
  const std::vector<Refused> cases{
      {"normalizer",
       [](json& j) {
         j["normalizer"] = {{"type", "Sequence"},
                            {"normalizers", {{{"type", "NFC"}}, {{"type", "StripAccents"}}}}};
       },
       "normalizer.normalizers[1]: type 'StripAccents': expected NFC"},
      {"pattern", [](json& j) { j["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "\\w+"; },
       R"(pre_tokenizer.pretokenizers[0].pattern: {"Regex":"\\w+"}: expected the pattern of)"},
      {"behavior", [](json& j) { j["pre_tokenizer"]["pretokenizers"][0]["behavior"] = "Removed"; },
       "pre_tokenizer.pretokenizers[0]: behavior 'Removed', invert false: expected 'Isolated' and false"},
      {"step", [](json& j) { j["pre_tokenizer"]["pretokenizers"][1] = {{"type", "Whitespace"}}; },
       "pre_tokenizer.pretokenizers[1]: type 'Whitespace': expected Split"},
      {"order", [](json& j) { j["pre_tokenizer"]["pretokenizers"].erase(0); },
       R"(pattern: \s+$ is read after [\r\n] only)"},
      {"decoder", [](json& j) { j["decoder"] = {{"type", "WordPiece"}}; },
       "decoder: {\"type\":\"WordPiece\"}: expected ByteLevel"},
      {"post", [](json& j) { j["post_processor"] = {{"type", "RobertaProcessing"}}; },
       "post_processor: type 'RobertaProcessing'"},
      {"model", [](json& j) { j["model"]["type"] = "WordPiece"; },
       "model.type: \"WordPiece\": expected 'BPE'"},
      {"dropout", [](json& j) { j["model"]["dropout"] = 0.1; }, "model.dropout: 0.1: expected it unset"},
      {"key", [](json& j) { j["model"]["surprise"] = 1; }, "model.surprise: an unknown key"},
      {"top", [](json& j) { j["surprise"] = 1; }, "surprise: an unknown key"},
      {"unk", [](json& j) { j["model"]["unk_token"] = 5; }, "model.unk_token: expected a text or null"},
  };
  for (const Refused& one : cases) {
    json root = vector_json("tiny-deepseek-llm.json");
    one.change(root);
    write("tokenizer.json", root);
    EXPECT_NE(error().find(one.message), std::string::npos) << one.what << ": " << error();
    EXPECT_NE(error().find("tokenizer.json"), std::string::npos);
  }
}

TEST_F(HfFolder, the_configuration_is_checked) {
  EXPECT_NE(error().find("tokenizer.json"), std::string::npos);
  write("tokenizer.json", vector_json("tiny-flags.json"));
  EXPECT_EQ(error(), "none");
  write("tokenizer_config.json", json{{"eos_token", "<nowhere>"}});
  EXPECT_NE(error().find("eos_token: '<nowhere>' is no token of tokenizer.json"), std::string::npos);
  write("tokenizer_config.json", json{{"eos_token", 7}});
  EXPECT_NE(error().find("eos_token: expected a text or null"), std::string::npos);
  write("tokenizer_config.json", json{{"add_eos_token", true}});
  EXPECT_NE(error().find("add_eos_token: true, expected false"), std::string::npos);
  write("tokenizer_config.json", json{{"add_bos_token", true}});
  EXPECT_NE(error().find("add_bos_token: true without a bos_token"), std::string::npos);
  write("tokenizer_config.json", std::string("{\"a\":"));
  EXPECT_NE(error().find("offset 5: not JSON"), std::string::npos);
}

TEST_F(HfFolder, chat_templates) {
  EXPECT_EQ(chat_template_from_hf(path()).value(), "");
  write("tokenizer_config.json", json{{"chat_template", "one"}});
  EXPECT_EQ(chat_template_from_hf(path()).value(), "one");
  const json named =
      json::array({{{"name", "rag"}, {"template", "x"}}, {{"name", "default"}, {"template", "two"}}});
  write("tokenizer_config.json", json{{"chat_template", named}});
  EXPECT_EQ(chat_template_from_hf(path()).value(), "two");
  write("tokenizer_config.json",
        json{{"chat_template", json::array({{{"name", "rag"}, {"template", "x"}}})}});
  EXPECT_NE(chat_template_from_hf(path()).error().message.find("without one named 'default'"),
            std::string::npos);
  write("chat_template.jinja", std::string("three"));
  EXPECT_EQ(chat_template_from_hf(path()).value(), "three");
}

}  // namespace
}  // namespace adit::model
