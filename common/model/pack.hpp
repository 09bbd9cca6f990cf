// SPDX-License-Identifier: MIT
// common/model/pack.hpp
//
// A pack: one file with everything a miner or validator needs to run a model exactly: integer weights in
// the tile form of kernels/linear/params.h, norms, RoPE frequencies, tokenizer, chat template,
// configuration.
//
// In       a path to a file written by pack_gguf (common/model/pack_writer.hpp).
// Out      views into the mapped file; valid as long as the Pack (moving it keeps them valid).
// Shapes   norms [hidden]; inv_freq [head_dim/2]; linears as in kernels/linear/params.h.
// Errors   kNotFound, kInvalidArgument (file, tensor, offset, expected), kDataLoss (content hash differs).
// Threads  const after open; any thread may read.
// Source   kernels/NUMERICS.md, "Packs"; container: github.com/huggingface/safetensors README.md, "Format"
// Tests    tests/unit/common/model/pack_test.cpp
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/model/model_config.hpp"
#include "kernels/linear/params.h"

namespace adit::model {

inline constexpr int kPackVersion = 1;

struct LayerWeights {
  const float* attn_norm = nullptr;
  const float* ffn_norm = nullptr;
  kernels::LinearWeights q, k, v, o, gate, up, down;
};

class Pack {
 public:
  // Maps the file and checks structure, shapes, sizes and that every float is finite; does not hash.
  [[nodiscard]] static Result<Pack> open(const std::filesystem::path& path);
  // The same for bytes in memory, which must outlive the Pack and be 64-byte aligned; `label` stands for
  // the file.
  [[nodiscard]] static Result<Pack> parse(ByteView bytes, std::string label);
  Pack(Pack&&) noexcept;
  Pack& operator=(Pack&&) noexcept;
  ~Pack();

  [[nodiscard]] const std::filesystem::path& path() const;
  [[nodiscard]] const ModelConfig& config() const;
  // As written in the file; verify_content_hash() proves it.
  [[nodiscard]] const Hash256& content_hash() const;
  [[nodiscard]] const std::string& tokenizer_json() const;
  [[nodiscard]] const std::string& chat_template() const;
  [[nodiscard]] std::span<const LayerWeights> layers() const;
  // For a tied head both name the same arrays.
  [[nodiscard]] const kernels::LinearWeights& embedding() const;
  [[nodiscard]] const kernels::LinearWeights& head() const;
  [[nodiscard]] const float* final_norm() const;
  [[nodiscard]] std::span<const double> inv_freq() const;
  // The weight form of the layers' linears and the activation form of all.
  [[nodiscard]] kernels::WeightForm weight_form() const;
  [[nodiscard]] kernels::ActForm act_form() const;
  // Bytes of the file.
  [[nodiscard]] std::size_t file_bytes() const;

  // Recomputes the content hash and every linear's proof numbers from the arrays (reads the whole file).
  [[nodiscard]] Result<void> verify_content_hash() const;

 private:
  struct State;
  explicit Pack(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace adit::model
