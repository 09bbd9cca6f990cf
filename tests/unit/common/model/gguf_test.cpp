// SPDX-License-Identifier: MIT
#include "common/model/gguf.hpp"

#include <gtest/gtest.h>

#include "tests/support/gguf_writer.hpp"

namespace adit::model {
namespace {

using test::GgufWriter;

std::string vector_path(const char* name) {
  return std::string(ADIT_TEST_VECTORS) + "/gguf/" + name;
}

// A small valid file that each bad case changes in one place.
GgufWriter good() {
  GgufWriter writer;
  writer.string("general.architecture", "llama");
  writer.u32("llama.block_count", 2);
  writer.tensor("a", {32, 2}, 8, Bytes(68, 1));
  writer.tensor("b", {4}, 0, Bytes(16, 0));
  return writer;
}

std::string error_of(const Bytes& bytes) {
  const auto parsed = Gguf::parse(bytes, "f.gguf");
  return parsed ? "accepted" : parsed.error().message;
}

#define EXPECT_REFUSED(bytes, part)                              \
  do {                                                           \
    const std::string message = error_of(bytes);                 \
    EXPECT_NE(message.find(part), std::string::npos) << message; \
    EXPECT_EQ(message.find("f.gguf: offset "), 0u) << message;   \
  } while (false)

TEST(Gguf, reads_every_kind_of_value_written_by_another_implementation) {
  const auto file = Gguf::open(vector_path("kinds.gguf"));
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->version(), 3u);
  EXPECT_EQ(file->string_at("general.architecture").value(), "llama");
  EXPECT_EQ(file->unsigned_at("k.u8").value(), 200u);
  EXPECT_EQ(file->number_at("k.i8").value(), -100.0);
  EXPECT_EQ(file->unsigned_at("k.u16").value(), 60000u);
  EXPECT_EQ(file->number_at("k.i16").value(), -30000.0);
  EXPECT_EQ(file->unsigned_at("k.u32").value(), 4000000000u);
  EXPECT_EQ(file->number_at("k.i32").value(), -2e9);
  EXPECT_EQ(file->unsigned_at("k.u64").value(), std::uint64_t{1} << 40);
  EXPECT_EQ(file->number_at("k.i64").value(), -1099511627776.0);
  EXPECT_EQ(file->number_at("k.f32").value(), 1.5);
  EXPECT_EQ(file->number_at("k.f64").value(), 1e-300);
  EXPECT_TRUE(file->bool_at("k.bool").value());
  EXPECT_EQ(file->string_at("k.string").value(), "naïve λ");
  EXPECT_EQ(file->strings_at("k.strings").value(), (std::vector<std::string>{"", "a", "Ġthe"}));
  EXPECT_EQ(file->integers_at("k.ints").value(), (std::vector<std::int64_t>{1, -2, 3}));
  EXPECT_TRUE(file->has("k.nested"));
  EXPECT_EQ(file->unsigned_at("k.i8").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(file->unsigned_at("k.string").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(file->string_at("k.none").error().code, ErrorCode::kNotFound);
}

// Every value of every tensor equals gguf's own dequantiser's, bit for bit.
void expect_values(const char* container, const char* values) {
  const auto file = Gguf::open(vector_path(container));
  ASSERT_TRUE(file) << file.error().message;
  const Bytes expected = read_file(vector_path(values), 1 << 20).value();
  std::size_t at = 0;
  for (const GgufTensor& tensor : file->tensors()) {
    std::vector<float> out(tensor.row_values() * tensor.rows);
    const auto ok = file->dequantize(tensor, 0, tensor.rows, out.data());
    ASSERT_TRUE(ok) << ok.error().message;
    ASSERT_LE(at + out.size() * 4, expected.size());
    EXPECT_EQ(std::memcmp(out.data(), expected.data() + at, out.size() * 4), 0) << tensor.name;
    at += out.size() * 4;
  }
  EXPECT_EQ(at, expected.size());
}

TEST(Gguf, dequantises_types_as_another_implementation_does) { expect_values("kinds.gguf", "kinds.f32"); }

TEST(Gguf, dequantises_random_and_extreme_blocks_of_every_type) {
  expect_values("blocks.gguf", "blocks.f32");
  EXPECT_EQ(Gguf::open(vector_path("blocks.gguf"))->tensors().size(), 13u);
}

TEST(Gguf, the_header_and_its_counts_are_checked) {
  ASSERT_EQ(error_of(good().finish()), "accepted");
  GgufWriter writer = good();
  writer.magic = 1;
  EXPECT_REFUSED(writer.finish(), "expected \"GGUF\"");
  writer = good();
  writer.version = 1;
  EXPECT_REFUSED(writer.finish(), "version is 1");
  writer.version = 0x03000000;
  EXPECT_REFUSED(writer.finish(), "little-endian");
  writer = good();
  writer.extra_tensors = std::uint64_t{1} << 40;
  EXPECT_REFUSED(writer.finish(), "tensor count");
  writer = good();
  writer.extra_keys = std::uint64_t{1} << 40;
  EXPECT_REFUSED(writer.finish(), "key count");
}

TEST(Gguf, every_truncation_is_refused) {
  const Bytes whole = good().finish();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_REFUSED(part, "");
  }
}

TEST(Gguf, bad_metadata_is_refused_by_key) {
  GgufWriter writer = good();
  writer.u32("general.architecture", 1);
  EXPECT_REFUSED(writer.finish(), "key general.architecture: appears twice");
  writer = good();
  writer.head("k", 13);
  EXPECT_REFUSED(writer.finish(), "value kind 13");
  writer = good();
  writer.boolean("k", 2);
  EXPECT_REFUSED(writer.finish(), "a bool that is 2");
  writer = good();
  writer.array("k", 4, std::uint64_t{1} << 62);
  EXPECT_REFUSED(writer.finish(), "items");
  writer = good();
  writer.head("k", 8);
  writer.raw(Bytes{255, 255, 255, 255, 255, 255, 255, 255});
  EXPECT_REFUSED(writer.finish(), "a string of 18446744073709551615 bytes");
  writer = good();
  writer.array("k", 9, 1);
  for (int i = 0; i < 6; ++i) writer.raw(Bytes{9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0});
  EXPECT_REFUSED(writer.finish(), "nested deeper");
  writer = good();
  writer.u32("", 1);
  EXPECT_REFUSED(writer.finish(), "empty metadata key");
  writer = good();
  writer.u32("general.alignment", 24);
  EXPECT_REFUSED(writer.finish(), "general.alignment");
}

TEST(Gguf, a_lying_tensor_table_is_refused_by_tensor) {
  const auto refused = [](const std::vector<std::uint64_t>& dims, std::uint32_t type, std::int64_t offset,
                          const char* part) {
    GgufWriter writer = good();
    writer.tensor("bad\n", dims, type, Bytes(64, 0), offset);
    EXPECT_REFUSED(writer.finish(), part);
    EXPECT_EQ(error_of(writer.finish()).find('\n'), std::string::npos);
  };
  refused({16, 0}, 0, -1, "tensor bad?: dimension 1 is 0");
  refused({std::uint64_t{1} << 32, std::uint64_t{1} << 32}, 0, -1, "dimension 1 is 4294967296");
  refused({1, 1, 1, 1, 1}, 0, -1, "5 dimensions");
  refused({}, 0, -1, "0 dimensions");
  refused({16}, 99, -1, "type 99 is not a known type");
  refused({33}, 8, -1, "multiple of 32 for Q8_0");
  refused({16}, 0, 5, "expected a multiple of 32");
  refused({16}, 0, 1 << 20, "bytes at data offset 1048576");
  refused({1 << 20}, 0, -1, "but the file has");
  refused({8}, 0, 0, "overlaps tensor");
  GgufWriter writer = good();
  writer.tensor("a", {4}, 0, Bytes(16, 0));
  EXPECT_REFUSED(writer.finish(), "tensor a: appears twice");
}

TEST(Gguf, types_that_are_not_read_are_refused_by_name) {
  GgufWriter writer;
  writer.tensor("t", {256}, 10, Bytes(84, 0));
  const Bytes bytes = writer.finish();
  const auto file = Gguf::parse(bytes, "f.gguf");
  ASSERT_TRUE(file) << file.error().message;
  float out[256];
  const auto result = file->dequantize(file->tensors()[0], 0, 1, out);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kUnimplemented);
  EXPECT_NE(result.error().message.find("tensor t: type Q2_K"), std::string::npos);
}

TEST(Gguf, values_that_are_not_finite_are_refused) {
  GgufWriter writer;
  Bytes block(34, 1);
  block[0] = 0x00;
  block[1] = 0x7c;
  writer.tensor("t", {32}, 8, block);
  const Bytes bytes = writer.finish();
  const auto file = Gguf::parse(bytes, "f.gguf");
  ASSERT_TRUE(file) << file.error().message;
  float out[32];
  EXPECT_NE(file->dequantize(file->tensors()[0], 0, 1, out).error().message.find("not a finite"),
            std::string::npos);
  EXPECT_EQ(file->dequantize(file->tensors()[0], 1, 1, out).error().code, ErrorCode::kOutOfRange);
}

}  // namespace
}  // namespace adit::model
