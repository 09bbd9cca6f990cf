// SPDX-License-Identifier: MIT
#include "common/model/json_scanner.hpp"

#include <gtest/gtest.h>

namespace adit::model {
namespace {

TEST(JsonScanner, walks_objects_lists_and_texts) {
  JsonScanner in(
      R"( {"a" : [1, -20,3] ,"b":{"x":null, "y":[{"z":1.5e3}, "]}"]},"c":"q\"\\\/\b\n\u00e9\ud83d\ude00"} )");
  std::string key;
  std::string text;
  std::string_view raw;
  std::int64_t number = 0;
  std::int64_t sum = 0;
  ASSERT_TRUE(in.object() && in.more() && in.key(key));
  EXPECT_EQ(key, "a");
  ASSERT_TRUE(in.array());
  while (in.more()) {
    ASSERT_TRUE(in.integer(number));
    sum += number;
  }
  EXPECT_EQ(sum, -16);
  ASSERT_TRUE(in.more() && in.key(key) && in.raw(raw));
  EXPECT_EQ(raw, R"({"x":null, "y":[{"z":1.5e3}, "]}"]})");
  ASSERT_TRUE(in.more() && in.key(key) && in.string(text));
  EXPECT_EQ(text, "q\"\\/\b\n\u00e9\U0001f600");
  EXPECT_FALSE(in.more());
  EXPECT_TRUE(in.done());
}

TEST(JsonScanner, says_where_it_stops) {
  const auto raw_error = [](std::string_view text) {
    JsonScanner in(text);
    std::string_view out;
    EXPECT_FALSE(in.raw(out) && in.done()) << text;
    return in.error();
  };
  EXPECT_EQ(raw_error("tru"), "offset 3: not JSON");
  EXPECT_EQ(raw_error("[1,2"), "offset 4: not JSON");
  EXPECT_EQ(raw_error("1 2"), "offset 2: not JSON");
  EXPECT_EQ(raw_error("\"a\nb\""), "offset 2: not JSON");
  EXPECT_EQ(raw_error("\"\\ud800\""), "offset 7: not JSON");
  EXPECT_EQ(raw_error("]"), "offset 0: not JSON");
  EXPECT_EQ(raw_error(std::string(40, '[')), "offset 16: nested deeper than 16 levels");
}

}  // namespace
}  // namespace adit::model
