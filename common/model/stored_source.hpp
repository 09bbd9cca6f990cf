// SPDX-License-Identifier: MIT
// common/model/stored_source.hpp
//
// A WeightSource over stored tensors; only gguf_source.cpp and hf_source.cpp include this.
//
// In       fill(): the tensors, the names of each part, and what may lie beside them.
// Errors   as weight_source.hpp.
// Threads  const after fill; any thread.
// Tests    tests/unit/common/model/source_formats_test.cpp
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/model/part_rows.hpp"
#include "common/model/stored_tensors.hpp"
#include "common/model/weight_source.hpp"

namespace adit::model {

class StoredSource : public WeightSource {
 public:
  const std::string& label() const override { return label_; }
  const ModelConfig& config() const override { return config_; }
  const std::vector<std::string>& notes() const override { return notes_; }
  Result<PartStorage> storage(const Part& part) const override;
  Result<ByteView> row(const Part& part, int row, Bytes& scratch) const override;
  Result<void> bias(const Part& part, float* out) const override;
  std::string place(const Part& part, int row) const override;

 protected:
  using NamesOf = std::function<PartNames(const Part&)>;
  // Whether a tensor may be left unread.
  using Spare = std::function<bool(const std::string& name)>;

  StoredSource(std::string label, ModelConfig config)
      : label_(std::move(label)), config_(std::move(config)) {}
  // Finds every part, refuses every tensor that belongs to none.
  [[nodiscard]] Result<void> fill(const NamesOf& names_of, const Spare& is_spare);
  // add_bos as the tokenizer has it, where there is one.
  void follow_tokenizer();

  std::string label_;
  ModelConfig config_;
  std::vector<std::string> notes_;
  StoredTensors stored_;

 private:
  // The keys' half of kv_b of one head, [kv_rank][nope_dim].
  struct KeyHead {
    const StoredTensor* tensor = nullptr;
    std::uint64_t first_row = 0;
    std::vector<float> values;
  };
  [[nodiscard]] Result<const PartRows*> rows_of(const Part& part) const;
  [[nodiscard]] Result<std::shared_ptr<const KeyHead>> key_head(const StoredRow& at) const;

  std::unordered_map<std::string, PartRows> parts_;
  mutable std::mutex mutex_;
  // The last few that were asked for.
  mutable std::array<std::shared_ptr<const KeyHead>, 4> key_heads_;
  mutable std::size_t key_head_next_ = 0;
};

// The layer number in names like "<prefix>12.<rest>"; -1 if it is no such name.
[[nodiscard]] int layer_in_name(std::string_view name, std::string_view prefix);

}  // namespace adit::model
