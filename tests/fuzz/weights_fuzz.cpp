// SPDX-License-Identifier: MIT
#include <cstdint>
#include <vector>

#include "common/model/weight_source.hpp"

// A GGUF file of any architecture: an error, or a source whose every part gives its first and last row.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using adit::model::Gguf, adit::model::Part, adit::model::PartKind, adit::model::gguf_source,
      adit::model::model_parts, adit::model::read_rows;
  const auto file = Gguf::parse({data, size}, "fuzz");
  if (!file) return 0;
  const auto source = gguf_source(*file);
  if (!source) return 0;
  for (const Part& part : model_parts((*source)->config())) {
    if (part.kind == PartKind::kFrequencies) continue;
    std::vector<float> row(static_cast<std::size_t>(part.k));
    (void)read_rows(**source, part, 0, 1, row.data());
    (void)read_rows(**source, part, part.m - 1, 1, row.data());
  }
  (void)(*source)->tokenizer();
  return 0;
}
