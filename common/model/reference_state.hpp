// SPDX-License-Identifier: MIT
// common/model/reference_state.hpp
//
// The inside of the f32 reference: its matrices of rows, and the stages that its sources share.
//
// Threads  as reference.hpp.
// Tests    tests/unit/common/model/reference_test.cpp
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/model/reference.hpp"
#include "common/model/reference_gemm.hpp"
#include "common/model/reference_weights.hpp"

namespace adit::model {
namespace plain {

// Tokens that one thread takes at once.
inline constexpr int kChunkTokens = 48;

inline std::size_t z(int value) {
  return static_cast<std::size_t>(value);
}

// A matrix of token rows.
struct Rows {
  Rows(int n_, int width_) : n(n_), width(width_), data(z(n_) * z(width_)) {}
  float* row(int i) { return data.data() + z(i) * z(width); }
  const float* row(int i) const { return data.data() + z(i) * z(width); }
  int n;
  int width;
  std::vector<float> data;
};

struct Sequence {
  int begin = 0;
  int length = 0;
};

void rms_norm(const float* x, const float* weight, int n, float eps, float* out);
// Half-split rotation of each head of one row; cos and sin are multiplied by `factor`.
void rotate(float* row, int heads, int position, const std::vector<double>& inv_freq, double factor);
// Scores of one query row to probabilities over its first `count` keys; the rest becomes 0.
void softmax(float* scores, int count, int width, float scale);
// What a linear layer sees of its input in a pack.
void round_activations(kernels::ActForm form, const float* x, int n, int width, float* out);

}  // namespace plain

struct Reference::State {
  using Rows = plain::Rows;
  using Sequence = plain::Sequence;

  std::unique_ptr<ReferenceWeights> weights;
  std::vector<Part> parts;
  int threads = 0;
  std::vector<double> inv_freq;
  Observer observer;
  ExpertObserver expert_observer;
  mutable std::mutex head_mutex;
  mutable Panels head;

  [[nodiscard]] const Part& part(const std::string& name) const;
  // Rows [first, first + count) of a part.
  Result<std::vector<float>> load_matrix(const std::string& name, int first, int count) const;
  Result<void> load(const std::string& name, int first, int count, Panels& out) const;
  Result<std::vector<float>> load_vector(const std::string& name) const;
  Result<void> linear(const std::string& name, const Rows& x, Rows& y) const;
  void multiply(const std::string& name, const Panels& w, const float* x, int n, float* y) const;
  Result<void> norm_heads(const std::string& name, Rows& x) const;
  Result<Rows> embed(std::span<const std::vector<TokenId>> sequences) const;
  Result<void> attention(int layer, const std::vector<Sequence>& sequences, Rows& x) const;
  void attend(const Sequence& sequence, int head_index, const Rows& q, const Rows& k, const Rows& v,
              Rows& out) const;
  Result<void> feed_forward(int layer, Rows& x) const;
  // A SwiGLU of names (gate, up, down): the first-th of several whose rows stand one after another.
  Result<void> gated(const std::array<std::string, 3>& names, int first, int ffn, const Rows& x, Rows& y) const;
  Result<Rows> norm(const std::string& name, const Rows& x) const;

  // reference_mla.cpp
  struct Selection;
  Result<void> latent_attention(int layer, const std::vector<Sequence>& sequences, Rows& x) const;
  Result<Rows> latent_queries(const std::string& at, const Rows& normed, Rows& q_a) const;
  Result<Selection> select(const std::string& at, const std::vector<Sequence>& sequences, const Rows& normed,
                           const Rows& q_a) const;
  Result<void> attend_latent(const std::string& at, int head_index, const std::vector<Sequence>& sequences,
                             const Rows& q, const Rows& kv, const Selection& selection, Rows& out) const;
  // reference_moe.cpp
  Result<void> experts(const std::string& at, const Rows& x, Rows& y) const;
};

}  // namespace adit::model
