// SPDX-License-Identifier: MIT
// tests/support/adapter_folder.hpp
//
// A low-rank adapter as a folder, as PEFT would save it: ranks and scales that differ go into the patterns.
//
// Threads  pure but for the files.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/base/files.hpp"
#include "common/model/lora_adapter.hpp"
#include "common/model/safetensors.hpp"

namespace adit::test {

// transformers' module of a llama's linear.
inline std::string hf_module(const model::Part& part) {
  using model::PartRole;
  const auto in_layer = [&](const char* name) {
    return "model.layers." + std::to_string(part.layer) + "." + name + "_proj";
  };
  switch (part.role) {
    case PartRole::kAttnQ:
      return in_layer("self_attn.q");
    case PartRole::kAttnK:
      return in_layer("self_attn.k");
    case PartRole::kAttnV:
      return in_layer("self_attn.v");
    case PartRole::kAttnO:
      return in_layer("self_attn.o");
    case PartRole::kFfnGate:
      return in_layer("mlp.gate");
    case PartRole::kFfnUp:
      return in_layer("mlp.up");
    case PartRole::kFfnDown:
      return in_layer("mlp.down");
    default:
      throw std::runtime_error("no module of a llama: " + part.name);
  }
}

inline std::filesystem::path write_adapter(const std::filesystem::path& folder,
                                           const model::LoraAdapter& lora) {
  namespace safetensors = model::safetensors;
  const auto need = [](const auto& result) {
    if (!result) throw std::runtime_error(result.error().message);
  };
  std::vector<safetensors::Tensor> tensors;
  std::vector<const std::vector<float>*> values;
  std::string ranks, alphas;
  for (const model::LoraPair& pair : lora.pairs) {
    const std::string module = hf_module(pair.part), sign = ranks.empty() ? "" : ",";
    const auto rank = static_cast<std::uint64_t>(pair.rank);
    const auto add = [&](const char* matrix, std::uint64_t rows, std::uint64_t columns, const auto& from) {
      tensors.push_back({"base_model.model." + module + "." + matrix + ".weight",
                         safetensors::Dtype::kF32,
                         {rows, columns}});
      values.push_back(&from);
    };
    add("lora_A", rank, static_cast<std::uint64_t>(pair.part.k), pair.a);
    add("lora_B", static_cast<std::uint64_t>(pair.part.m), rank, pair.b);
    ranks += sign + "\"" + module + "\":" + std::to_string(pair.rank);
    alphas += sign + "\"" + module + "\":" + std::to_string(pair.scale * static_cast<float>(pair.rank));
  }
  std::uint64_t at = 0;
  for (safetensors::Tensor& tensor : tensors) {
    tensor.offset = at;
    at += tensor.bytes = 4 * tensor.shape[0] * tensor.shape[1];
  }
  auto file = safetensors::header_bytes(tensors, {});
  need(file);
  for (const std::vector<float>* from : values) {
    append(*file, ByteView(reinterpret_cast<const std::uint8_t*>(from->data()), 4 * from->size()));
  }
  std::filesystem::create_directories(folder);
  need(write_file_atomic(folder / "adapter_model.safetensors", *file));
  const std::string config =
      "{\"peft_type\":\"LORA\",\"r\":8,\"lora_alpha\":16,\"bias\":\"none\",\"rank_pattern\":{" + ranks +
      "},\"alpha_pattern\":{" + alphas + "}}";
  need(write_file_atomic(folder / "adapter_config.json", as_bytes(config)));
  return folder;
}

}  // namespace adit::test
