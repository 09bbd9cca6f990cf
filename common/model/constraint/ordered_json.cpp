// SPDX-License-Identifier: MIT
#include "common/model/constraint/ordered_json.hpp"

#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

namespace adit::model::constraint {
namespace {

// Looks at everything once and builds nothing.
class Bounds final : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return enter(); }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_array() override { return leave(); }
  bool key(string_t& name) override {
    if (keys_.back().size() >= kJsonKeysMax) {
      return fail(ErrorCode::kResourceExhausted,
                  fmt::format("more than {} keys in one object", kJsonKeysMax));
    }
    if (!keys_.back().insert(name).second) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("the key '{}' stands twice in one object", name));
    }
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    return fail(ErrorCode::kInvalidArgument, fmt::format("byte {}: not valid JSON", position));
  }
  std::optional<Error> error;

 private:
  bool enter() {
    if (keys_.size() >= kJsonDepthMax) {
      return fail(ErrorCode::kResourceExhausted, fmt::format("nested more than {} deep", kJsonDepthMax));
    }
    keys_.emplace_back();
    return true;
  }
  bool leave() {
    keys_.pop_back();
    return true;
  }
  bool fail(ErrorCode code, std::string message) {
    if (!error) error = Error{code, std::move(message)};
    return false;
  }
  std::vector<std::unordered_set<std::string>> keys_;
};

}  // namespace

Result<Json> parse_ordered(std::string_view text) {
  Bounds bounds;
  if (!Json::sax_parse(text, &bounds)) {
    if (bounds.error) return tl::unexpected<Error>(*bounds.error);
    return invalid_argument("not valid JSON");
  }
  return Json::parse(text, nullptr, false);
}

}  // namespace adit::model::constraint
