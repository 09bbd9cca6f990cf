// SPDX-License-Identifier: MIT
// Any bytes as an answer with calls: in pieces it gives what it gives whole, and whatever is a call has a name and an
// object of arguments.
#include <cstdlib>

#include "common/base/bytes.hpp"
#include "miner/openai/json.hpp"
#include "miner/openai/tool_parser.hpp"

namespace {

using adit::miner::openai::ToolCall;
using adit::miner::openai::ToolForm;
using adit::miner::openai::ToolParser;
using adit::miner::openai::ToolPiece;

ToolPiece parse(ToolForm form, bool is_forced, std::string_view text, std::size_t piece) {
  ToolParser parser(form, is_forced, is_forced && form == ToolForm::kDeepseek ? "f" : "", {"f", "g"});
  ToolPiece out;
  const auto add = [&](ToolPiece&& more) {
    out.content += more.content;
    for (ToolCall& call : more.calls) out.calls.push_back(std::move(call));
  };
  for (std::size_t at = 0; at < text.size(); at += piece) add(parser.push(text.substr(at, piece)));
  add(parser.finish());
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  constexpr ToolForm kForms[] = {ToolForm::kUnknown, ToolForm::kHermes, ToolForm::kLlama,
                                 ToolForm::kDeepseek};
  const ToolForm form = kForms[data[0] % 4];
  const bool is_forced = (data[0] & 4) != 0;
  const std::string_view text = adit::as_text({data + 2, size - 2});
  const ToolPiece whole = parse(form, is_forced, text, size);
  const ToolPiece pieces = parse(form, is_forced, text, 1U + data[1] % 8);
  if (whole.content != pieces.content || whole.calls.size() != pieces.calls.size()) std::abort();
  for (std::size_t i = 0; i < whole.calls.size(); ++i) {
    const ToolCall& call = whole.calls[i];
    if (call.index != i || call.name.empty() || call.arguments != pieces.calls[i].arguments) std::abort();
    const auto arguments = adit::miner::openai::Json::parse(call.arguments, nullptr, false);
    if (!arguments.is_object()) std::abort();
  }
  // Nothing is lost where nothing was found; DeepSeek's outer marks stand for nothing.
  if (whole.calls.empty() && form != ToolForm::kDeepseek && whole.content != text) std::abort();
  return 0;
}
