// SPDX-License-Identifier: MIT
// Any text as a chat template: an error that names a line, or a prompt in well-formed UTF-8.
#include <array>
#include <cstdlib>
#include <string_view>

#include "common/base/bytes.hpp"
#include "common/model/chat_template.hpp"
#include "common/model/unicode_classes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using adit::model::ChatMessage;
  if (size > 4096) return 0;
  const std::array<ChatMessage, 3> messages{
      {{"system", " a\n"}, {"user", "\xc3\xa9\xf0\x9f\x98\x80<think>"}, {"assistant", "\xff x"}}};
  const auto out =
      adit::model::render_chat(adit::as_text({data, size}), messages, size % 2 == 0, {"<s>", "</s>"});
  if (!out && out.error().message.find("chat template: line ") != 0) std::abort();
  if (out && !adit::model::is_valid_utf8(*out)) std::abort();
  return 0;
}
