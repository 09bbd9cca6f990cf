// SPDX-License-Identifier: MIT
#include "validator/consensus/yuma_case.hpp"

#include <array>
#include <charconv>
#include <map>
#include <vector>

#include "common/base/limits.hpp"

namespace adit::validator {
namespace {

using Fields = std::map<std::string_view, std::string_view>;

constexpr std::array<std::string_view, 25> kKeys = {
    "n",  "block",   "tempo", "cutoff", "lu", "reg", "stake", "thr", "owner", "permit", "maxval", "w",  "b",
    "cr", "commits", "kappa", "pen",    "y3", "la",  "lms",   "bma", "alo",   "ahi",    "steep",  "rao"};

Result<Fields> split_fields(std::string_view input) {
  Fields fields;
  while (!input.empty()) {
    const std::size_t end = std::min(input.find(' '), input.size());
    const std::string_view item = input.substr(0, end);
    input.remove_prefix(std::min(end + 1, input.size()));
    const std::size_t equals = item.find('=');
    if (equals == std::string_view::npos) {
      return invalid_argument("'{}': expected key=value", item.substr(0, 40));
    }
    const std::string_view key = item.substr(0, equals);
    bool known = false;
    for (const std::string_view name : kKeys) known = known || name == key;
    if (!known) return invalid_argument("key '{}': unknown", key.substr(0, 40));
    if (!fields.emplace(key, item.substr(equals + 1)).second) {
      return invalid_argument("key '{}': stands twice", key);
    }
  }
  for (const std::string_view key : kKeys) {
    if (!fields.contains(key)) return invalid_argument("key '{}': missing", key);
  }
  return fields;
}

template <class T>
Result<T> number(std::string_view key, std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) {
    return invalid_argument("key '{}': {} does not fit {} bits", key, text.substr(0, 40), sizeof(T) * 8);
  }
  if (error != std::errc() || end != text.data() + text.size()) {
    return invalid_argument("key '{}': expected a whole number, got '{}'", key, text.substr(0, 40));
  }
  return value;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t end = text.find(separator);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

// Reads fields and keeps the first error; a value read after an error means nothing.
class Reader {
 public:
  explicit Reader(const Fields& fields) : fields_(fields) {}

  template <class T>
  void scalar(std::string_view key, T& out) {
    take(number<T>(key, fields_.at(key)), out);
  }
  void flag(std::string_view key, bool& out) {
    std::uint8_t value = 0;
    scalar(key, value);
    if (value > 1) fail(Error{ErrorCode::kInvalidArgument, fmt::format("key '{}': expected 0 or 1", key)});
    out = value == 1;
  }
  // Exactly `count` numbers.
  template <class T>
  void list(std::string_view key, std::size_t count, std::vector<T>& out) {
    const std::string_view text = fields_.at(key);
    const std::vector<std::string_view> items =
        text.empty() ? std::vector<std::string_view>() : split(text, ',');
    if (!same_count(key, items.size(), count)) return;
    for (const std::string_view item : items) {
      T value{};
      take(number<T>(key, item), value);
      out.push_back(value);
    }
  }
  // `uid:value` pairs; uids below `count`, none twice.
  template <class T, class Store>
  void pairs(std::string_view key, std::string_view text, std::size_t count, const Store& store) {
    if (text.empty()) return;
    std::vector<bool> seen(count);
    for (const std::string_view item : split(text, ',')) {
      const std::size_t colon = item.find(':');
      if (colon == std::string_view::npos) {
        fail(Error{ErrorCode::kInvalidArgument, fmt::format("key '{}': expected uid:value", key)});
        return;
      }
      Uid uid = 0;
      T value{};
      take(number<Uid>(key, item.substr(0, colon)), uid);
      take(number<T>(key, item.substr(colon + 1)), value);
      if (uid >= count || seen[uid]) {
        const char* wrong = uid >= count ? "is not below n" : "stands twice";
        fail(Error{ErrorCode::kInvalidArgument, fmt::format("key '{}': uid {} {}", key, uid, wrong)});
        return;
      }
      seen[uid] = true;
      store(uid, value);
    }
  }
  void rows(std::string_view key, std::size_t count, std::vector<ShareRow>& out) {
    const std::string_view text = fields_.at(key);
    const std::vector<std::string_view> items =
        text.empty() && count == 0 ? std::vector<std::string_view>() : split(text, ';');
    if (!same_count(key, items.size(), count)) return;
    out.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      pairs<std::uint16_t>(key, items[i], count,
                           [&](Uid uid, std::uint16_t value) { out[i].emplace_back(uid, value); });
    }
  }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  template <class T>
  void take(Result<T> result, T& out) {
    if (result) {
      out = *result;
    } else {
      fail(std::move(result).error());
    }
  }
  bool same_count(std::string_view key, std::size_t got, std::size_t expected) {
    if (got == expected) return true;
    fail(Error{ErrorCode::kInvalidArgument,
               fmt::format("key '{}': expected {} items, got {}", key, expected, got)});
    return false;
  }
  void fail(Error error) {
    if (!error_) error_ = std::move(error);
  }

  const Fields& fields_;
  std::optional<Error> error_;
};

template <class T>
void put_list(std::string& out, std::string_view key, const std::vector<T>& values) {
  fmt::format_to(std::back_inserter(out), "{}{}=", out.empty() ? "" : " ", key);
  for (std::size_t i = 0; i < values.size(); ++i) {
    fmt::format_to(std::back_inserter(out), "{}{}", i == 0 ? "" : ",",
                   static_cast<std::uint64_t>(values[i]));
  }
}

}  // namespace

CaseLine split_case_line(std::string_view line) {
  constexpr std::string_view kArrow = " =>";
  const std::size_t arrow = line.find(kArrow);
  if (arrow == std::string_view::npos) return {.input = line, .expected = {}};
  std::string_view expected = line.substr(arrow + kArrow.size());
  if (expected.starts_with(' ')) expected.remove_prefix(1);
  return {.input = line.substr(0, arrow), .expected = expected};
}

Result<EpochInput> parse_case(std::string_view input) {
  ADIT_TRY(const Fields fields, split_fields(input));
  ADIT_TRY(const std::size_t count, number<std::uint32_t>("n", fields.at("n")));
  if (count > limits::kUidsMax) return invalid_argument("key 'n': {} is above {}", count, limits::kUidsMax);
  EpochInput in;
  Reader read(fields);
  read.scalar("block", in.block);
  read.scalar("tempo", in.tempo);
  read.scalar("cutoff", in.activity_cutoff);
  read.list("lu", count, in.last_update);
  read.list("reg", count, in.registered_at);
  read.list("stake", count, in.stake);
  read.scalar("thr", in.stake_threshold);
  if (fields.at("owner") != "none") {
    Uid owner = 0;
    read.scalar("owner", owner);
    if (owner >= count) return invalid_argument("key 'owner': uid {} is not below n", owner);
    in.owner = owner;
  }
  std::vector<std::uint8_t> permits;
  read.list("permit", count, permits);
  for (const std::uint8_t permit : permits) {
    if (permit > 1) return invalid_argument("key 'permit': expected 0 or 1, got {}", permit);
    in.permits.push_back(permit == 1);
  }
  read.scalar("maxval", in.max_validators);
  read.rows("w", count, in.weights);
  read.rows("b", count, in.bonds);
  read.flag("cr", in.commit_reveal);
  in.commit_blocks.resize(count);
  read.pairs<BlockNumber>("commits", fields.at("commits"), count,
                          [&](Uid uid, BlockNumber block) { in.commit_blocks[uid] = block; });
  read.scalar("kappa", in.kappa);
  read.scalar("pen", in.bonds_penalty);
  read.flag("y3", in.yuma3);
  read.flag("la", in.liquid_alpha);
  read.scalar("lms", in.last_mechanism_step);
  read.scalar("bma", in.bonds_moving_average);
  read.scalar("alo", in.alpha_low);
  read.scalar("ahi", in.alpha_high);
  read.scalar("steep", in.alpha_steepness);
  read.scalar("rao", in.emission);
  if (read.error()) return tl::unexpected<Error>(*read.error());
  return in;
}

std::string format_output(const EpochOutput& output) {
  std::string out;
  put_list(out, "I", output.incentive);
  put_list(out, "D", output.dividends);
  put_list(out, "C", output.consensus);
  put_list(out, "VT", output.validator_trust);
  put_list(out, "E", output.emission);
  put_list(out, "SE", output.server_emission);
  put_list(out, "VE", output.validator_emission);
  put_list(out, "permit", output.permits);
  out += " B=";
  for (std::size_t i = 0; i < output.bonds.size(); ++i) {
    if (i != 0) out += ';';
    for (std::size_t k = 0; k < output.bonds[i].size(); ++k) {
      fmt::format_to(std::back_inserter(out), "{}{}:{}", k == 0 ? "" : ",", output.bonds[i][k].first,
                     output.bonds[i][k].second);
    }
  }
  return out;
}

}  // namespace adit::validator
