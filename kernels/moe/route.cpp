// SPDX-License-Identifier: MIT
#include "kernels/moe/route.h"

#include <algorithm>

#include "kernels/ops/rows.h"

namespace adit::kernels {
namespace {

constexpr float kSumFloor = 1e-20f;

void score_experts(Isa isa, const RouteShape& shape, const float* logits, float* scores) {
  const int n = shape.experts;
  if (!shape.is_sigmoid) {
    exp_rows(isa, logits, logits[argmax(isa, logits, n)], n, scores);
    divide_rows(isa, scores, sum256(isa, scores, n), n, scores);
    return;
  }
  for (int i = 0; i < n; ++i) scores[i] = -logits[i];
  exp_rows(isa, scores, 0.0f, n, scores);
  for (int i = 0; i < n; ++i) scores[i] = 1.0f / (1.0f + scores[i]);
}

// The first of the largest values among those with taken[i] == 0; n >= 1, one of them free.
int best_free(const float* values, const float* taken, int n) {
  int best = -1;
  for (int i = 0; i < n; ++i) {
    if (taken[i] == 0.0f && (best < 0 || values[i] > values[best])) best = i;
  }
  return best;
}

// The sum of the `top` best values, best first. `taken` holds n zeros, before and after.
float group_score(const float* values, float* taken, int n, int top) {
  float sum = 0.0f;
  for (int i = 0; i < top; ++i) {
    const int best = best_free(values, taken, n);
    taken[best] = 1.0f;
    sum = i == 0 ? values[best] : sum + values[best];
  }
  std::fill(taken, taken + n, 0.0f);
  return sum;
}

// Marks the experts of groups that are not chosen as taken. `room` holds 2 * groups floats.
void close_groups(const RouteShape& shape, const float* values, float* taken, float* room) {
  const int size = shape.experts / shape.groups;
  float* scores = room;
  float* kept = room + shape.groups;
  for (int g = 0; g < shape.groups; ++g) {
    scores[g] = group_score(values + g * size, taken + g * size, size, shape.group_top);
    kept[g] = 0.0f;
  }
  for (int i = 0; i < shape.groups_per_token; ++i) kept[best_free(scores, kept, shape.groups)] = 1.0f;
  for (int g = 0; g < shape.groups; ++g) {
    std::fill(taken + g * size, taken + (g + 1) * size, kept[g] == 0.0f ? 1.0f : 0.0f);
  }
}

void weigh(const RouteShape& shape, const float* scores, const std::int32_t* chosen, float* weights) {
  float sum = 0.0f;
  for (int i = 0; i < shape.per_token; ++i) sum = sum + scores[chosen[i]];
  const float divisor = sum + kSumFloor;
  for (int i = 0; i < shape.per_token; ++i) {
    const float score = scores[chosen[i]];
    weights[i] = (shape.normalise ? score / divisor : score) * shape.scale;
  }
}

}  // namespace

void router_logits(Isa isa, const float* x, const float* router, int hidden, int begin, int end,
                   float* logits) {
  for (int e = begin; e < end; ++e) {
    logits[e] = dot256(isa, x, router + static_cast<std::ptrdiff_t>(e) * hidden, hidden);
  }
}

bool route(Isa isa, const RouteShape& shape, const float* logits, float* scratch,
           std::int32_t* chosen, float* weights) {
  const int n = shape.experts;
  if (!all_finite(isa, logits, n)) {
    for (int i = 0; i < shape.per_token; ++i) {
      chosen[i] = i;
      weights[i] = 0.0f;
    }
    return false;
  }
  float* scores = scratch;
  float* values = scratch + n;
  float* taken = scratch + 2 * static_cast<std::ptrdiff_t>(n);
  score_experts(isa, shape, logits, scores);
  for (int i = 0; i < n; ++i) values[i] = shape.bias == nullptr ? scores[i] : scores[i] + shape.bias[i];
  std::fill(taken, taken + n, 0.0f);
  if (shape.groups > 1) close_groups(shape, values, taken, taken + n);
  for (int i = 0; i < shape.per_token; ++i) {
    chosen[i] = best_free(values, taken, n);
    taken[chosen[i]] = 1.0f;
  }
  std::sort(chosen, chosen + shape.per_token);
  weigh(shape, scores, chosen, weights);
  return true;
}

}  // namespace adit::kernels
