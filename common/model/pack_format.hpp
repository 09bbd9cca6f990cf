// SPDX-License-Identifier: MIT
// common/model/pack_format.hpp
//
// What the writer and the reader of packs share: the tensors of a model's parts, and the content hash.
//
// Exact    the content hash is BLAKE2b-256 with personalisation "adit1.pack"; it does not depend on storage.
// Threads  ContentHash: one thread.
// Source   kernels/NUMERICS.md, "Packs"
// Tests    tests/unit/common/model/pack_test.cpp
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/crypto/hash.hpp"
#include "common/model/model_parts.hpp"
#include "common/model/quant_row.hpp"
#include "common/model/safetensors.hpp"
#include "common/model/sparse_tiles.hpp"
#include "kernels/linear/params.h"

namespace adit::model {

inline constexpr std::string_view kPackFormat = "adit.pack/1";

// "32", "64", "128", "row".
[[nodiscard]] std::string group_name(kernels::ScaleGroup group);
[[nodiscard]] Result<kernels::ScaleGroup> parse_group(std::string_view name);

// The tensors that hold a part, without offsets. `form` and `group` are for linears.
[[nodiscard]] std::vector<safetensors::Tensor> part_tensors(
    const Part& part, kernels::WeightForm form, kernels::ScaleGroup group = kernels::ScaleGroup::k32);

// What the file says of a linear beside its arrays.
struct LinearNote {
  kernels::WeightForm form = kernels::WeightForm::kI8;
  kernels::ActForm act = kernels::ActForm::kA16;
  // Written only where it is not 32.
  kernels::ScaleGroup group = kernels::ScaleGroup::k32;
  // Written only where it is not dense.
  StorageForm storage = {};
  std::uint64_t abs_row_max = 0;
  std::uint64_t sq_row_max = 0;
};
// The same for a linear in any storage; `stored`: bytes of codes of a bitmask or of blocks, without the tail.
[[nodiscard]] std::vector<safetensors::Tensor> linear_tensors(const Part& part, const LinearNote& note,
                                                              std::uint64_t stored);
using LinearNotes = std::map<std::string, LinearNote, std::less<>>;
// Numbers are written at full width, so the text's length does not depend on them.
[[nodiscard]] std::string notes_json(const LinearNotes& notes);
[[nodiscard]] Result<LinearNotes> parse_notes(std::string_view json);

class ContentHash {
 public:
  ContentHash(std::string_view config_json, std::string_view tokenizer, std::string_view chat_template);
  void begin_linear(const Part& part, kernels::WeightForm form, kernels::ActForm act, kernels::ScaleGroup group);
  // Rows of the linear begun last, in ascending order; k codes of each count, and the bias of a part that
  // has biases.
  void linear_row(const RowCodes& row);
  // values: [m * k]
  void floats(const Part& part, const float* values);
  void frequencies(const Part& part, const double* values);
  [[nodiscard]] Hash256 finish() { return hash_.finish(); }

 private:
  void text(std::string_view value);
  void head(const Part& part);
  crypto::PersonalHash hash_;
  std::size_t k_ = 0;
  bool offsets_ = false;
  bool biases_ = false;
};

}  // namespace adit::model
