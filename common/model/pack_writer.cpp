// SPDX-License-Identifier: MIT
#include "common/model/pack_writer.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <optional>

#include "common/model/linear_tiles.hpp"
#include "common/model/pack.hpp"
#include "common/model/pack_format.hpp"
#include "common/model/parallel_rows.hpp"
#include "common/model/quant_row.hpp"
#include "common/model/rope_frequencies.hpp"

namespace adit::model {
namespace {

using kernels::WeightForm;

// Rows are quantised and hashed in blocks of this many.
constexpr int kBlockRows = 1024;
constexpr int kChunkRows = 16;
// The tallest blocks.
constexpr int kPruneRows = 32;
// Room in the table for the tensors of a pruned linear, whose sizes are known late.
constexpr std::size_t kPrunedEntryBytes = 512;

WeightForm form_of(const Part& part, const PartStorage& storage, int bits) {
  if (part.layer < 0 || bits == 8) return WeightForm::kI8;
  if (bits == kBitsAsStored) return is_affine_u4(storage.type) ? WeightForm::kU4 : WeightForm::kI8;
  return storage.type != GgufType::kQ8_0 ? WeightForm::kU4 : WeightForm::kI8;
}

std::size_t round_up(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

// One packing run: from an open model to a finished writer.
class Packer {
 public:
  Packer(const WeightSource& source, const PackOptions& options, const PackProgress& progress)
      : source_(source), config_(source.config()), options_(options), progress_(progress) {}

  Result<PackSummary> run(const std::filesystem::path& out) {
    ADIT_TRY_VOID(plan());
    ADIT_TRY(const Bytes header, make_header());
    header_size_ =
        header.size() + kPrunedEntryBytes * pruned_ + (options_.declares ? kDeclarationRoomBytes : 0);
    ADIT_TRY(auto writer, safetensors::Writer::create(out, round_up(header_size_)));
    ContentHash hash(metadata_.at("config"), metadata_.at("tokenizer"), metadata_.at("chat_template"));
    for (std::size_t i = 0; i < parts_.size(); ++i) ADIT_TRY_VOID(write_part(i, writer, hash));
    summary_.content_hash = hash.finish();
    summary_.notes = source_.notes();
    ADIT_TRY(const Bytes final_header, make_header());
    ADIT_TRY_VOID(writer.write_header(final_header));
    report(0.95, "check");
    ADIT_TRY(const Pack pack, Pack::open(writer.temporary()));
    ADIT_TRY_VOID(pack.verify_content_hash());
    ADIT_TRY_VOID(writer.commit());
    report(1.0, "done");
    summary_.file_bytes = final_header.size() + writer.data_written();
    summary_.weight_error = source_sq_ > 0 ? std::sqrt(error_sq_ / source_sq_) : 0;
    return summary_;
  }

 private:
  Result<void> plan() {
    parts_ = model_parts(config_);
    ADIT_TRY(const TokenizerParts tokenizer, source_.tokenizer());
    if (tokenizer.tokens.size() != static_cast<std::size_t>(config_.vocab)) {
      return invalid_argument("{}: tokenizer: {} tokens, but the embedding has {} rows", source_.label(),
                              tokenizer.tokens.size(), config_.vocab);
    }
    auto blob = make_tokenizer_blob(tokenizer);
    if (!blob) return tl::unexpected<Error>(blob.error().context(source_.label()));
    metadata_["format"] = kPackFormat;
    metadata_["config"] = config_json(config_);
    metadata_["tokenizer"] = *std::move(blob);
    ADIT_TRY(metadata_["chat_template"], source_.chat_template());
    tensors_.resize(parts_.size());
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const Part& part = parts_[i];
      WeightForm form = WeightForm::kI8;
      if (part.kind != PartKind::kFrequencies) {
        ADIT_TRY(const PartStorage storage, source_.storage(part));
        bytes_all_ += storage.bytes;
        if (is_pruned(part)) {
          ++pruned_;
        } else {
          form = form_of(part, storage, options_.bits);
        }
      }
      // Rounding what the head reads costs as much as a third of what all layers' activations do.
      kernels::ActForm act = part.layer < 0 ? kernels::ActForm::kA16 : options_.act;
      const auto choice = options_.choices.find(part.name);
      if (choice != options_.choices.end()) {
        if (!is_pruned(part)) form = choice->second.bits == 4 ? WeightForm::kU4 : WeightForm::kI8;
        act = choice->second.act;
      }
      if (part.kind == PartKind::kLinear) notes_[part.name] = LinearNote{form, act, options_.group, {}, 0, 0};
      tensors_[i] = part_tensors(part, form, options_.group);
    }
    return {};
  }

  // Of the same size whatever the numbers in it are, and at least of header_size_.
  Result<Bytes> make_header() {
    metadata_["linears"] = notes_json(notes_);
    metadata_["content_hash"] = to_hex(summary_.content_hash);
    std::vector<safetensors::Tensor> all;
    for (const auto& tensors : tensors_) all.insert(all.end(), tensors.begin(), tensors.end());
    auto header = safetensors::header_bytes(safetensors::place(std::move(all)), metadata_, header_size_);
    if (!header) return tl::unexpected<Error>(header.error().context(source_.label()));
    return header;
  }

  [[nodiscard]] bool is_pruned(const Part& part) const {
    return options_.prune != nullptr && part.kind == PartKind::kLinear && options_.prune->prunes(part);
  }

  Result<void> write_part(std::size_t index, safetensors::Writer& writer, ContentHash& hash) {
    const Part& part = parts_[index];
    if (part.kind == PartKind::kFrequencies) {
      const std::vector<double> values = inverse_frequencies(config_);
      hash.frequencies(part, values.data());
      return append(writer, {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * 8});
    }
    ADIT_TRY(const PartStorage storage, source_.storage(part));
    report(0.95 * static_cast<double>(bytes_done_) / static_cast<double>(bytes_all_), part.name);
    bytes_done_ += storage.bytes;
    if (part.kind == PartKind::kLinear) return write_linear(index, storage, writer, hash);
    std::vector<float> values(static_cast<std::size_t>(part.m) * static_cast<std::size_t>(part.k));
    ADIT_TRY_VOID(read_rows(source_, part, 0, part.m, values.data()));
    hash.floats(part, values.data());
    return append(writer, {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * 4});
  }

  Result<void> write_linear(std::size_t index, const PartStorage& storage, safetensors::Writer& writer,
                            ContentHash& hash) {
    const Part& part = parts_[index];
    LinearNote& note = notes_.at(part.name);
    LinearTiles tiles(note.form, note.act, part.m, part.k, part.has_bias, note.group);
    std::vector<float> bias(part.has_bias ? static_cast<std::size_t>(part.m) : 0);
    if (part.has_bias) ADIT_TRY_VOID(source_.bias(part, bias.data()));
    hash.begin_linear(part, note.form, note.act, note.group);
    std::vector<RowCodes> rows(kBlockRows);
    for (int begin = 0; begin < part.m; begin += kBlockRows) {
      const int count = std::min(kBlockRows, part.m - begin);
      ADIT_TRY_VOID(quantize_block(part, storage, note.form, begin, count, rows));
      for (int i = 0; i < count; ++i) {
        RowCodes& row = rows[static_cast<std::size_t>(i)];
        if (part.has_bias) row.bias = bias[static_cast<std::size_t>(begin + i)];
        tiles.store_row(begin + i, row);
        hash.linear_row(row);
        note.abs_row_max = std::max(note.abs_row_max, row.abs_sum);
        note.sq_row_max = std::max(note.sq_row_max, row.sq_sum);
        error_sq_ += row.error_sq;
        source_sq_ += row.source_sq;
      }
    }
    ++(note.act == kernels::ActForm::kA16 ? summary_.linears_a16 : summary_.linears_a8);
    ++(note.form == WeightForm::kU4 ? summary_.linears_u4 : summary_.linears_i8);
    if (is_pruned(part)) {
      ADIT_TRY_VOID(write_sparse_codes(index, tiles.view(), writer));
    } else {
      ADIT_TRY_VOID(append(writer, tiles.q_bytes()));
    }
    ADIT_TRY_VOID(append(writer, tiles.s_bytes()));
    if (note.form == WeightForm::kU4) ADIT_TRY_VOID(append(writer, tiles.o_bytes()));
    ADIT_TRY_VOID(append(writer, tiles.rs_bytes()));
    if (!part.has_bias) return {};
    return append(writer, tiles.bias_bytes());
  }

  Result<void> write_sparse_codes(std::size_t index, const kernels::LinearWeights& dense,
                                  safetensors::Writer& writer) {
    const Part& part = parts_[index];
    LinearNote& note = notes_.at(part.name);
    note.storage = best_storage(dense, options_.prune->storages());
    PrunedLinear out{part.name, note.storage, 0, 0, 0};
    const std::size_t cells = static_cast<std::size_t>(dense.m_pad) * static_cast<std::size_t>(dense.k_pad);
    const auto zeros = static_cast<std::size_t>(std::count(dense.q, dense.q + cells, 128));
    const std::size_t weights = static_cast<std::size_t>(part.m) * static_cast<std::size_t>(part.k);
    out.sparsity = 1 - static_cast<double>(cells - zeros) / static_cast<double>(weights);
    out.bytes = out.dense_bytes = cells;
    if (note.storage.storage == kernels::Storage::kDense) {
      summary_.pruned.push_back(out);
      return append(writer, {dense.q, cells});
    }
    auto codes = SparseTiles::encode(dense, note.storage);
    if (!codes) return tl::unexpected<Error>(codes.error().context(source_.label() + ": " + part.name));
    tensors_[index] = linear_tensors(part, note, codes->values().size() - kStoredTail);
    ADIT_TRY_VOID(append(writer, codes->values()));
    ADIT_TRY_VOID(append(writer, codes->mask()));
    ADIT_TRY_VOID(append(writer, codes->block_rows()));
    ADIT_TRY_VOID(append(writer, codes->offsets()));
    out.bytes = codes->bytes();
    summary_.pruned.push_back(out);
    return {};
  }

  // f32 rows, some weights of which the pruning step sets to 0.
  Result<void> prune_block(const Part& part, int begin, int count, std::vector<float>& rows) const {
    rows.resize(static_cast<std::size_t>(count) * static_cast<std::size_t>(part.k));
    std::mutex mutex;
    std::optional<Error> first;
    parallel_rows(options_.threads, count, kPruneRows, [&](int from, int to) {
      float* out = rows.data() + static_cast<std::size_t>(from) * static_cast<std::size_t>(part.k);
      auto result = read_rows(source_, part, begin + from, to - from, out);
      if (result) result = options_.prune->apply(part, begin + from, to - from, out);
      if (result) return;
      const std::lock_guard lock(mutex);
      if (!first) first = result.error();
    });
    if (first) return tl::unexpected<Error>(*first);
    return {};
  }

  Result<void> quantize_block(const Part& part, const PartStorage& storage, WeightForm form, int begin,
                              int count, std::vector<RowCodes>& rows) {
    std::mutex mutex;
    std::optional<Error> first;
    std::vector<float> pruned;
    if (is_pruned(part)) ADIT_TRY_VOID(prune_block(part, begin, count, pruned));
    parallel_rows(options_.threads, count, kChunkRows, [&](int from, int to) {
      Bytes scratch;
      for (int i = from; i < to; ++i) {
        const auto row = static_cast<std::size_t>(i), k = static_cast<std::size_t>(part.k);
        const ByteView floats{reinterpret_cast<const std::uint8_t*>(pruned.data() + row * k), k * 4};
        const auto result = pruned.empty()
                                ? quantize_one(part, storage, form, begin + i, scratch, rows[row])
                                : quantize_row(GgufType::kF32, floats, part.k, form, rows[row], options_.group);
        if (result) continue;
        const std::lock_guard lock(mutex);
        if (!first) first = result.error();
      }
    });
    if (first) return tl::unexpected<Error>(*first);
    return {};
  }

  Result<void> quantize_one(const Part& part, const PartStorage& storage, WeightForm form, int row,
                            Bytes& scratch, RowCodes& out) const {
    ADIT_TRY(const ByteView bytes, source_.row(part, row, scratch));
    const auto done = quantize_row(storage.type, bytes, part.k, form, out, options_.group);
    if (done) return {};
    return tl::unexpected<Error>(
        done.error().context(fmt::format("{}: {}", source_.label(), source_.place(part, row))));
  }

  Result<void> append(safetensors::Writer& writer, ByteView bytes) {
    ADIT_TRY_VOID(writer.append(bytes));
    return writer.align();
  }

  void report(double done, std::string_view what) {
    if (progress_) progress_(done, what);
  }

  const WeightSource& source_;
  const ModelConfig& config_;
  const PackOptions& options_;
  const PackProgress& progress_;
  std::vector<Part> parts_;
  // Of each part.
  std::vector<std::vector<safetensors::Tensor>> tensors_;
  std::size_t header_size_ = 0;
  std::size_t pruned_ = 0;
  safetensors::Metadata metadata_;
  LinearNotes notes_;
  PackSummary summary_;
  std::uint64_t bytes_all_ = 0;
  std::uint64_t bytes_done_ = 0;
  double error_sq_ = 0;
  double source_sq_ = 0;
};

}  // namespace

Result<PackSummary> pack_model(const WeightSource& source, const std::filesystem::path& out,
                               const PackOptions& options, const PackProgress& progress) {
  if (options.bits != 4 && options.bits != 8 && options.bits != kBitsAsStored)
    return invalid_argument("{} bits, expected 4 or 8", options.bits);
  if (options.bits == kBitsAsStored && options.group != kernels::ScaleGroup::k32) {
    return invalid_argument("groups of {}: weights as stored keep groups of 32; ask for 4 or 8 bits",
                            group_name(options.group));
  }
  return Packer(source, options, progress).run(out);
}

Result<PackSummary> pack_model(const std::filesystem::path& path, const std::filesystem::path& out,
                               const PackOptions& options, const PackProgress& progress) {
  ADIT_TRY(const auto source, open_weights(path));
  return pack_model(*source, out, options, progress);
}

}  // namespace adit::model
