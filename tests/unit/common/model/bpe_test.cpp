// SPDX-License-Identifier: MIT
#include "common/model/bpe.hpp"

#include <map>
#include <thread>

#include <gtest/gtest.h>

#include "common/base/rng.hpp"

namespace adit::model {
namespace {

using Ids = std::vector<TokenId>;
using Ranks = std::map<std::pair<TokenId, TokenId>, std::pair<int, TokenId>>;

// The definition: again and again merge the leftmost of the pairs of best rank.
Ids merge_naively(Ids ids, const Ranks& ranks) {
  while (true) {
    std::size_t best = ids.size();
    int best_rank = INT32_MAX;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
      const auto found = ranks.find({ids[i], ids[i + 1]});
      if (found != ranks.end() && found->second.first < best_rank) {
        best = i;
        best_rank = found->second.first;
      }
    }
    if (best == ids.size()) return ids;
    ids[best] = ranks.at({ids[best], ids[best + 1]}).second;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

TEST(Bpe, equals_the_definition_on_random_vocabularies) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    SeededRng rng(seed);
    Bpe bpe;
    Ranks ranks;
    for (int byte = 0; byte < 4; ++byte) bpe.set_byte(static_cast<std::uint8_t>('a' + byte), byte);
    for (TokenId next = 4; next < 40; ++next) {
      const auto left = static_cast<TokenId>(rng.below(static_cast<std::uint64_t>(next)));
      const auto right = static_cast<TokenId>(rng.below(static_cast<std::uint64_t>(next)));
      if (ranks.contains({left, right})) {
        EXPECT_FALSE(bpe.add_merge(left, right, next));
        continue;
      }
      EXPECT_TRUE(bpe.add_merge(left, right, next));
      ranks[{left, right}] = {static_cast<int>(ranks.size()), next};
    }
    for (int round = 0; round < 200; ++round) {
      std::string word;
      Ids start;
      for (std::uint64_t i = rng.below(70); i-- > 0;) {
        start.push_back(static_cast<TokenId>(rng.below(4)));
        word.push_back(static_cast<char>('a' + start.back()));
      }
      Ids got;
      bpe.encode_word(word, got);
      ASSERT_EQ(got, merge_naively(start, ranks)) << "seed " << seed << " word " << word;
      // Again, perhaps from the cache, and appended.
      bpe.encode_word(word, got);
      ASSERT_EQ(got.size(), 2 * merge_naively(start, ranks).size());
    }
  }
}

TEST(Bpe, cache_stays_right_when_it_overflows_and_when_threads_share_it) {
  Bpe bpe;
  for (int byte = 0; byte < 26; ++byte) bpe.set_byte(static_cast<std::uint8_t>('a' + byte), byte);
  ASSERT_TRUE(bpe.add_merge(0, 1, 26));
  const auto work = [&bpe](std::uint64_t seed, bool& good) {
    SeededRng rng(seed);
    for (int i = 0; i < 30'000; ++i) {
      std::string word = "ab";
      for (int k = 0; k < 4; ++k) word.push_back(static_cast<char>('c' + rng.below(24)));
      Ids ids;
      bpe.encode_word(word, ids);
      good = good && ids.size() == 5 && ids[0] == 26 && ids[4] == word[5] - 'a';
    }
  };
  bool first = true;
  bool second = true;
  std::thread other(work, 1, std::ref(first));
  work(2, second);
  other.join();
  EXPECT_TRUE(first);
  EXPECT_TRUE(second);
}

}  // namespace
}  // namespace adit::model
