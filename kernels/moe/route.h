// SPDX-License-Identifier: MIT
// kernels/moe/route.h
//
// The choice of experts: router scores, groups, the chosen and their weights.
//
// In       x [hidden] f32, router [experts][hidden] f32, finite. bias [experts] or null: added for the choice
//          only. 1 <= per_token <= experts / groups * groups_per_token; group_top <= experts / groups.
// Out      chosen [per_token]: expert numbers in ascending order; weights [per_token], theirs.
// Shapes   scratch: route_scratch_floats(experts).
// Errors   route returns false, and chooses 0, 1, ... with weights 0, if a logit is a NaN or infinite.
// Exact    the same bits for every Isa. Equal values: the lower expert or group first; +0 = -0.
// Threads  none inside.
// Source   kernels/NUMERICS.md, "Mixture of experts"; DeepSeek-V3 inference/model.py, Gate
// Tests    tests/unit/kernels/route_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/core/isa.h"

namespace adit::kernels {

struct RouteShape {
  int experts = 0;
  int per_token = 0;
  int groups = 1;
  int groups_per_token = 1;
  int group_top = 1;
  // Scores by sigmoid; else by softmax over all experts.
  bool is_sigmoid = false;
  bool normalise = false;
  float scale = 1.0f;
  const float* bias = nullptr;
};

// logits[e] for experts [begin, end).
void router_logits(Isa isa, const float* x, const float* router, int hidden, int begin, int end,
                   float* logits);

inline std::size_t route_scratch_floats(int experts) {
  return 5 * static_cast<std::size_t>(experts);
}
bool route(Isa isa, const RouteShape& shape, const float* logits, float* scratch,
           std::int32_t* chosen, float* weights);

}  // namespace adit::kernels
