// SPDX-License-Identifier: MIT
// miner/pack/choose_forms.hpp
//
// Which linears get 4 bits or 8, and 16-bit or 8-bit activations, by how much each choice was measured to hurt.
//
// In       a model; a budget of bytes, or a bound of the mean KL for activations of 8 bits, or both.
// Out      a choice for every linear of the layers. Linears that read one row are chosen together. Bits: from all
//          at 8, the switch to 4 with the least KL for each byte saved comes first, until the pack fits; a switch
//          that lowers the KL is always made. Activations: from all at 16, the switch to 8 with the least KL for
//          each weight comes first, as long as the KL of the whole text stays under the bound. Each switch is
//          measured by itself, on the first 512 tokens; how many keep the bound there, and then on the whole text,
//          is found by bisection. What is written in the end is measured by the caller.
// Errors   those of the files; kAborted when even the smallest pack is over the budget, naming its size.
// Exact    the same choices on every machine with the same instruction set (the f32 reference is not canonical).
// Units    one packing at 8 and one at 4 bits, a pass of 512 tokens for each choice, and for activations mostly one
//          of the whole text; memory: 512 rows of logits.
// Threads  settings.threads (0: all cores).
// Tests    tests/unit/miner/pack/choose_forms_test.cpp
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>

#include "common/base/result.hpp"
#include "common/model/pack.hpp"
#include "common/model/weight_source.hpp"
#include "miner/pack/evaluate.hpp"

namespace adit::miner {

struct FormSearch {
  // Without a budget every layer has `bits`, as in PackOptions.
  int bits = 8;
  std::optional<std::uint64_t> bytes_max = {};
  // Without a bound every linear has `act`.
  kernels::ActForm act = kernels::ActForm::kA16;
  // Of both packings.
  kernels::ScaleGroup group = kernels::ScaleGroup::k32;
  std::optional<double> act_kl_max = {};
  EvaluateSettings settings = {};
};

// Called with the share of the work done, 0..1, and what is being measured.
using SearchProgress = std::function<void(double done, std::string_view what)>;

// `scratch`: beginning of the names of two files that are written and removed.
[[nodiscard]] Result<model::LinearChoices> choose_forms(const model::WeightSource& source,
                                                        const std::filesystem::path& scratch,
                                                        const FormSearch& search,
                                                        const SearchProgress& progress);

}  // namespace adit::miner
