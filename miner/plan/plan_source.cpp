// SPDX-License-Identifier: MIT
#include "miner/plan/plan_source.hpp"

#include <array>
#include <fstream>
#include <string_view>

#include "common/model/gguf.hpp"
#include "common/model/gguf_model.hpp"
#include "common/model/hf_model.hpp"
#include "common/model/pack.hpp"

namespace adit::miner {
namespace {

// An 8-bit pack's weight takes 8.5 bits, a 4-bit one's 5.
constexpr double kI8Bits = 8.5;
constexpr double kU4Bits = 5;

bool is_gguf(const std::filesystem::path& path) {
  std::array<char, 4> magic{};
  std::ifstream file(path, std::ios::binary);
  file.read(magic.data(), magic.size());
  return std::string_view(magic.data(), magic.size()) == "GGUF";
}

// Of the layers' matrices: embedding and head are often kept in more bits, norms in f32.
double bits_of(const model::Gguf& gguf) {
  double bytes = 0;
  double weights = 0;
  for (const model::GgufTensor& tensor : gguf.tensors()) {
    if (tensor.dims.size() < 2 || !tensor.name.starts_with("blk.")) continue;
    bytes += static_cast<double>(tensor.bytes);
    weights += static_cast<double>(tensor.rows) * static_cast<double>(tensor.row_values());
  }
  return weights > 0 ? bytes * 8 / weights : 0;
}

}  // namespace

Result<PlanSource> read_plan_source(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    ADIT_TRY(model::ModelConfig config, model::config_from_hf(path));
    return PlanSource{.label = path.string(), .kind = "folder", .config = std::move(config)};
  }
  if (is_gguf(path)) {
    ADIT_TRY(const model::Gguf gguf, model::Gguf::open(path));
    ADIT_TRY(model::ModelConfig config, model::config_from_gguf(gguf));
    return PlanSource{.label = path.string(), .kind = "GGUF", .config = std::move(config), .bits = bits_of(gguf)};
  }
  ADIT_TRY(const model::Pack pack, model::Pack::open(path));
  const bool is_u4 = pack.weight_form() == kernels::WeightForm::kU4;
  return PlanSource{.label = path.string(),
                    .kind = "pack",
                    .config = pack.config(),
                    .bits = is_u4 ? kU4Bits : kI8Bits,
                    .group = pack.layers().front().o.group};
}

}  // namespace adit::miner
