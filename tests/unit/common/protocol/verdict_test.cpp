// SPDX-License-Identifier: MIT
#include "common/protocol/verdict.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace adit::protocol {
namespace {

TEST(Verdict, every_row_is_complete_and_unique) {
  std::set<std::string_view> names, metrics;
  for (const VerdictRow& each : kVerdicts) {
    EXPECT_TRUE(each.name.starts_with("k"));
    EXPECT_TRUE(names.insert(each.name).second) << each.name;
    EXPECT_TRUE(metrics.insert(each.metric).second) << each.metric;
    EXPECT_EQ(each.metric.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos);
    EXPECT_TRUE(each.sentence.ends_with(".")) << each.name;
    EXPECT_EQ(parse_verdict(each.name), each.verdict);
    EXPECT_EQ(name(each.verdict), each.name);
  }
  EXPECT_FALSE(parse_verdict("kSomethingElse"));
  EXPECT_FALSE(parse_verdict(""));
}

TEST(Verdict, only_exact_is_paid_and_only_proofs_cost_the_window) {
  for (const VerdictRow& each : kVerdicts) {
    EXPECT_EQ(each.penalty == Penalty::kNone, each.verdict == Verdict::kExact) << each.name;
  }
  EXPECT_EQ(penalty(Verdict::kTokenMismatch), Penalty::kZeroWindow);
  EXPECT_EQ(penalty(Verdict::kTraceMismatch), Penalty::kZeroWindow);
  EXPECT_EQ(penalty(Verdict::kEquivocation), Penalty::kZeroWindow);
  EXPECT_EQ(penalty(Verdict::kNoReply), Penalty::kZeroQuestion);
  EXPECT_EQ(penalty(Verdict::kWrongAnswer), Penalty::kZeroQuestion);
  EXPECT_EQ(penalty(Verdict::kOpeningRefused), Penalty::kAllowance);
}

}  // namespace
}  // namespace adit::protocol
