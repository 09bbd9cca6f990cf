// SPDX-License-Identifier: MIT
// common/model/gguf_source.hpp
//
// Weights from GGUF files: one, or the parts that llama.cpp's gguf-split makes of a large one.
//
// In       of a split model the first file, NAME-00001-of-0000N.gguf; the others lie beside it.
// Out      gguf_source's files must outlive it.
// Errors   as weight_source.hpp; kNotFound for a missing file of a split model.
// Threads  as weight_source.hpp.
// Source   github.com/ggml-org/llama.cpp tools/gguf-split; src/llama-arch.cpp (names of tensors)
// Tests    tests/unit/common/model/source_formats_test.cpp
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "common/model/weight_source.hpp"

namespace adit::model {

[[nodiscard]] Result<std::unique_ptr<WeightSource>> open_gguf_source(const std::filesystem::path& path);
// All files of a split model, in order.
[[nodiscard]] Result<std::vector<std::unique_ptr<Gguf>>> open_gguf_files(const std::filesystem::path& path);

}  // namespace adit::model
