// SPDX-License-Identifier: MIT
#include "common/proof/trace.hpp"

#include <algorithm>

#include "common/base/check.hpp"
#include "common/crypto/hash.hpp"
#include "kernels/hash/hash_rows.h"

namespace adit::proof {

using kernels::kDigestBytes;

TraceBuilder::TraceBuilder(const TraceShape& shape, std::uint32_t prompt_tokens, kernels::Isa isa)
    : shape_(shape),
      prompt_tokens_(prompt_tokens),
      main_(lane_count(shape) - 1, isa),
      last_residual_(1, isa),
      row_(main_.lanes() * kDigestBytes) {
  ADIT_CHECK(prompt_tokens > 0);
}

void TraceBuilder::append(std::uint32_t position, const std::uint8_t* leaves) {
  ADIT_CHECK(position == positions());
  const std::size_t before = residual_lane(shape_, shape_.layers - 1) * kDigestBytes;
  const std::uint8_t* last = leaves + before;
  const std::uint8_t* end = leaves + lane_count(shape_) * kDigestBytes;
  std::copy(last + kDigestBytes, end, std::copy(leaves, last, row_.begin()));
  main_.append(row_.data());
  if (position + 1 >= prompt_tokens_) last_residual_.append(last);
}

Hash256 TraceBuilder::root(const TraceBinding& binding, std::span<const TokenId> ids) const {
  ADIT_CHECK(positions() >= prompt_tokens_ && ids.size() == std::size_t{positions()} + 1);
  const Bytes main = main_.roots();
  const Bytes last = last_residual_.roots();
  const std::size_t before = residual_lane(shape_, shape_.layers - 1) * kDigestBytes;

  Bytes head;
  append_le<std::uint32_t>(head, kTraceVersion);
  adit::append(head, binding.card);
  adit::append(head, binding.request);
  adit::append(head, binding.seed);
  append_le<std::uint32_t>(head, prompt_tokens_);
  append_le<std::uint32_t>(head, static_cast<std::uint32_t>(ids.size()) - prompt_tokens_);
  append_le<std::uint32_t>(head, static_cast<std::uint32_t>(lane_count(shape_)));
  adit::append(head, ids_hash(ids));

  const ByteView lanes(main);
  return crypto::PersonalHash("adit1.trace")
      .update(head)
      .update(lanes.first(before))
      .update(last)
      .update(lanes.subspan(before))
      .finish();
}

Hash256 ids_hash(std::span<const TokenId> ids) {
  Bytes bytes;
  bytes.reserve(ids.size() * sizeof(std::uint32_t));
  for (const TokenId id : ids) append_le<std::uint32_t>(bytes, static_cast<std::uint32_t>(id));
  return crypto::b2("adit1.ids", bytes);
}

}  // namespace adit::proof
