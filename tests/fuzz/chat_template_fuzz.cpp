// SPDX-License-Identifier: MIT
// Any text as a chat template: an error that names a line, or a prompt in well-formed UTF-8.
#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

#include "common/base/bytes.hpp"
#include "common/model/chat_template.hpp"
#include "common/model/unicode_classes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using adit::model::ChatMessage;
  if (size > 4096) return 0;
  const std::array<ChatMessage, 4> messages{
      {{"system", " a\n"},
       {"user", "\xc3\xa9\xf0\x9f\x98\x80<think>"},
       {"assistant", "\xff x"},
       {"assistant", "",
        R"({"content":null,"tool_calls":[{"function":{"name":"f","arguments":{"a":[1,2.5,"b"]}}}]})"}}};
  const adit::model::ChatVariables variables{
      size % 3 == 0 ? "" : R"([{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}])",
      ""};
  const auto out = adit::model::render_chat(adit::as_text({data, size}), messages, size % 2 == 0,
                                            {"<s>", "</s>"}, variables);
  if (!out && out.error().message.find("chat template: line ") != 0) std::abort();
  if (out && !adit::model::is_valid_utf8(*out)) std::abort();
  // The same bytes as the fields of a message.
  const std::array<ChatMessage, 1> one{{{"user", "hi", std::string(adit::as_text({data, size}))}}};
  const auto fields = adit::model::render_chat("{{ messages | tojson(indent=2) }}", one, false);
  if (!fields && fields.error().message.find("chat template: ") != 0) std::abort();
  return 0;
}
