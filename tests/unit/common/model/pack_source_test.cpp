// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <functional>

#include "common/base/files.hpp"
#include "common/model/pack_writer.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_llama.hpp"

namespace adit::model {
namespace {

// Packs the tiny model with one text of its file replaced by another of the same length.
std::string error_after(const std::string& from, const std::string& to) {
  EXPECT_EQ(from.size(), to.size());
  const test::TempDir dir;
  Bytes bytes = test::tiny_llama_gguf({.layers = 1});
  const std::size_t at = as_text(bytes).find(from);
  EXPECT_NE(at, std::string::npos) << from;
  std::copy(to.begin(), to.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
  EXPECT_TRUE(write_file_atomic(dir.path() / "m.gguf", bytes));
  const auto result = pack_model(dir.path() / "m.gguf", dir.path() / "m.adit", {}, {});
  const auto files = std::distance(std::filesystem::directory_iterator(dir.path()), {});
  EXPECT_EQ(files, result ? 2 : 1) << "something was left behind";
  if (result) return "packed";
  EXPECT_NE(result.error().message.find("m.gguf"), std::string::npos) << result.error().message;
  return result.error().message;
}

void expect_error(const std::string& from, const std::string& to, const std::string& part) {
  const std::string message = error_after(from, to);
  EXPECT_NE(message.find(part), std::string::npos) << message;
}

TEST(PackSource, a_file_that_is_not_such_a_model_is_refused_by_key_or_tensor) {
  EXPECT_EQ(error_after("llama", "llama"), "packed");
  const std::string arch =
      std::string("general.architecture") + std::string("\x08\0\0\0\x05\0\0\0\0\0\0\0", 12);
  expect_error(arch + "llama", arch + "mamba", "general.architecture: 'mamba', expected llama");
  expect_error("llama.block_count", "llama.block_cound", "no key llama.block_count");
  expect_error("layer_norm_rms_epsilon", "layer_norm_rms_epsilom", "layer_norm_rms_epsilon");
  expect_error("blk.0.ffn_up.weight", "blk.0.ffn_ut.weight", "tensor blk.0.ffn_ut.weight has no place");
  expect_error("blk.0.ffn_up.weight", "blk.1.ffn_up.weight", "tensor blk.1.ffn_up.weight has no place");
  expect_error("tokenizer.ggml.merges", "tokenizer.ggml.mergez", "no key tokenizer.ggml.merges");
  expect_error("tokenizer.ggml.eos_token_id", "tokenizer.ggml.eoz_token_id", "eos_token_id");
  expect_error("llama.rope.freq_base", "llama.rope.scaling.t", "key llama.rope.scaling.t is not understood");
}

TEST(PackSource, dimensions_must_agree_with_the_keys) {
  const std::string heads = std::string("llama.attention.head_count") + std::string("\x04\0\0\0", 4);
  expect_error(heads + '\x06', heads + '\x04', "tensor blk.0.attn_q.weight: 96 columns and 96 rows");
  expect_error(heads + '\x06', heads + '\x00', "head_count");
  const std::string context = std::string("llama.context_length") + std::string("\x04\0\0\0", 4);
  expect_error(context + std::string("\0\x04", 2), context + std::string("\0\0", 2), "context is 0");
}

TEST(PackSource, stored_types_become_the_forms_that_the_options_ask_for) {
  const test::TempDir dir;
  const Pack four = test::tiny_llama_pack(dir.path(), {.layers = 1}, {.bits = 4});
  const Pack eight = test::tiny_llama_pack(dir.path(), {.layers = 1}, {.bits = 8});
  EXPECT_EQ(four.weight_form(), kernels::WeightForm::kU4);
  EXPECT_EQ(four.embedding().form, kernels::WeightForm::kI8);
  EXPECT_EQ(eight.weight_form(), kernels::WeightForm::kI8);
  EXPECT_NE(four.content_hash(), eight.content_hash());
  EXPECT_EQ(pack_model(dir.path() / "tiny.gguf", dir.path() / "x", {.bits = 5}, {}).error().code,
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace adit::model
