// SPDX-License-Identifier: MIT
#include "validator/localnet/call_context.hpp"

namespace adit::validator {

std::uint64_t CallContext::compact_arg(std::string_view name) const {
  const Result<ByteView> bytes = call.raw(name);
  ADIT_CHECK(bytes.has_value());
  scale::Decoder in(*bytes);
  const Result<std::uint64_t> value = in.compact();
  ADIT_CHECK(value.has_value());
  return *value;
}

tl::unexpected<DispatchFailure> CallContext::fail_in(std::string_view pallet,
                                                     std::string_view error) const {
  Result<Bytes> bytes = chain::encode_module_error(state.metadata(), pallet, error);
  ADIT_CHECK(bytes.has_value());
  return tl::unexpected<DispatchFailure>(DispatchFailure{*std::move(bytes)});
}

tl::unexpected<DispatchFailure> bad_origin() {
  return tl::unexpected<DispatchFailure>(DispatchFailure{{2}});
}

tl::unexpected<DispatchFailure> cannot_lookup() {
  return tl::unexpected<DispatchFailure>(DispatchFailure{{1}});
}

tl::unexpected<DispatchFailure> token_error(TokenError error) {
  return tl::unexpected<DispatchFailure>(DispatchFailure{{7, static_cast<std::uint8_t>(error)}});
}

}  // namespace adit::validator
