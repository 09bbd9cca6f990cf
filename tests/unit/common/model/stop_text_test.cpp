// SPDX-License-Identifier: MIT
#include "common/model/stop_text.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "common/base/rng.hpp"

namespace adit::model {
namespace {

struct Outcome {
  std::string text;
  bool stopped = false;
  bool operator==(const Outcome&) const = default;
};

// The definition: the stop that ends first, the longest of those; the text in front of it.
Outcome direct(const std::string& text, const std::vector<std::string>& stops) {
  for (std::size_t end = 1; end <= text.size(); ++end) {
    std::size_t length = 0;
    for (const std::string& stop : stops) {
      if (text.substr(0, end).ends_with(stop)) length = std::max(length, stop.size());
    }
    if (length > 0) return {text.substr(0, end - length), true};
  }
  return {text, false};
}

TEST(StopText, equals_the_definition_however_the_text_is_cut) {
  SeededRng rng(9);
  int stopped = 0;
  for (int round = 0; round < 4000; ++round) {
    const auto random_text = [&](std::uint64_t longest) {
      std::string out;
      for (std::uint64_t i = rng.below(longest) + 1; i > 0; --i) out += static_cast<char>('a' + rng.below(2));
      return out;
    };
    std::vector<std::string> stops;
    for (std::uint64_t i = rng.below(kStopTextsMax + 1); i > 0; --i) stops.push_back(random_text(7));
    const std::string text = random_text(40);
    const Outcome want = direct(text, stops);
    auto stop = StopText::make(stops).value();
    Outcome got;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t count = std::min<std::size_t>(text.size() - at, 1 + rng.below(9));
      got.text += stop.push(std::string_view(text).substr(at, count));
      // Never more than what stands in front of the stop.
      ASSERT_TRUE(want.text.starts_with(got.text));
      at += count;
    }
    got.text += stop.finish();
    got.stopped = stop.stopped();
    ASSERT_EQ(got, want) << text;
    stopped += want.stopped ? 1 : 0;
  }
  EXPECT_GT(stopped, 500);
}

TEST(StopText, holds_back_no_more_than_a_possible_beginning) {
  auto stop = StopText::make({"</s>", "END"}).value();
  EXPECT_EQ(stop.push("hello <"), "hello ");
  EXPECT_EQ(stop.push("/"), "");
  EXPECT_EQ(stop.push("b> EN"), "</b> ");
  EXPECT_EQ(stop.push("E"), "EN");
  EXPECT_EQ(stop.push("ND and more"), "");
  EXPECT_TRUE(stop.stopped());
  EXPECT_EQ(stop.push("again"), "");
  EXPECT_EQ(stop.finish(), "");
}

TEST(StopText, gives_what_it_held_at_the_end) {
  auto stop = StopText::make({"abc"}).value();
  EXPECT_EQ(stop.push("xxab"), "xx");
  EXPECT_EQ(stop.finish(), "ab");
  EXPECT_FALSE(stop.stopped());
}

TEST(StopText, refuses_what_cannot_be_a_stop) {
  EXPECT_EQ(StopText::make({"a", ""}).error().message, "stop[1]: 0 bytes, expected 1 to 1024");
  EXPECT_FALSE(StopText::make({std::string(kStopBytesMax + 1, 'a')}));
  EXPECT_FALSE(StopText::make({"a", "b", "c", "d", "e"}));
  EXPECT_TRUE(StopText::make({}));
}

}  // namespace
}  // namespace adit::model
