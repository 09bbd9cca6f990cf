// SPDX-License-Identifier: MIT
#include "common/model/adapter.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "common/crypto/hash.hpp"
#include "common/model/quant_row.hpp"

namespace adit::model {

using kernels::ActForm;
using kernels::LinearWeights;
using kernels::WeightForm;

// kernels/NUMERICS.md, "Low-rank adapters": what a pair's own rank reaches, and nothing of the padding.
class AdapterHash {
 public:
  explicit AdapterHash(std::size_t pairs) : hash_("adit1.lora") {
    Bytes head;
    append_le(head, std::uint32_t{1});
    append_le(head, static_cast<std::uint32_t>(pairs));
    hash_.update(head);
  }
  void begin(const LoraPair& pair) {
    Bytes head;
    append_le(head, static_cast<std::uint64_t>(pair.part.name.size()));
    append(head, as_bytes(pair.part.name));
    for (const int number : {pair.rank, pair.part.m, pair.part.k}) {
      append_le(head, static_cast<std::uint64_t>(number));
    }
    hash_.update(head);
  }
  void row(const RowCodes& codes, int columns) {
    const auto count = static_cast<std::size_t>(columns);
    const std::size_t groups = (count + kernels::kGroup - 1) / kernels::kGroup;
    Bytes bytes;
    for (std::size_t i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(codes.q[i]));
    for (std::size_t g = 0; g < groups; ++g) append_le(bytes, codes.s[g]);
    append_le(bytes, std::bit_cast<std::uint32_t>(codes.rs));
    hash_.update(bytes);
  }
  Hash256 finish() { return hash_.finish(); }

 private:
  crypto::PersonalHash hash_;
};

namespace {

// Rows [rows][columns] of f32, of which the first `count` are given, each `width` values long; scale: of row scales.
struct Matrix {
  const std::vector<float>& values;
  int count = 0;
  int width = 0;
  float scale = 1;
};

// Stores the given rows, padded with zeros, and sets what linear() asks of the whole.
Result<LinearWeights> store_rows(const Matrix& from, int columns, LinearTiles& to, AdapterHash& hash) {
  std::vector<float> padded(static_cast<std::size_t>(columns), 0.0f);
  const ByteView bytes(reinterpret_cast<const std::uint8_t*>(padded.data()), padded.size() * sizeof(float));
  RowCodes codes;
  std::uint64_t abs_max = 0, sq_max = 0;
  for (int row = 0; row < from.count; ++row) {
    const auto first = from.values.begin() + std::ptrdiff_t{row} * from.width;
    std::copy(first, first + from.width, padded.begin());
    const auto done = quantize_row(GgufType::kF32, bytes, columns, WeightForm::kI8, codes);
    if (!done) return tl::unexpected<Error>(done.error().context(fmt::format("row {}", row)));
    codes.rs = codes.rs * from.scale;
    if (!std::isfinite(codes.rs)) return invalid_argument("row {}: too large for f32 with its scale", row);
    to.store_row(row, codes);
    hash.row(codes, from.width);
    abs_max = std::max(abs_max, codes.abs_sum);
    sq_max = std::max(sq_max, codes.sq_sum);
  }
  LinearWeights out = to.view();
  out.abs_row_max = abs_max;
  out.sq_row_max = sq_max;
  return out;
}

}  // namespace

Result<void> Adapter::add(const LoraPair& lora, ActForm act, AdapterHash& hash) {
  const Part& part = lora.part;
  auto pair = std::make_unique<Pair>(Pair{LinearTiles(WeightForm::kI8, act, width_, part.k),
                                          LinearTiles(WeightForm::kI8, ActForm::kA16, part.m, width_),
                                          {}});
  hash.begin(lora);
  const auto label = [&](const Error& error, const char* matrix) {
    return tl::unexpected<Error>(error.context(fmt::format("adapter: {}: {}", part.name, matrix)));
  };
  const auto a = store_rows({lora.a, lora.rank, part.k}, part.k, pair->a, hash);
  if (!a) return label(a.error(), "A");
  const auto b = store_rows({lora.b, part.m, lora.rank, lora.scale}, width_, pair->b, hash);
  if (!b) return label(b.error(), "B");
  pair->linears = {*a, *b};
  const std::size_t at =
      static_cast<std::size_t>(part.layer + 1) * kRoles + static_cast<std::size_t>(part.role);
  if (table_.size() <= at) table_.resize(at + 1);
  table_[at] = &pair->linears;
  pairs_.push_back(std::move(pair));
  return {};
}

Result<std::shared_ptr<const Adapter>> Adapter::make(const LoraAdapter& lora, const Pack& pack) {
  std::shared_ptr<Adapter> out(new Adapter());
  out->pack_hash_ = pack.content_hash();
  for (const LoraPair& pair : lora.pairs) out->width_ = std::max(out->width_, pair.rank);
  AdapterHash hash(lora.pairs.size());
  for (const LoraPair& pair : lora.pairs) {
    const LinearWeights* base = pack.linear(pair.part.name);
    if (base == nullptr)
      return invalid_argument("adapter: {}: {} has no such linear", pair.part.name, pack.path().string());
    const auto cells = [](int rows, int columns) {
      return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
    };
    if (pair.rank < 1 || base->m != pair.part.m || base->k != pair.part.k ||
        pair.a.size() != cells(pair.rank, base->k) || pair.b.size() != cells(base->m, pair.rank)) {
      return invalid_argument("adapter: {}: rank {} of {} x {}, the pack has {} x {}", pair.part.name,
                              pair.rank, pair.part.m, pair.part.k, base->m, base->k);
    }
    ADIT_TRY_VOID(out->add(pair, base->act, hash));
  }
  if (out->pairs_.empty()) return invalid_argument("adapter: no pairs");
  out->content_hash_ = hash.finish();
  return out;
}

Result<std::shared_ptr<const Adapter>> Adapter::load(const std::filesystem::path& folder, const Pack& pack) {
  ADIT_TRY(const LoraAdapter lora, load_lora(folder, pack.config()));
  auto made = make(lora, pack);
  if (!made) return tl::unexpected<Error>(made.error().context(folder.string()));
  return made;
}

}  // namespace adit::model
