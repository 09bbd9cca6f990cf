// SPDX-License-Identifier: MIT
// common/model/weight_source.hpp
//
// A model as somebody published it: configuration, tokenizer, and weights as rows of our parts, whatever
// the files look like.
//
// Out      rows in our order (heads that RoPE turns in half-split order, experts one after another, W_UK
//          transposed), one part at a time.
// Errors   those of the files: each names the file, the key or the tensor, and what was expected.
// Threads  const after opening; any thread may read.
// Tests    tests/unit/common/model/source_formats_test.cpp
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/model/gguf.hpp"
#include "common/model/model_config.hpp"
#include "common/model/model_parts.hpp"
#include "common/model/tokenizer.hpp"

namespace adit::model {

// How a part's rows are stored: what the packer chooses a form by, and reads blocks of.
struct PartStorage {
  // kF32 also where rows are converted to it on the way (F8 with scales, transposed matrices).
  GgufType type = GgufType::kF32;
  // Of the whole part, in the file.
  std::uint64_t bytes = 0;
};

class WeightSource {
 public:
  virtual ~WeightSource() = default;
  // The file or folder, for messages.
  [[nodiscard]] virtual const std::string& label() const = 0;
  [[nodiscard]] virtual const ModelConfig& config() const = 0;
  // Things read past that a user should know of ("layers.61: multi-token prediction, ignored").
  [[nodiscard]] virtual const std::vector<std::string>& notes() const = 0;
  [[nodiscard]] virtual Result<TokenizerParts> tokenizer() const = 0;
  // Empty if there is none.
  [[nodiscard]] virtual Result<std::string> chat_template() const = 0;

  // Where a part comes from; refuses a missing part, another shape, a storage that is not read.
  [[nodiscard]] virtual Result<PartStorage> storage(const Part& part) const = 0;
  // One row in the blocks of storage(part).type, in the file itself or in `scratch`.
  [[nodiscard]] virtual Result<ByteView> row(const Part& part, int row, Bytes& scratch) const = 0;
  // The biases of a linear that has them: out [part.m].
  [[nodiscard]] virtual Result<void> bias(const Part& part, float* out) const = 0;
  // A place in the file for messages: "offset 1234: tensor blk.0.attn_q.weight: row 7".
  [[nodiscard]] virtual std::string place(const Part& part, int row) const = 0;
};

// A GGUF file (of a split model the first one), or a folder as Hugging Face lays it out. Configuration
// and every part's storage have been checked, and nothing is in it that has no place in a model of this
// configuration.
[[nodiscard]] Result<std::unique_ptr<WeightSource>> open_weights(const std::filesystem::path& path);
// The file must outlive the source.
[[nodiscard]] Result<std::unique_ptr<WeightSource>> gguf_source(const Gguf& gguf);

// f32 rows [begin, begin + count) of a part: out [count][part.k].
[[nodiscard]] Result<void> read_rows(const WeightSource& source, const Part& part, int begin, int count,
                                     float* out);

}  // namespace adit::model
