// SPDX-License-Identifier: MIT
// Sparse tensors of a pack that do not fit together are refused by tensor and offset.
#include <cstring>

#include <gtest/gtest.h>

#include "common/base/files.hpp"
#include "common/model/pack.hpp"
#include "common/model/pack_writer.hpp"
#include "common/model/prune.hpp"
#include "common/model/safetensors.hpp"
#include "tests/support/damaged_pack.hpp"
#include "tests/support/temp_dir.hpp"

namespace adit::model {
namespace {

using kernels::Storage;

// A tiny pack whose linears are in one storage, in aligned memory, to be damaged.
class SparsePack : public test::DamagedPack {
 public:
  SparsePack(const char* pattern, const StorageForm& form) : DamagedPack(packed(pattern, form)) {}
  std::uint8_t* data(const std::string& tensor, std::size_t at = 0) {
    const auto file = safetensors::File::parse(bytes(), "p").value();
    return bytes().data() + file.data_offset + file.tensors.at(tensor).offset + at;
  }
  std::uint64_t size(const std::string& tensor) {
    return safetensors::File::parse(bytes(), "p").value().tensors.at(tensor).bytes;
  }

 private:
  static Bytes packed(const char* pattern, const StorageForm& form) {
    const test::TempDir dir;
    const Pruner pruner(parse_pattern(pattern).value(), 0, 9, nullptr, {form});
    const auto gguf = std::filesystem::path(ADIT_TEST_VECTORS) / "pack" / "tiny.gguf";
    const auto done = pack_model(gguf, dir.path() / "p.adit", {.bits = 8, .prune = &pruner}, {});
    EXPECT_TRUE(done) << done.error().message;
    return read_file(dir.path() / "p.adit", 1 << 20).value();
  }
};

const StorageForm kTwo{Storage::k24, 0, 0}, kMask{Storage::kBitmask, 0, 0}, kTall{Storage::kBlock, 32, 32},
    kFlat{Storage::kBlock, 1, 32};

TEST(PackSparse, whole_ones_are_read) {
  for (const auto& [pattern, form] : {std::pair{"2:4", kTwo}, {"unstructured:0.5", kMask},
                                      {"block:32x32:0.5", kTall}, {"block:1x32:0.5", kFlat}}) {
    SparsePack whole(pattern, form);
    const auto pack = whole.parse();
    ASSERT_TRUE(pack) << pack.error().message;
    EXPECT_EQ(pack->layers()[0].down.storage, form.storage);
    EXPECT_TRUE(pack->verify_content_hash());
  }
}

TEST(PackSparse, masks_that_are_not_two_of_four) {
  SparsePack pack("2:4", kTwo);
  *pack.data("layers.0.ffn_up.mask", 8) ^= 1;
  pack.expect_refused("tensor layers.0.ffn_up.mask: a mask of");
}

TEST(PackSparse, masks_and_offsets_that_disagree) {
  SparsePack mask("unstructured:0.5", kMask);
  // Of the first vector, rows 0 and 1.
  *mask.data("layers.0.attn_q.mask") ^= 1;
  mask.expect_refused("tensor layers.0.attn_q.offsets: tile 0 from 0 to");
  SparsePack first("unstructured:0.5", kMask);
  *first.data("layers.0.attn_q.offsets") = 1;
  first.expect_refused("tensor layers.0.attn_q.offsets: the first tile at 1");
  SparsePack order("unstructured:0.5", kMask);
  std::memset(order.data("layers.0.ffn_up.offsets", 16), 0, 8);
  order.expect_refused("tensor layers.0.ffn_up.offsets: tile 1 from");
  SparsePack huge("unstructured:0.5", kMask);
  std::memset(huge.data("layers.0.ffn_up.offsets", 8), 255, 8);
  huge.expect_refused("tensor layers.0.ffn_up.offsets: tile 0 from 0 to 18446744073709551615");
  SparsePack rows("block:1x32:0.5", kFlat);
  *rows.data("layers.0.ffn_up.rows") ^= 4;
  rows.expect_refused("tensor layers.0.ffn_up.offsets: tile 0 from");
}

TEST(PackSparse, padding_that_is_not_zero) {
  SparsePack tail("unstructured:0.5", kMask);
  *tail.data("layers.0.ffn_down.values", tail.size("layers.0.ffn_down.values") - 7) = 1;
  tail.expect_refused("tensor layers.0.ffn_down.values: padding that is not 0");
  // 40 columns: vectors 10..15 of a tile are padding.
  SparsePack columns("unstructured:0.5", kMask);
  *columns.data("layers.0.attn_q.mask", 8 * 12 + 3) = 8;
  columns.expect_refused("tensor layers.0.attn_q.mask: padding that is not 0");
}

TEST(PackSparse, blocks_that_are_not_whole) {
  SparsePack part("block:32x32:0.5", kTall);
  *part.data("layers.0.ffn_up.rows") ^= 1;
  part.expect_refused("tensor layers.0.ffn_up.rows: a part of a block of 32 rows");
  SparsePack half("block:32x32:0.5", kTall);
  const std::size_t second = half.size("layers.0.ffn_up.offsets") > 16 ? 4 : 0;
  half.data("layers.0.ffn_up.rows", second)[0] ^= 0xff;
  half.data("layers.0.ffn_up.rows", second)[1] ^= 0xff;
  half.expect_refused("");
}

TEST(PackSparse, notes_and_shapes_that_do_not_fit) {
  SparsePack name("2:4", kTwo);
  name.replace("\\\"storage\\\":\\\"2:4\\\"", "\\\"storage\\\":\\\"2:5\\\"");
  name.expect_refused("storage 2:5: expected dense");
  SparsePack other("unstructured:0.5", kMask);
  other.replace("\\\"storage\\\":\\\"bitmask\\\"", "\\\"storage\\\":\\\"2:4\\\"    ");
  other.expect_refused("tensor layers.0");
  SparsePack form("2:4", kTwo);
  form.replace("\\\"act\\\":\\\"a16\\\",\\\"form\\\":\\\"i8\\\",\\\"sq_row_max\\\"",
               "\\\"act\\\":\\\"a16\\\",\\\"form\\\":\\\"u4\\\",\\\"sq_row_max\\\"");
  form.expect_refused("");
}

TEST(PackSparse, a_changed_code_is_found_by_the_hash) {
  for (const auto& [pattern, form] :
       {std::pair{"2:4", kTwo}, {"unstructured:0.5", kMask}, {"block:32x32:0.5", kTall}}) {
    SparsePack changed(pattern, form);
    *changed.data("layers.0.ffn_up.values", 5) ^= 1;
    const auto pack = changed.parse();
    ASSERT_TRUE(pack) << pack.error().message;
    EXPECT_EQ(pack->verify_content_hash().error().code, ErrorCode::kDataLoss);
  }
}

}  // namespace
}  // namespace adit::model
