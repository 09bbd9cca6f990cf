// SPDX-License-Identifier: MIT
#include "miner/pack/task_accuracy.hpp"

#include <gtest/gtest.h>

#include "common/model/tokenizer.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_model.hpp"

namespace adit::miner {
namespace {

class TaskAccuracy : public ::testing::Test {
 protected:
  IdLists some_prompts(int count) const {
    IdLists out;
    for (int i = 0; i < count; ++i) {
      out.emplace_back();
      for (int j = 0; j < 3 + i % 5; ++j) out.back().push_back(3 + (i * 31 + j * 17) % 250);
    }
    return out;
  }
  // Greedy, one id at a time, straight from the reference.
  std::vector<TokenId> plain(std::vector<TokenId> ids, int max_tokens) const {
    const model::ModelConfig& config = model_.config();
    std::vector<TokenId> out;
    std::vector<float> logits(static_cast<std::size_t>(config.vocab));
    while (out.size() < static_cast<std::size_t>(max_tokens)) {
      const auto hidden = reference_.hidden(IdLists{ids}).value();
      EXPECT_TRUE(reference_.logits(hidden.data() + hidden.size() - static_cast<std::size_t>(config.hidden), 1,
                                    logits.data()));
      out.push_back(static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
      ids.push_back(out.back());
      if (out.back() == config.stop_ids.front()) break;
    }
    return out;
  }

  test::TempDir dir_;
  test::TinyModel model_{test::tiny_config("llama")};
  model::Reference reference_ = model::Reference::from_source(model_, 1).value();
  // 4 bits of a random model: it leaves the reference soon.
  model::Pack pack_ = test::pack_of(model_, dir_.path(), {.bits = 4});
  TaskSettings settings_{.max_tokens = 12};
};

TEST_F(TaskAccuracy, the_references_answers_are_those_of_plain_greedy_decoding_whatever_the_draft) {
  const IdLists prompts = some_prompts(20);
  const std::vector<int> budgets(prompts.size(), settings_.max_tokens);
  const IdLists of_pack = pack_answers(pack_, prompts, budgets, settings_).value();
  IdLists want, wrong;
  for (const auto& prompt : prompts) want.push_back(plain(prompt, settings_.max_tokens));
  for (const auto& answer : want) wrong.push_back({(answer.front() + 1) % 300});
  EXPECT_NE(of_pack, want);
  EXPECT_EQ(reference_answers(pack_, reference_, prompts, of_pack, settings_, {}).value(), want);
  EXPECT_EQ(reference_answers(pack_, reference_, prompts, wrong, settings_, {}).value(), want);
  EXPECT_EQ(reference_answers(pack_, reference_, prompts, want, settings_, {}).value(), want);
  EXPECT_EQ(reference_answers(pack_, reference_, prompts, IdLists(prompts.size()), settings_, {}).value(), want);
}

TEST_F(TaskAccuracy, the_packs_answers_do_not_depend_on_threads_and_keep_their_budgets) {
  const IdLists prompts = some_prompts(40);
  std::vector<int> budgets;
  for (int i = 0; i < 40; ++i) budgets.push_back(1 + i % 7);
  const IdLists one = pack_answers(pack_, prompts, budgets, settings_).value();
  TaskSettings other = settings_;
  other.threads = 2;
  other.isa = kernels::Isa::kScalar;
  EXPECT_EQ(pack_answers(pack_, prompts, budgets, other).value(), one);
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_GE(one[i].size(), 1u);
    EXPECT_LE(one[i].size(), static_cast<std::size_t>(budgets[i]));
  }
}

TEST_F(TaskAccuracy, counts_right_answers_and_agreement_by_kind) {
  const model::Tokenizer tokenizer = model::Tokenizer::from_blob(pack_.tokenizer_json()).value();
  // Tasks whose answers are what pack and reference were seen to say.
  std::vector<TaskItem> tasks;
  TaskReport want;
  for (int i = 0; i < 12; ++i) {
    TaskItem task{.id = std::to_string(i), .messages = {{"user", "Question " + std::to_string(i)}}, .answer = "1"};
    task.type = i % 3 == 0 ? answers::AnswerType::kInteger : answers::AnswerType::kWord;
    const std::vector<TokenId> prompt = tokenizer.encode(task.messages[0].content, true).value();
    const std::vector<int> budget{settings_.max_tokens};
    const auto by_pack = pack_answers(pack_, IdLists{prompt}, budget, settings_).value().front();
    const auto by_reference = plain(prompt, settings_.max_tokens);
    const auto said = [&](const std::vector<TokenId>& ids) {
      return answers::extract_answer(tokenizer.decode(ids, true), task.extraction, task.type);
    };
    const auto a = said(by_pack), b = said(by_reference);
    if (i % 2 == 0 && a) task.answer = *a;
    if (i % 2 == 1 && b) task.answer = *b;
    for (TaskCounts* counts : {&want.all, &want.kinds[std::string(kind_name(task.type))]}) {
      ++counts->tasks;
      counts->right_pack += a == task.answer ? 1 : 0;
      counts->right_reference += b == task.answer ? 1 : 0;
      counts->same_answer += a == b ? 1 : 0;
      counts->same_text += by_pack == by_reference ? 1 : 0;
    }
    tasks.push_back(task);
  }
  const auto got = answer_tasks(pack_, reference_, tasks, settings_, {});
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_GT(got->all.right_pack, 0u);
  EXPECT_GT(got->all.right_reference, 0u);
  EXPECT_EQ(got->all, want.all);
  EXPECT_EQ(got->kinds, want.kinds);
}

TEST_F(TaskAccuracy, a_prompt_that_is_too_long_is_named) {
  const TaskItem task{.id = "long", .messages = {{"user", std::string(2000, 'x')}}, .answer = "1"};
  const auto got = answer_tasks(pack_, reference_, std::span(&task, 1), settings_, {});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().message.find("task long: "), 0u) << got.error().message;
}

}  // namespace
}  // namespace adit::miner
