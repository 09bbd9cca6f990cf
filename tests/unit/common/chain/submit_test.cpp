// SPDX-License-Identifier: MIT
//
// Submission against a scripted node: what is done when things go wrong between "sent" and "proved".
#include <atomic>
#include <future>
#include <thread>

#include "common/base/rng.hpp"
#include "common/chain/calls.hpp"
#include "common/chain/substrate_client.hpp"
#include "tests/support/scripted_chain.hpp"
#include "tests/unit/common/chain/vectors.hpp"

namespace adit::chain {
namespace {

using test::Answer;
using test::Json;
using test::ScriptedChain;

constexpr const char* kWatch = "author_submitAndWatchExtrinsic";
constexpr const char* kSend = "author_submitExtrinsic";

Json status(const Json& value) {
  return {{"jsonrpc", "2.0"},
          {"method", "author_extrinsicUpdate"},
          {"params", {{"subscription", "s"}, {"result", value}}}};
}

class Submission : public testing::Test {
 protected:
  Submission() : signer_(*crypto::Keypair::from_uri(crypto::Scheme::kSr25519, "//Alice"), rng_) {
    options_.request_timeout_ms = 2000;
    options_.submit_timeout_ms = 5000;
    options_.backoff_min_ms = 5;
    options_.backoff_max_ms = 20;
    options_.search_interval_ms = 5;
    for (int i = 0; i < 70; ++i) chain_.add_block();
    chain_.nonce = 5;
    chain_.node.on("author_unwatchExtrinsic", [](const Json&, int) { return Answer::result(true); });
  }

  Result<Inclusion> submit() {
    auto client = connect(chain_.node.url(), options_);
    if (!client) return tl::unexpected<Error>(client.error());
    const Bytes call = ok(burned_register((*client)->metadata(), 1, bob()));
    return (*client)->submit(call, signer_);
  }
  // The extrinsic of a request, whose signature, nonce and era must be right.
  Bytes taken(const Json& params) {
    const Bytes xt = hex(params.at(0).get<std::string>());
    EXPECT_TRUE(chain_.accepts(xt));
    return xt;
  }
  Answer watching(std::vector<Json> updates) {
    Answer answer = Answer::result("s");
    for (const Json& update : updates) answer.notify.push_back(status(update));
    return answer;
  }
  std::size_t sent() const {
    return static_cast<std::size_t>(chain_.node.count(kWatch) + chain_.node.count(kSend));
  }

  ScriptedChain chain_;
  OsRng rng_;
  crypto::KeypairSigner signer_;
  ClientOptions options_;
};

TEST_F(Submission, is_proved_by_the_block_s_events) {
  chain_.node.on(kWatch, [this](const Json& params, int) {
    const BlockNumber block = chain_.add_block({Bytes{4, 4, 0, 0}, taken(params)});
    return watching({"ready",
                     {{"broadcast", {"peer"}}},
                     {{"inBlock", chain_.hash_of(block)}},
                     {{"finalized", chain_.hash_of(block)}}});
  });
  const Inclusion inclusion = ok(submit());
  EXPECT_TRUE(inclusion.success);
  EXPECT_EQ(inclusion.error, "");
  EXPECT_EQ(inclusion.block.number, 71u);
  EXPECT_EQ(inclusion.block.hash, chain_.hash256_of(71));
  EXPECT_EQ(inclusion.extrinsic_index, 1u);
  ASSERT_EQ(inclusion.events.size(), 1u);
  EXPECT_TRUE(inclusion.events[0].is("System", "ExtrinsicSuccess"));
  EXPECT_EQ(sent(), 1u);
}

TEST_F(Submission, a_failed_call_is_named) {
  chain_.node.on(kWatch, [this](const Json& params, int) {
    const BlockNumber block = chain_.add_block({taken(params)}, "SubtensorModule.SettingWeightsTooFast");
    return watching({{{"finalized", chain_.hash_of(block)}}});
  });
  const Inclusion inclusion = ok(submit());
  EXPECT_FALSE(inclusion.success);
  EXPECT_EQ(inclusion.error, "SubtensorModule.SettingWeightsTooFast");
}

// Sudo succeeds even when what it wraps fails; its event says so.
TEST_F(Submission, a_failed_call_inside_sudo_is_named) {
  chain_.node.on(kWatch, [this](const Json& params, int) {
    Event sudid{Phase::kApplyExtrinsic, 0, "Sudo", "Sudid", {1}};
    append(sudid.fields, ok(encode_module_error(chain_.metadata(), "AdminUtils", "SubnetDoesNotExist")));
    const BlockNumber block = chain_.add_block({taken(params)}, "", {sudid});
    return watching({{{"finalized", chain_.hash_of(block)}}});
  });
  const Inclusion inclusion = ok(submit());
  EXPECT_FALSE(inclusion.success);
  EXPECT_EQ(inclusion.error, "AdminUtils.SubnetDoesNotExist");
}

TEST_F(Submission, may_stop_at_the_first_block) {
  options_.wait_finalized = false;
  chain_.hold_final = true;
  chain_.node.on(kWatch, [this](const Json& params, int) {
    return watching({{{"inBlock", chain_.hash_of(chain_.add_block({taken(params)}))}}});
  });
  EXPECT_TRUE(ok(submit()).success);
}

TEST_F(Submission, the_pool_s_reasons_come_through) {
  chain_.node.on(kWatch, [](const Json&, int) {
    return Answer::error(1010, "Invalid Transaction", "Custom error: 6");
  });
  const auto refused = submit();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_EQ(refused.error().message, "refused by the pool: 1010: RateLimitExceeded (Custom error: 6)");
  EXPECT_EQ(sent(), 1u);
}

TEST_F(Submission, a_taken_nonce_is_not_outbid) {
  chain_.node.on(kWatch, [](const Json&, int) { return Answer::error(1014, "Priority is too low"); });
  const auto refused = submit();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kAborted);
  EXPECT_EQ(sent(), 1u);
}

TEST_F(Submission, a_stale_nonce_is_fetched_again) {
  chain_.node.on(kWatch, [this](const Json& params, int nth) {
    if (nth == 0) {
      chain_.nonce = 6;
      return Answer::error(1010, "Invalid Transaction", "Transaction is outdated");
    }
    return watching({{{"finalized", chain_.hash_of(chain_.add_block({taken(params)}))}}});
  });
  EXPECT_TRUE(ok(submit()).success);
  EXPECT_EQ(sent(), 2u);
}

TEST_F(Submission, a_nonce_that_stays_stale_ends) {
  chain_.node.on(kWatch, [](const Json&, int) {
    return Answer::error(1010, "Invalid Transaction", "Transaction is outdated");
  });
  EXPECT_EQ(submit().error().code, ErrorCode::kAborted);
  EXPECT_EQ(sent(), 3u);
}

// The line breaks after the node took it: it is found by its bytes, and never sent again.
TEST_F(Submission, is_found_after_the_line_broke_on_the_answer) {
  chain_.node.on(kWatch, [this](const Json& params, int) {
    const Bytes xt = taken(params);
    chain_.nonce = 6;
    chain_.add_block();
    chain_.add_block({xt}, "SubtensorModule.NotEnoughBalanceToStake");
    return Answer::cut();
  });
  const Inclusion inclusion = ok(submit());
  EXPECT_FALSE(inclusion.success);
  EXPECT_EQ(inclusion.error, "SubtensorModule.NotEnoughBalanceToStake");
  EXPECT_EQ(inclusion.block.number, 72u);
  EXPECT_EQ(sent(), 1u);
}

TEST_F(Submission, is_found_after_the_line_broke_while_watching) {
  std::thread later;
  chain_.node.on(kWatch, [this, &later](const Json& params, int) {
    const Bytes xt = taken(params);
    chain_.nonce = 6;
    later = std::thread([this, xt] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      chain_.add_block({xt});
    });
    Answer answer = watching({"ready"});
    answer.cut_after = true;
    return answer;
  });
  const Inclusion inclusion = ok(submit());
  later.join();
  EXPECT_TRUE(inclusion.success);
  EXPECT_EQ(inclusion.block.number, 71u);
  EXPECT_EQ(sent(), 1u);
}

// The line breaks before the node took it: neither pool nor chain has it, so the same bytes go out again.
TEST_F(Submission, the_same_bytes_are_sent_again_when_nobody_has_them) {
  Bytes first;
  chain_.node.on(kWatch, [this, &first](const Json& params, int) {
    first = taken(params);
    return Answer::cut();
  });
  chain_.node.on(kSend, [this, &first](const Json& params, int) {
    EXPECT_EQ(taken(params), first);
    chain_.nonce = 6;
    chain_.add_block({first});
    return Answer::result("0x00");
  });
  const Inclusion inclusion = ok(submit());
  EXPECT_TRUE(inclusion.success);
  EXPECT_EQ(chain_.node.count(kWatch), 1);
  EXPECT_EQ(chain_.node.count(kSend), 1);
}

TEST_F(Submission, already_imported_means_search) {
  chain_.node.on(kWatch, [this](const Json& params, int) {
    const Bytes xt = taken(params);
    chain_.nonce = 6;
    chain_.add_block({xt});
    return Answer::error(1013, "Transaction Already Imported");
  });
  EXPECT_TRUE(ok(submit()).success);
  EXPECT_EQ(sent(), 1u);
}

TEST_F(Submission, dropped_by_the_pool_but_in_a_block_is_found) {
  chain_.node.on(kWatch, [this](const Json& params, int) {
    const Bytes xt = taken(params);
    chain_.nonce = 6;
    chain_.add_block({xt});
    return watching({"ready", "dropped"});
  });
  EXPECT_TRUE(ok(submit()).success);
}

TEST_F(Submission, what_the_pool_lets_go_is_said) {
  for (const Json& end : {Json{{"usurped", "0x00"}}, Json("invalid"), Json("dropped")}) {
    chain_.node.on(kWatch, [this, end](const Json& params, int) {
      (void)taken(params);
      return watching({"ready", end});
    });
    chain_.node.on(kSend, [](const Json&, int) { return Answer::error(1010, "Invalid Transaction", "x"); });
    const auto let_go = submit();
    ASSERT_FALSE(let_go.has_value()) << end;
    EXPECT_NE(let_go.error().code, ErrorCode::kUnavailable) << end;
  }
}

// A block that held it loses to another branch before it is final; the winner holds it too, later.
TEST_F(Submission, a_lost_branch_does_not_count) {
  std::promise<Bytes> taken_xt;
  chain_.node.on(kWatch, [this, &taken_xt](const Json& params, int) {
    const Bytes xt = taken(params);
    chain_.nonce = 6;
    chain_.hold_final = true;
    chain_.add_block({xt});
    taken_xt.set_value(xt);
    return Answer::cut();
  });
  std::thread world([this, xt = taken_xt.get_future()]() mutable {
    const Bytes bytes = xt.get();
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    chain_.reorganise(71);
    chain_.add_block({bytes});
    chain_.finalize_all();
  });
  const Inclusion inclusion = ok(submit());
  world.join();
  EXPECT_TRUE(inclusion.success);
  EXPECT_EQ(inclusion.block.number, 72u);
}

TEST_F(Submission, a_lapsed_era_ends_the_search) {
  chain_.node.on(kWatch, [this](const Json& params, int) {
    (void)taken(params);
    chain_.nonce = 6;  // something else took the nonce
    for (int i = 0; i < 64; ++i) chain_.add_block();
    return Answer::cut();
  });
  const auto lapsed = submit();
  ASSERT_FALSE(lapsed.has_value());
  EXPECT_EQ(lapsed.error().code, ErrorCode::kAborted);
  EXPECT_EQ(lapsed.error().message, "the extrinsic was in no block before its era ended at block 134");
}

TEST_F(Submission, an_unknown_fate_is_said_when_time_is_up) {
  options_.submit_timeout_ms = 200;
  chain_.node.on(kWatch, [this](const Json& params, int) {
    (void)taken(params);
    chain_.nonce = 6;
    return watching({"ready"});
  });
  const auto unknown = submit();
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(unknown.error().message.find("is not known: it is in no block yet"), std::string::npos);
}

// Threads of one account take turns, so that no two sign the same nonce.
TEST_F(Submission, one_account_s_submissions_take_turns) {
  chain_.node.on(kWatch, [this](const Json& params, int) {
    const Bytes xt = taken(params);
    ++chain_.nonce;
    return watching({{{"finalized", chain_.hash_of(chain_.add_block({xt}))}}});
  });
  auto client = connect(chain_.node.url(), options_);
  ASSERT_TRUE(client.has_value());
  const Bytes call = ok(burned_register((*client)->metadata(), 1, bob()));
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 3; ++k) {
        const auto inclusion = (*client)->submit(call, signer_);
        if (inclusion && inclusion->success) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 12);
  EXPECT_EQ(chain_.nonce, 17u);
}

// The call was made for a runtime in which its bytes meant something else.
TEST_F(Submission, a_call_made_before_an_upgrade_is_checked) {
  auto client = connect(chain_.node.url(), options_);
  ASSERT_TRUE(client.has_value());
  chain_.node.on(kWatch, [this](const Json& params, int) {
    return watching({{{"finalized", chain_.hash_of(chain_.add_block({taken(params)}))}}});
  });
  const Bytes call = ok(burned_register((*client)->metadata(), 1, bob()));
  chain_.spec_version = 462;
  EXPECT_TRUE(ok((*client)->submit(call, signer_)).success);  // the same call in both
  Bytes renamed = to_bytes(localnet_metadata());
  const std::size_t at = as_text(renamed).find("burned_register");
  ASSERT_NE(at, std::string_view::npos);
  renamed[at] = 'x';
  chain_.serve_metadata(renamed);
  chain_.spec_version = 463;
  const auto refused = (*client)->submit(call, signer_);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kAborted);
  EXPECT_EQ(refused.error().message, "the runtime went from 462 to 463: make the call again");
}

}  // namespace
}  // namespace adit::chain
