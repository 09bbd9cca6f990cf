// SPDX-License-Identifier: MIT
#include "common/model/kv_form.hpp"

namespace adit::model {

const char* name(KvForm form) { return form == KvForm::kI8 ? "int8" : "f16"; }

Result<KvForm> parse_kv(std::string_view text) {
  for (const KvForm form : {KvForm::kF16, KvForm::kI8}) {
    if (text == name(form)) return form;
  }
  return invalid_argument("'{}' is not f16 or int8", text);
}

Result<void> check_kv(const ModelConfig& config, KvForm form) {
  if (form == KvForm::kF16 || !config.is_mla()) return {};
  return unimplemented(
      "{}: keys and values in int8 (numerics 2) are not defined for latent attention, whose rows are small "
      "already: use f16 (numerics 1)",
      config.name.empty() ? config.family : config.name);
}

}  // namespace adit::model
