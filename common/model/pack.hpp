// SPDX-License-Identifier: MIT
// common/model/pack.hpp
//
// A pack: one file with everything a miner or validator needs to run a model exactly: integer weights in
// the tile form of kernels/linear/params.h, norms, RoPE frequencies, tokenizer, chat template,
// configuration.
//
// In       a path to a file written by pack_model (common/model/pack_writer.hpp).
// Out      views into the mapped file; valid as long as the Pack (moving it keeps them valid).
// Shapes   norms [hidden]; inv_freq [rope_dim/2]; linears as in kernels/linear/params.h.
// Errors   kNotFound, kInvalidArgument (file, tensor, offset, expected), kDataLoss (content hash differs).
// Threads  const after open; any thread may read.
// Source   kernels/NUMERICS.md, "Packs"; container: github.com/huggingface/safetensors README.md, "Format"
// Tests    tests/unit/common/model/pack_test.cpp
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/model/declaration.hpp"
#include "common/model/model_config.hpp"
#include "kernels/linear/params.h"

namespace adit::model {

inline constexpr int kPackVersion = 1;

// What a model's family does not have stays empty: null pointers, linears of m = 0. Shapes: model_parts.hpp.
struct LayerWeights {
  const float* attn_norm = nullptr;
  const float* ffn_norm = nullptr;
  // q also for MLA without a low rank of its own.
  kernels::LinearWeights q, k, v, o;
  // [head_dim]
  const float* q_norm = nullptr;
  const float* k_norm = nullptr;
  // MLA.
  kernels::LinearWeights q_a, q_b, kv_a, k_b, v_b;
  const float* q_a_norm = nullptr;
  const float* kv_a_norm = nullptr;
  // The indexer.
  kernels::LinearWeights index_q_b, index_k, index_w;
  const float* index_k_norm = nullptr;
  const float* index_k_norm_bias = nullptr;
  // A dense layer.
  kernels::LinearWeights gate, up, down;
  // A layer of experts; router [experts][hidden].
  const float* router = nullptr;
  const float* router_bias = nullptr;
  kernels::LinearWeights experts_gate, experts_up, experts_down, shared_gate, shared_up, shared_down;
};

// How one linear is stored and what it reads: bits 8 (int8) or 4 (affine u4).
struct LinearChoice {
  int bits = 8;
  kernels::ActForm act = kernels::ActForm::kA16;

  bool operator==(const LinearChoice&) const = default;
};
// By the names of parts.
using LinearChoices = std::map<std::string, LinearChoice, std::less<>>;

class Pack {
 public:
  // Maps the file and checks structure, shapes, sizes and that every float is finite; does not hash.
  [[nodiscard]] static Result<Pack> open(const std::filesystem::path& path);
  // The same for bytes in memory, which must outlive the Pack and be 64-byte aligned; `label` stands for
  // the file.
  [[nodiscard]] static Result<Pack> parse(ByteView bytes, std::string label);
  // For measuring before anything is written: `eight` with the linears of `four` where 4 bits are chosen (and
  // `four` has them), and with the chosen activations. Both must outlive it; its content hash is zero.
  [[nodiscard]] static Pack mix(const Pack& eight, const Pack& four, const LinearChoices& choices);
  Pack(Pack&&) noexcept;
  Pack& operator=(Pack&&) noexcept;
  ~Pack();

  [[nodiscard]] const std::filesystem::path& path() const;
  [[nodiscard]] const ModelConfig& config() const;
  // As written in the file; verify_content_hash() proves it.
  [[nodiscard]] const Hash256& content_hash() const;
  [[nodiscard]] const std::string& tokenizer_json() const;
  [[nodiscard]] const std::string& chat_template() const;
  // What the pack says of its quality; no part of the content hash.
  [[nodiscard]] const std::optional<Declaration>& declaration() const;
  [[nodiscard]] std::span<const LayerWeights> layers() const;
  // For a tied head both name the same arrays.
  [[nodiscard]] const kernels::LinearWeights& embedding() const;
  [[nodiscard]] const kernels::LinearWeights& head() const;
  [[nodiscard]] const float* final_norm() const;
  [[nodiscard]] std::span<const double> inv_freq() const;
  // The weight form of the first layer's attn_o, and the activation form of all linears.
  [[nodiscard]] kernels::WeightForm weight_form() const;
  [[nodiscard]] kernels::ActForm act_form() const;
  // A linear, or the floats of a vector or matrix, by the name of its part; nullptr if there is none.
  [[nodiscard]] const kernels::LinearWeights* linear(std::string_view name) const;
  [[nodiscard]] const float* floats(std::string_view name) const;
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
