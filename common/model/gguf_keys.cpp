// SPDX-License-Identifier: MIT
#include "common/model/gguf_keys.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <climits>

namespace adit::model {
namespace {

// Of the file's making, or said a second time by the tensors.
constexpr std::array<std::string_view, 6> kHarmless{
    "vocab_size",       "tensor_data_layout", "rope.scaling.finetuned", "attention.layer_norm_epsilon",
    "attention.causal", "quantized_by"};

double shortest(double value) {
  if (static_cast<double>(static_cast<float>(value)) != value) return value;
  return std::strtod(fmt::format("{}", static_cast<float>(value)).c_str(), nullptr);
}

}  // namespace

tl::unexpected<Error> GgufKeys::wrong(const char* key, std::string_view found,
                                      std::string_view expected) const {
  return unimplemented("{}: key {}: {}, expected {}", label(), full(key), found.substr(0, 60), expected);
}

const GgufTensor* GgufKeys::find_tensor(std::string_view name, const Gguf** file) const {
  for (const Gguf* candidate : files_) {
    const GgufTensor* tensor = candidate->find_tensor(name);
    if (tensor == nullptr) continue;
    if (file != nullptr) *file = candidate;
    return tensor;
  }
  return nullptr;
}

Result<int> GgufKeys::integer(const char* key) {
  read_.insert(full(key));
  ADIT_TRY(const std::uint64_t value, gguf_.unsigned_at(full(key)));
  if (value > INT_MAX) return invalid_argument("{}: key {}: {} is too large", label(), full(key), value);
  return static_cast<int>(value);
}

Result<int> GgufKeys::integer_or(const char* key, int absent) {
  return has(key) ? integer(key) : Result<int>(absent);
}

Result<double> GgufKeys::number(const char* key) {
  read_.insert(full(key));
  ADIT_TRY(const double value, gguf_.number_at(full(key)));
  return shortest(value);
}

Result<double> GgufKeys::number_or(const char* key, double absent) {
  return has(key) ? number(key) : Result<double>(absent);
}

Result<bool> GgufKeys::boolean_or(const char* key, bool absent) {
  read_.insert(full(key));
  return has(key) ? gguf_.bool_at(full(key)) : Result<bool>(absent);
}

Result<std::string> GgufKeys::text_or(const char* key, const char* absent) {
  read_.insert(full(key));
  return has(key) ? gguf_.string_at(full(key)) : Result<std::string>(absent);
}

Result<void> GgufKeys::finish() const {
  const std::string prefix = architecture_ + ".";
  for (const std::string& key : gguf_.keys()) {
    if (!key.starts_with(prefix) || read_.contains(key)) continue;
    const std::string_view own = std::string_view(key).substr(prefix.size());
    if (std::find(kHarmless.begin(), kHarmless.end(), own) != kHarmless.end()) {
      if (own != "attention.causal") continue;
      ADIT_TRY(const bool causal, gguf_.bool_at(key));
      if (causal) continue;
    }
    const Result<double> number = gguf_.number_at(key);
    if (number && *number == 0) continue;
    const Result<bool> flag = gguf_.bool_at(key);
    if (flag && !*flag && own != "attention.causal") continue;
    return unimplemented("{}: key {} is not understood", label(), key.substr(0, 100));
  }
  return {};
}

}  // namespace adit::model
