// SPDX-License-Identifier: MIT
#include "common/chain/events.hpp"

#include "common/base/limits.hpp"
#include "common/scale/decoder.hpp"
#include "common/scale/encoder.hpp"

namespace adit::chain {
namespace {

Result<Event> decode_event(const Metadata& metadata, scale::Decoder& in, ByteView whole) {
  Event event;
  const std::size_t at = in.offset();
  ADIT_TRY(const std::uint8_t phase, in.u8());
  if (phase > 2) return invalid_argument("offset {}: phase {}", at, phase);
  event.phase = static_cast<Phase>(phase);
  if (event.phase == Phase::kApplyExtrinsic) {
    ADIT_TRY(event.extrinsic_index, in.u32());
  }
  ADIT_TRY(const std::uint8_t pallet, in.u8());
  ADIT_TRY(const std::uint8_t index, in.u8());
  ADIT_TRY(const ItemRef item, metadata.event(pallet, index));
  event.pallet = item.pallet->name;
  event.name = item.variant->name;
  const std::size_t begin = in.offset();
  for (const Field& field : item.variant->fields) {
    const auto skipped = metadata.types().skip(field.type, in);
    if (!skipped) return tl::unexpected<Error>(skipped.error().context(item.full_name()));
  }
  event.fields = to_bytes(whole.subspan(begin, in.offset() - begin));
  ADIT_TRY(const std::size_t topics, in.count(32));
  ADIT_TRY_VOID(in.raw(topics * 32));
  return event;
}

// The DispatchError type: the first field of System.ExtrinsicFailed.
Result<const VariantDef*> dispatch_error_type(const Metadata& metadata) {
  ADIT_TRY(const ItemRef failed, metadata.event("System", "ExtrinsicFailed"));
  const VariantDef* def =
      failed.variant->fields.empty() ? nullptr : metadata.types().variants(failed.variant->fields[0].type);
  if (def == nullptr) return not_found("the runtime's System.ExtrinsicFailed carries no dispatch error");
  return def;
}

Result<std::string> module_error_text(const Metadata& metadata, scale::Decoder& in) {
  ADIT_TRY(const std::uint8_t pallet, in.u8());
  ADIT_TRY(const std::uint8_t index, in.u8());
  ADIT_TRY_VOID(in.raw(3));
  const auto item = metadata.error(pallet, index);
  if (!item) return fmt::format("error {} of pallet {}", index, pallet);
  return item->full_name();
}

Result<std::string> error_text(const Metadata& metadata, ByteView error) {
  ADIT_TRY(const VariantDef* def, dispatch_error_type(metadata));
  scale::Decoder in(error);
  ADIT_TRY(const std::uint8_t index, in.u8());
  const Variant* variant = def->find(index);
  if (variant == nullptr) return not_found("no dispatch error {}", index);
  if (variant->name == "Module") return module_error_text(metadata, in);
  const VariantDef* inner =
      variant->fields.size() == 1 ? metadata.types().variants(variant->fields[0].type) : nullptr;
  if (inner == nullptr) return variant->name;
  ADIT_TRY(const std::uint8_t inner_index, in.u8());
  const Variant* detail = inner->find(inner_index);
  return variant->name + "." + (detail != nullptr ? detail->name : std::to_string(inner_index));
}

}  // namespace

Result<std::vector<Event>> decode_events(const Metadata& metadata, ByteView bytes) {
  scale::Decoder in(bytes);
  // A record is at least a phase, two indices and a count.
  const auto count = in.count(4);
  if (!count) return tl::unexpected<Error>(count.error().context("events"));
  std::vector<Event> events;
  for (std::size_t i = 0; i < *count; ++i) {
    auto event = decode_event(metadata, in, bytes);
    if (!event) return tl::unexpected<Error>(event.error().context(fmt::format("event {}", i)));
    events.push_back(*std::move(event));
  }
  if (!in.done())
    return invalid_argument("events: offset {}: {} bytes too many", in.offset(), in.remaining());
  return events;
}

Result<Bytes> encode_events(const Metadata& metadata, std::span<const Event> events) {
  scale::Encoder out;
  out.compact(events.size());
  for (const Event& event : events) {
    ADIT_TRY(const ItemRef item, metadata.event(event.pallet, event.name));
    out.u8(static_cast<std::uint8_t>(event.phase));
    if (event.phase == Phase::kApplyExtrinsic) out.u32(event.extrinsic_index);
    out.u8(item.pallet->index);
    out.u8(item.variant->index);
    scale::Decoder in(event.fields);
    for (const Field& field : item.variant->fields) {
      const auto skipped = metadata.types().skip(field.type, in);
      if (!skipped) return tl::unexpected<Error>(skipped.error().context(item.full_name()));
    }
    if (!in.done()) return invalid_argument("{}: {} bytes too many", item.full_name(), in.remaining());
    out.raw(event.fields);
    out.compact(0);
  }
  return out.take();
}

std::string dispatch_error_text(const Metadata& metadata, ByteView error) {
  const auto text = error_text(metadata, error);
  if (text) return *text;
  return fmt::format("unreadable dispatch error 0x{} ({})",
                     to_hex(error.first(std::min<std::size_t>(error.size(), 32))), text.error().message);
}

Result<Bytes> encode_module_error(const Metadata& metadata, std::string_view pallet,
                                  std::string_view error) {
  ADIT_TRY(const VariantDef* def, dispatch_error_type(metadata));
  ADIT_TRY(const ItemRef item, metadata.error(pallet, error));
  const Variant* variant = def->find("Module");
  if (variant == nullptr) return not_found("the runtime's dispatch error has no Module");
  return Bytes{variant->index, item.pallet->index, item.variant->index, 0, 0, 0};
}

}  // namespace adit::chain
