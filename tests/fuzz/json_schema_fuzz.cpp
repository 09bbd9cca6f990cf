// SPDX-License-Identifier: MIT
// Any bytes as a schema, up to a zero byte, and the rest as an answer: refused, or a machine whose every state has
// a way on to a whole answer, and which takes the same bytes again after forgetting.
#include <cstdlib>
#include <string_view>

#include "common/base/bytes.hpp"
#include "common/model/constraint/json_machine.hpp"
#include "common/model/constraint/ordered_json.hpp"

namespace {

using adit::model::constraint::JsonMachine;

// Greedily towards the end: the first of these bytes that may come. False: nothing may.
bool has_way_on(JsonMachine& machine, JsonMachine::State state) {
  if (machine.is_accepting(state)) return true;
  for (int byte = 0; byte < 256; ++byte) {
    if (machine.step(state, static_cast<std::uint8_t>(byte)) != JsonMachine::kDead) return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = adit::as_text({data, size});
  const std::size_t end = std::min(text.find('\0'), text.size());
  const auto schema = adit::model::constraint::Schema::compile(text.substr(0, end));
  if (!schema) {
    if (!schema.error().message.starts_with("schema: ")) std::abort();
    return 0;
  }
  JsonMachine machine(*schema);
  JsonMachine::State state = machine.start();
  std::size_t steps = 0;
  for (const char byte : text.substr(std::min(text.size(), end + 1))) {
    if (++steps > 2000) break;
    if (!has_way_on(machine, state)) std::abort();
    const auto next = machine.step(state, static_cast<std::uint8_t>(byte));
    if (next == JsonMachine::kDead) break;
    state = machine.is_full() || steps % 16 == 0 ? machine.forget(next) : next;
    // An accepted text is JSON.
    if (machine.is_accepting(state)) {
      const auto answer = text.substr(end + 1, steps);
      if (adit::model::constraint::Json::parse(answer, nullptr, false).is_discarded()) std::abort();
    }
  }
  return 0;
}
