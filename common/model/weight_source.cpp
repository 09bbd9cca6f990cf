// SPDX-License-Identifier: MIT
#include "common/model/weight_source.hpp"

#include "common/model/gguf_blocks.hpp"
#include "common/model/gguf_source.hpp"
#include "common/model/hf_source.hpp"

namespace adit::model {

Result<std::unique_ptr<WeightSource>> open_weights(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return hf_source(path);
  return open_gguf_source(path);
}

Result<void> read_rows(const WeightSource& source, const Part& part, int begin, int count, float* out) {
  ADIT_TRY(const PartStorage storage, source.storage(part));
  Bytes scratch;
  const auto columns = static_cast<std::uint64_t>(part.k);
  for (int row = begin; row < begin + count; ++row, out += columns) {
    const auto bytes = source.row(part, row, scratch);
    const auto done = bytes ? gguf_decode_row(storage.type, *bytes, columns, out)
                            : Result<void>(tl::unexpected<Error>(bytes.error()));
    if (done) continue;
    return tl::unexpected<Error>(
        done.error().context(fmt::format("{}: {}", source.label(), source.place(part, row))));
  }
  return {};
}

}  // namespace adit::model
