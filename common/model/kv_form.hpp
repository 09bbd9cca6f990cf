// SPDX-License-Identifier: MIT
// common/model/kv_form.hpp
//
// Which form cached keys and values have, and the version of the canonical numerics that this makes: f16 is
// numerics 1, int8 is numerics 2.
//
// Errors   parse_kv: kInvalidArgument for another name; check_kv: kUnimplemented for a model that int8 is not
//          defined for (MLA).
// Threads  pure.
// Source   kernels/NUMERICS.md, "Attention"
// Tests    tests/unit/common/model/kv_form_test.cpp
#pragma once

#include <cstdint>
#include <string_view>

#include "common/base/result.hpp"
#include "common/model/model_config.hpp"
#include "kernels/attention/attention.h"

namespace adit::model {

using kernels::KvForm;

inline constexpr std::uint32_t kNumericsMax = 2;

[[nodiscard]] constexpr std::uint32_t numerics_of(KvForm form) { return form == KvForm::kI8 ? 2 : 1; }
// numerics: 1 .. kNumericsMax.
[[nodiscard]] constexpr KvForm kv_form_of(std::uint32_t numerics) {
  return numerics == 2 ? KvForm::kI8 : KvForm::kF16;
}

// "f16", "int8".
[[nodiscard]] const char* name(KvForm form);
[[nodiscard]] Result<KvForm> parse_kv(std::string_view text);
// Whether the model can be run with this form.
[[nodiscard]] Result<void> check_kv(const ModelConfig& config, KvForm form);

}  // namespace adit::model
