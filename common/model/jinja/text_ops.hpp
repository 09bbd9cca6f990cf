// SPDX-License-Identifier: MIT
// common/model/jinja/text_ops.hpp
//
// The text operations of Python that templates use, on UTF-8.
//
// In       well-formed UTF-8; positions and lengths count code points.
// Errors   unescape and change_case throw Fault for what they do not cover.
// Threads  pure.
// Source   Python 3's str: strip, split, replace, slices
// Tests    tests/unit/common/model/chat_template_test.cpp
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace adit::model::jinja {

// Without the blanks (str.isspace) at an end, or without the code points of `chars`.
[[nodiscard]] std::string_view strip_left(std::string_view text, std::optional<std::string_view> chars = {});
[[nodiscard]] std::string_view strip_right(std::string_view text, std::optional<std::string_view> chars = {});

[[nodiscard]] std::int64_t code_count(std::string_view text);
// Code points [begin, end), both in 0..code_count.
[[nodiscard]] std::string_view code_slice(std::string_view text, std::int64_t begin, std::int64_t end);

// most < 0: all places.
[[nodiscard]] std::string replace_all(std::string_view text, std::string_view from, std::string_view to,
                                      std::int64_t most = -1);
// Position in code points, or -1; and how often, without overlaps.
[[nodiscard]] std::int64_t find_code(std::string_view text, std::string_view wanted);
[[nodiscard]] std::int64_t count_of(std::string_view text, std::string_view wanted);
// separator absent: at runs of blanks, without empty pieces. splits_max < 0: no limit.
[[nodiscard]] std::vector<std::string> split(std::string_view text, std::optional<std::string_view> separator,
                                             std::int64_t splits_max);
[[nodiscard]] std::vector<std::string> split_right(std::string_view text, std::string_view separator,
                                                   std::int64_t splits_max);
[[nodiscard]] std::vector<std::string> split_lines(std::string_view text);
// how: upper, lower, title, capitalize (methods), title_filter (Jinja2's). ASCII text; other text is refused rather
// than folded wrongly.
[[nodiscard]] std::string change_case(std::string_view text, std::string_view how, int line);
// Jinja2's filter: `by` before every line but the first, and before empty ones if `blank`.
[[nodiscard]] std::string indent(std::string_view text, std::string_view by, bool first, bool blank);

// Appends what the backslash at the beginning of `text` stands for; returns the bytes read.
std::size_t unescape(std::string_view text, std::string& out, int line);

}  // namespace adit::model::jinja
