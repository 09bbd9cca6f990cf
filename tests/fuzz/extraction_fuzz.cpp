// SPDX-License-Identifier: MIT
// Any text as a miner's answer: none, or an answer in canonical form that is right when asked for itself.
#include <cstdlib>

#include "common/base/bytes.hpp"
#include "common/answers/extraction.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using adit::answers::AnswerType;
  using adit::answers::Extraction;
  const std::string_view text = adit::as_text({data, size});
  for (const Extraction rule : {Extraction::kBoxed, Extraction::kLenient}) {
    for (const AnswerType type : {AnswerType::kInteger, AnswerType::kWord, AnswerType::kWords}) {
      const std::size_t words = type == AnswerType::kWords ? 2 : 1;
      const auto answer = adit::answers::extract_answer(text, rule, type, words);
      if (!answer) continue;
      if (!adit::answers::is_right(text, rule, type, *answer)) std::abort();
      // Canonical: the answer by itself is read as itself.
      if (adit::answers::extract_answer(*answer, Extraction::kLenient, type, words) != answer) std::abort();
    }
  }
  return 0;
}
