// SPDX-License-Identifier: MIT
// common/model/gguf_keys.hpp
//
// The keys of one architecture in a GGUF file ("llama.block_count"), read once each; only the readers of
// configurations include this.
//
// Out      finish() refuses keys of the architecture that nobody read, unless they are 0, false or known to
//          change nothing. Numbers stored as f32 are given as the shortest decimal that reads back as that f32.
// Errors   as gguf_model.hpp.
// Threads  one.
// Tests    tests/unit/common/model/gguf_config_test.cpp
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/model/gguf.hpp"
#include "common/model/model_config.hpp"

namespace adit::model {

class GgufKeys {
 public:
  // files: of a split model all, the first one has the keys.
  GgufKeys(std::span<const Gguf* const> files, std::string architecture)
      : files_(files), gguf_(*files[0]), architecture_(std::move(architecture)) {}
  // `key` without the architecture.
  [[nodiscard]] bool has(const char* key) const { return gguf_.has(full(key)); }
  [[nodiscard]] Result<int> integer(const char* key);
  [[nodiscard]] Result<int> integer_or(const char* key, int absent);
  [[nodiscard]] Result<double> number(const char* key);
  [[nodiscard]] Result<double> number_or(const char* key, double absent);
  [[nodiscard]] Result<bool> boolean_or(const char* key, bool absent);
  [[nodiscard]] Result<std::string> text_or(const char* key, const char* absent);
  [[nodiscard]] Result<void> finish() const;

  // In any of the files; file: the one that has it.
  [[nodiscard]] const GgufTensor* find_tensor(std::string_view name, const Gguf** file = nullptr) const;
  [[nodiscard]] const std::string& label() const { return gguf_.label(); }
  [[nodiscard]] tl::unexpected<Error> wrong(const char* key, std::string_view found,
                                            std::string_view expected) const;

 private:
  [[nodiscard]] std::string full(const char* key) const { return architecture_ + "." + key; }

  std::span<const Gguf* const> files_;
  const Gguf& gguf_;
  std::string architecture_;
  std::set<std::string, std::less<>> read_;
};

// rope.freq_base, rope.scaling.*, and llama 3's factors, which are a tensor.
[[nodiscard]] Result<void> read_gguf_rope(GgufKeys& keys, ModelConfig& config);

}  // namespace adit::model
