// SPDX-License-Identifier: MIT
// common/model/hf_tokenizer.hpp
//
// The tokenizer and the chat template of a Hugging Face model folder.
//
// In       tokenizer.json (required); tokenizer_config.json (bos_token, eos_token, pad_token, unk_token,
//          add_bos_token, chat_template) and chat_template.jinja where they are present.
// Out      parts for make_tokenizer_blob; the template's text, empty if the folder has none. Of a list of
//          named templates the one named "default"; chat_template.jinja goes before tokenizer_config.json.
// Errors   kNotFound, kInvalidArgument, kUnimplemented "FILE: key path: what was found, what was expected":
//          whatever changes ids and is not read is refused by its key and type, nothing is passed over.
// Threads  pure; reads files.
// Source   huggingface/tokenizers 0.23 (serialised forms), huggingface/transformers 5 (tokenizer_config.json)
// Tests    tests/unit/common/model/hf_tokenizer_test.cpp, tests/conformance/tokenizer_hub_test.cpp
#pragma once

#include <filesystem>
#include <string>

#include "common/base/result.hpp"
#include "common/model/tokenizer.hpp"

namespace adit::model {

[[nodiscard]] Result<TokenizerParts> tokenizer_from_hf(const std::filesystem::path& folder);
[[nodiscard]] Result<std::string> chat_template_from_hf(const std::filesystem::path& folder);

}  // namespace adit::model
