// SPDX-License-Identifier: MIT
#include "common/model/step_plan.hpp"

#include <algorithm>

namespace adit::model {

void StepPlan::build(const Shape& shape, std::span<const Segment> segments) {
  segments_.assign(segments.begin(), segments.end());
  rows_.clear();
  wanted_.clear();
  first_rows_.clear();
  runs_.clear();
  units_.clear();
  last_units_.clear();
  keys_max_ = 0;
  for (std::size_t s = 0; s < segments_.size(); ++s) {
    const Segment& segment = segments_[s];
    const int count = static_cast<int>(segment.tokens.size());
    const int begin = static_cast<int>(rows_.size());
    const int skipped = std::clamp(segment.first_wanted - segment.first_position, 0, count);
    first_rows_.push_back(begin);
    keys_max_ = std::max(keys_max_, segment.first_position + count);
    AttentionUnit all{.segment = static_cast<int>(s), .row = begin, .out_row = begin, .count = count};
    add_units(shape, all, units_);
    all.row = begin + skipped;
    all.out_row = static_cast<int>(wanted_.size());
    all.count = count - skipped;
    add_units(shape, all, last_units_);
    add_run(segment.adapter, count, count - skipped);
    for (int i = 0; i < count; ++i) {
      if (i >= skipped) wanted_.push_back(begin + i);
      const TokenId token = segment.tokens[static_cast<std::size_t>(i)];
      rows_.push_back({static_cast<int>(s), segment.first_position + i, token});
    }
  }
  // The longest rows first, so that the threads finish together.
  for (std::vector<AttentionUnit>* units : {&units_, &last_units_}) {
    std::stable_sort(units->begin(), units->end(), [&](const AttentionUnit& a, const AttentionUnit& b) {
      const auto keys = [&](const AttentionUnit& u) {
        const auto s = static_cast<std::size_t>(u.segment);
        return u.count * (segments_[s].first_position + u.row - first_rows_[s] + u.count);
      };
      return keys(a) > keys(b);
    });
  }
}

// The next `count` rows, the last `wanted` of which are wanted.
void StepPlan::add_run(const Adapter* adapter, int count, int wanted) {
  if (adapter == nullptr) return;
  const int begin = static_cast<int>(rows_.size()), first = static_cast<int>(wanted_.size());
  if (runs_.empty() || runs_.back().adapter != adapter || runs_.back().end != begin) {
    runs_.push_back({adapter, begin, begin, first, first});
  }
  runs_.back().end = begin + count;
  runs_.back().wanted_end = first + wanted;
}

void StepPlan::add_units(const Shape& shape, AttentionUnit rows, std::vector<AttentionUnit>& out) const {
  const int group = shape.heads / shape.kv_heads;
  // A lone row of few kv heads is cut by query heads, so that every thread has work.
  const int blocks = (rows.count + kAttentionRows - 1) / kAttentionRows;
  const bool by_head = blocks * shape.kv_heads < shape.threads;
  for (int done = 0; done < rows.count; done += kAttentionRows) {
    AttentionUnit unit = rows;
    unit.row += done;
    unit.out_row += done;
    unit.count = std::min(kAttentionRows, rows.count - done);
    for (unit.kv_head = 0; unit.kv_head < shape.kv_heads; ++unit.kv_head) {
      unit.heads = by_head ? 1 : group;
      const int end = (unit.kv_head + 1) * group;
      for (unit.head = unit.kv_head * group; unit.head < end; unit.head += unit.heads) out.push_back(unit);
    }
  }
}

}  // namespace adit::model
