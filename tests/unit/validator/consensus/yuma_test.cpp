// SPDX-License-Identifier: MIT
#include "validator/consensus/yuma.hpp"

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <zlib.h>

#include "common/base/rng.hpp"
#include "validator/consensus/yuma_case.hpp"
#include "validator/consensus/yuma_command.hpp"

namespace adit::validator {
namespace {

std::vector<std::string> vector_lines() {
  std::string text;
  gzFile file = gzopen(ADIT_TEST_VECTORS "/yuma-300.txt.gz", "rb");
  if (file == nullptr) return {};
  std::array<char, 65536> chunk{};
  for (int got = 0; (got = gzread(file, chunk.data(), chunk.size())) > 0;) {
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
  gzclose(file);
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string run(std::string_view input) {
  const Result<EpochInput> parsed = parse_case(input);
  if (!parsed) return parsed.error().message;
  const Result<EpochOutput> output = run_epoch(*parsed);
  return output ? format_output(*output) : output.error().message;
}

TEST(Yuma, EqualsTheChainsOwnCodeOnAllVectors) {
  const std::vector<std::string> lines = vector_lines();
  ASSERT_EQ(lines.size(), 300u);
  for (const std::string& line : lines) {
    const CaseLine parts = split_case_line(line);
    ASSERT_FALSE(parts.expected.empty());
    ASSERT_EQ(run(parts.input), parts.expected) << parts.input;
  }
}

TEST(Yuma, OrderOfRunsAndOfPairsInARowChangesNothing) {
  std::vector<std::string> lines = vector_lines();
  ASSERT_EQ(lines.size(), 300u);
  SeededRng rng(7);
  for (std::size_t i = lines.size(); i > 1; --i) std::swap(lines[i - 1], lines[rng.below(i)]);
  for (const std::string& line : lines) {
    const CaseLine parts = split_case_line(line);
    Result<EpochInput> input = parse_case(parts.input);
    ASSERT_TRUE(input);
    for (ShareRow& row : input->weights) std::reverse(row.begin(), row.end());
    for (ShareRow& row : input->bonds) std::reverse(row.begin(), row.end());
    Result<EpochOutput> output = run_epoch(*input);
    ASSERT_TRUE(output);
    for (ShareRow& row : output->bonds) std::sort(row.begin(), row.end());
    ASSERT_EQ(format_output(*output), parts.expected);
  }
}

// The published numbers of the chain's test_bonds, four epochs of which each feeds the next.
TEST(Yuma, BondsOverFourEpochs) {
  EpochInput in;
  in.tempo = 1;
  in.activity_cutoff = 1000;
  in.stake = {1, 2, 3, 4, 0, 0, 0, 0};
  in.last_update.assign(8, 1);
  in.registered_at.assign(8, 0);
  in.permits.assign(8, true);
  in.max_validators = 8;
  in.weights.resize(8);
  in.bonds.resize(8);
  for (std::size_t i = 0; i < 4; ++i) in.weights[i] = {{4, 16383}, {5, 32767}, {6, 49149}, {7, 65535}};
  in.emission = 1000000000;
  in.block = 2;
  const std::vector<std::vector<Rao>> expected = {
      {49999998, 99999999, 150000000, 200000001, 49998779, 100000610, 149996337, 200004272},
      {44998351, 101110561, 151667215, 202223870, 49998779, 100000610, 149996337, 200004272},
      {40496805, 90999783, 157929636, 210573773, 49998779, 100000610, 149996337, 200004272},
      {99999999, 199999999, 299999999, 399999999, 0, 0, 0, 0}};
  for (std::size_t step = 0; step < expected.size(); ++step) {
    if (step > 0) in.weights[step - 1] = {{static_cast<Uid>(step - 1), 65535}};
    in.block += 1;
    in.last_mechanism_step = in.block - 2;
    const Result<EpochOutput> out = run_epoch(in);
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_EQ(out->emission, expected[step]) << "epoch " << step + 1;
    in.bonds = out->bonds;
    in.permits.assign(8, true);
  }
  EXPECT_EQ(in.bonds[0].back(), (std::pair<Uid, std::uint16_t>{7, 12602}));
  EXPECT_EQ(in.bonds[1].back(), (std::pair<Uid, std::uint16_t>{7, 28320}));
  EXPECT_EQ(in.bonds[2].back(), (std::pair<Uid, std::uint16_t>{7, 49150}));
}

std::uint64_t extreme(SeededRng& rng) {
  switch (rng.below(4)) {
    case 0:
      return 0;
    case 1:
      return ~std::uint64_t{0} - rng.below(3);
    case 2:
      return rng.next();
    default:
      return rng.below(1000);
  }
}

EpochInput random_input(SeededRng& rng) {
  EpochInput in;
  const std::size_t count = rng.below(12);
  const bool modest = rng.below(2) == 1;
  const auto u16 = [&] { return static_cast<std::uint16_t>(extreme(rng)); };
  in.block = extreme(rng);
  in.tempo = u16();
  in.activity_cutoff = extreme(rng);
  in.stake_threshold = extreme(rng);
  in.max_validators = u16();
  in.kappa = u16();
  in.bonds_penalty = u16();
  in.yuma3 = rng.below(2) == 1;
  in.liquid_alpha = rng.below(2) == 1;
  in.commit_reveal = rng.below(2) == 1;
  in.last_mechanism_step = extreme(rng);
  in.bonds_moving_average = extreme(rng);
  in.alpha_low = u16();
  in.alpha_high = u16();
  in.alpha_steepness = static_cast<std::int16_t>(extreme(rng));
  in.emission = extreme(rng);
  if (count > 0 && rng.below(2) == 1) in.owner = static_cast<Uid>(rng.below(count));
  for (std::size_t i = 0; i < count; ++i) {
    in.last_update.push_back(extreme(rng));
    in.registered_at.push_back(extreme(rng));
    in.stake.push_back(modest ? rng.below(1000000) : extreme(rng));
    in.permits.push_back(rng.below(2) == 1);
    in.commit_blocks.emplace_back();
    if (rng.below(2) == 1) in.commit_blocks.back() = extreme(rng);
    in.weights.emplace_back();
    in.bonds.emplace_back();
    for (Uid j = 0; j < count; ++j) {
      if (rng.below(2) == 1) in.weights[i].emplace_back(j, u16());
      if (rng.below(2) == 1) in.bonds[i].emplace_back(j, u16());
    }
  }
  return in;
}

TEST(Yuma, ExtremeInputsNeitherCrashNorPayMoreThanTheEmission) {
  SeededRng rng(20);
  for (int round = 0; round < 20000; ++round) {
    const EpochInput in = random_input(rng);
    const Result<EpochOutput> first = run_epoch(in);
    ASSERT_TRUE(first);
    ASSERT_EQ(first->emission.size(), in.stake.size());
    long double paid = 0;
    for (const Rao rao : first->emission) paid += static_cast<long double>(rao);
    long double staked = 0;
    for (const Rao rao : in.stake) staked += static_cast<long double>(rao);
    // The chain's sum of stake saturates at 2^63 rao, 400 times what can exist; beyond it shares exceed 1.
    if (staked < 9.2e18L) {
      ASSERT_LE(paid, static_cast<long double>(in.emission) * 1.0000001L);
    }
    for (std::size_t i = 0; i < in.stake.size(); ++i) {
      ASSERT_TRUE(first->permits[i] || first->bonds[i].empty());
    }
    ASSERT_EQ(*first, *run_epoch(in));
  }
}

TEST(Yuma, InputThatDoesNotFitIsRefused) {
  EpochInput in;
  in.stake = {1, 2};
  EXPECT_EQ(run_epoch(in).error().message, "last_update has 0 items for 2 uids");
  in.last_update = in.registered_at = {0, 0};
  in.permits = {true, true};
  in.weights = {{{2, 1}}, {}};
  in.bonds.resize(2);
  EXPECT_EQ(run_epoch(in).error().message, "weights row 0: uid 2 of 2");
  in.weights = {{{1, 1}, {1, 2}}, {}};
  EXPECT_EQ(run_epoch(in).error().message, "weights row 0: uid 1 stands twice");
}

constexpr const char* kSmall =
    "n=2 block=9 tempo=3 cutoff=50 lu=5,5 reg=0,0 stake=10,0 thr=0 owner=none permit=1,0 maxval=2 w=1:7; "
    "b=; "
    "cr=0 commits= kappa=32767 pen=0 y3=1 la=0 lms=4 bma=900000 alo=1 ahi=2 steep=10 rao=1000";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos);
  return text.replace(at, from.size(), to);
}

TEST(YumaCase, ErrorsNameTheKey) {
  const std::string small = kSmall;
  EXPECT_TRUE(parse_case(small));
  const auto message = [](const std::string& text) {
    const Result<EpochInput> result = parse_case(text);
    return result ? std::string("accepted") : result.error().message;
  };
  EXPECT_EQ(message(replaced(small, "thr=0", "thr=x")), "key 'thr': expected a whole number, got 'x'");
  EXPECT_EQ(message(replaced(small, "kappa=32767", "kappa=70000")),
            "key 'kappa': 70000 does not fit 16 bits");
  EXPECT_EQ(message(replaced(small, "stake=10,0", "stake=10")), "key 'stake': expected 2 items, got 1");
  EXPECT_EQ(message(replaced(small, "w=1:7;", "w=2:7;")), "key 'w': uid 2 is not below n");
  EXPECT_EQ(message(replaced(small, "w=1:7;", "w=1:7,1:8;")), "key 'w': uid 1 stands twice");
  EXPECT_EQ(message(replaced(small, "w=1:7;", "w=1;")), "key 'w': expected uid:value");
  EXPECT_EQ(message(replaced(small, " cr=0", "")), "key 'cr': missing");
  EXPECT_EQ(message(small + " rao=1"), "key 'rao': stands twice");
  EXPECT_EQ(message(small + " raoo=1"), "key 'raoo': unknown");
  EXPECT_EQ(message(replaced(small, "y3=1", "y3=2")), "key 'y3': expected 0 or 1");
  EXPECT_EQ(message(replaced(small, "owner=none", "owner=2")), "key 'owner': uid 2 is not below n");
  EXPECT_EQ(message(replaced(small, "n=2", "n=5000")), "key 'n': 5000 is above 4096");
  EXPECT_EQ(message("hello"), "'hello': expected key=value");
}

TEST(YumaCommand, PrintsInputAndOutputAndChecks) {
  const std::vector<std::string> lines = vector_lines();
  ASSERT_GE(lines.size(), 2u);
  const std::string with_output = lines[0] + "\n\n# note\n" + lines[1] + "\n";
  std::istringstream in(std::string(split_case_line(lines[0]).input) + "\n\n# note\n" + lines[1] + "\n");
  std::ostringstream out;
  std::ostringstream errors;
  EXPECT_EQ(run_yuma_command({}, {in, out, errors}), 0);
  EXPECT_EQ(out.str(), lines[0] + "\n" + lines[1] + "\n");
  EXPECT_EQ(errors.str(), "");

  const std::vector<std::string> check = {"--check"};
  std::istringstream right(with_output);
  std::ostringstream right_out;
  EXPECT_EQ(run_yuma_command(check, {right, right_out, errors}), 0);
  std::istringstream wrong(std::string(split_case_line(lines[0]).input) + " => I=1\n");
  EXPECT_EQ(run_yuma_command(check, {wrong, right_out, errors}), 1);

  std::istringstream bad("\nn=1\n");
  std::ostringstream bad_errors;
  EXPECT_EQ(run_yuma_command({}, {bad, out, bad_errors}), 3);
  EXPECT_EQ(bad_errors.str(), "adit-validator: yuma: line 2: key 'block': missing\n");
}

}  // namespace
}  // namespace adit::validator
