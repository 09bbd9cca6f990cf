// SPDX-License-Identifier: MIT
// common/model/pack_state.hpp
//
// The inside of Pack: the mapped file and what was found in it.
//
// Threads  as pack.hpp.
// Tests    tests/unit/common/model/pack_test.cpp
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/files.hpp"
#include "common/model/pack.hpp"
#include "common/model/pack_format.hpp"
#include "common/model/safetensors.hpp"

namespace adit::model {

struct Pack::State {
  std::filesystem::path path;
  std::string label;
  std::unique_ptr<MappedFile> file;
  ByteView bytes;
  safetensors::File container;
  LinearNotes notes;
  ModelConfig config;
  std::string config_text;
  Hash256 content_hash{};
  std::string tokenizer;
  std::string chat_template;
  std::optional<Declaration> declaration;
  std::map<std::string, kernels::LinearWeights, std::less<>> linears;
  std::map<std::string, const float*, std::less<>> floats;
  std::vector<LayerWeights> layers;
  kernels::LinearWeights embedding, head;
  const float* final_norm = nullptr;
  std::span<const double> inv_freq;

  template <class... Args>
  tl::unexpected<Error> bad(const safetensors::Tensor& tensor, std::uint64_t at,
                            fmt::format_string<Args...> format, Args&&... args) const {
    return invalid_argument("{}: offset {}: tensor {}: {}", label,
                            container.data_offset + tensor.offset + at, tensor.name,
                            fmt::format(format, std::forward<Args>(args)...));
  }
  Result<void> load();
  Result<void> load_metadata();
  Result<void> load_parts();
  Result<const safetensors::Tensor*> find(const safetensors::Tensor& expected) const;
  template <class T>
  const T* data(const safetensors::Tensor& tensor) const {
    return reinterpret_cast<const T*>(bytes.data() + container.data_offset + tensor.offset);
  }
  template <class T>
  Result<const T*> finite(const safetensors::Tensor& tensor) const;
  Result<void> load_linear(const Part& part);
  // The codes of a linear, in any storage.
  Result<void> load_codes(const Part& part, const LinearNote& note, kernels::LinearWeights& weights) const;
  Result<void> check_pairs(const kernels::LinearWeights& weights, const safetensors::Tensor& mask) const;
  Result<void> check_stored(const kernels::LinearWeights& weights, const Part& part, int block_rows) const;
  Result<void> check_tail(const safetensors::Tensor& values) const;
  Result<void> check_scales(const kernels::LinearWeights& weights, const safetensors::Tensor& tensor) const;
  Result<void> load_part(const Part& part, std::vector<std::string>& used);
  Result<void> check_acts() const;
  void link();
};

}  // namespace adit::model
