// SPDX-License-Identifier: MIT
// A thousand damaged model files: each is read, or refused with a message that names it.
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "common/base/files.hpp"
#include "common/model/weight_source.hpp"
#include "tests/support/temp_dir.hpp"

namespace adit::model {
namespace {

constexpr int kMutations = 125;
// Of the whole test program, in KiB.
constexpr long kMemoryMax = 1L << 20;

// Most damage goes where the tables are.
Bytes mutated(const Bytes& from, std::mt19937& random) {
  Bytes out = from;
  const std::size_t front = std::min<std::size_t>(out.size(), 6000);
  const auto place = [&] { return random() % (random() % 4 == 0 ? out.size() : front); };
  switch (random() % 5) {
    case 0:
      out.resize(random() % out.size());
      break;
    case 1:
      out[place()] ^= static_cast<std::uint8_t>(1u << random() % 8);
      break;
    case 2:
      for (int i = 0; i < 8; ++i) out[place()] = static_cast<std::uint8_t>(random());
      break;
    case 3: {
      // A number becomes another one of as many digits.
      const std::size_t at = place();
      for (std::size_t i = at; i < std::min(at + 200, out.size()); ++i) {
        if (out[i] >= '0' && out[i] <= '9') out[i] = static_cast<std::uint8_t>('0' + random() % 10);
      }
      break;
    }
    default: {
      const std::size_t at = place(), count = std::min<std::size_t>(1 + random() % 40, out.size() - at);
      out.erase(out.begin() + static_cast<std::ptrdiff_t>(at),
                out.begin() + static_cast<std::ptrdiff_t>(at + count));
    }
  }
  return out;
}

// Opens and reads the first and the last row of every part.
Result<void> read_all(const std::filesystem::path& path) {
  ADIT_TRY(const auto source, open_weights(path));
  for (const Part& part : model_parts(source->config())) {
    if (part.kind == PartKind::kFrequencies) continue;
    std::vector<float> row(static_cast<std::size_t>(part.k));
    ADIT_TRY_VOID(read_rows(*source, part, 0, 1, row.data()));
    ADIT_TRY_VOID(read_rows(*source, part, part.m - 1, 1, row.data()));
  }
  return {};
}

// model: as open_weights takes it, below the vectors; damaged: the file inside it ("" for the model itself).
void expect_survives(const std::string& model, const std::string& damaged) {
  SCOPED_TRACE(model + " " + damaged);
  const std::filesystem::path from = std::filesystem::path(ADIT_TEST_VECTORS) / model;
  const test::TempDir dir;
  const std::filesystem::path to = dir.path() / from.filename();
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
  const std::filesystem::path file = damaged.empty() ? to : to / damaged;
  const Bytes original = read_file(file, 1 << 22).value();
  ASSERT_TRUE(read_all(to));
  std::mt19937 random(static_cast<unsigned>(original.size()));
  int refused = 0;
  for (int i = 0; i < kMutations; ++i) {
    ASSERT_TRUE(write_file_atomic(file, mutated(original, random)));
    const auto done = read_all(to);
    if (done) continue;
    ++refused;
    EXPECT_NE(done.error().message.find(dir.path().string()), std::string::npos) << done.error().message;
    EXPECT_LT(done.error().message.size(), 1000u);
  }
  EXPECT_GT(refused, kMutations / 4);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  EXPECT_LT(usage.ru_maxrss, kMemoryMax);
}

TEST(MutatedModels, gguf_files_are_read_or_refused) {
  expect_survives("formats/qwen2.gguf", "");
  expect_survives("formats/deepseek_v2_legacy.gguf", "");
  expect_survives("formats/deepseek_v32.gguf", "");
}

TEST(MutatedModels, hugging_face_folders_are_read_or_refused) {
  expect_survives("formats/deepseek_v3", "config.json");
  expect_survives("formats/deepseek_v3", "model.safetensors.index.json");
  expect_survives("formats/deepseek_v3", "model-00002-of-00002.safetensors");
  expect_survives("hf/qwen3", "config.json");
  expect_survives("hf/llama", "model.safetensors");
}

}  // namespace
}  // namespace adit::model
