// SPDX-License-Identifier: MIT
#include "common/model/safetensors.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/base/limits.hpp"

namespace adit::model::safetensors {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kAlignment = 64;
constexpr std::array<std::pair<Dtype, std::string_view>, 16> kNames{{{Dtype::kU8, "U8"},
                                                                     {Dtype::kU16, "U16"},
                                                                     {Dtype::kI16, "I16"},
                                                                     {Dtype::kF32, "F32"},
                                                                     {Dtype::kF64, "F64"},
                                                                     {Dtype::kBool, "BOOL"},
                                                                     {Dtype::kI8, "I8"},
                                                                     {Dtype::kF8E4M3, "F8_E4M3"},
                                                                     {Dtype::kF8E5M2, "F8_E5M2"},
                                                                     {Dtype::kF8E8M0, "F8_E8M0"},
                                                                     {Dtype::kF16, "F16"},
                                                                     {Dtype::kBF16, "BF16"},
                                                                     {Dtype::kI32, "I32"},
                                                                     {Dtype::kU32, "U32"},
                                                                     {Dtype::kI64, "I64"},
                                                                     {Dtype::kU64, "U64"}}};

std::uint64_t round_up(std::uint64_t value) {
  return (value + kAlignment - 1) / kAlignment * kAlignment;
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 80)) out += (c >= 0x20 && c < 0x7f) ? c : '?';
  return out;
}

Result<std::uint64_t> unsigned_of(const Json& json, std::string_view what) {
  if (!json.is_number_unsigned()) return invalid_argument("{} is not an unsigned integer", what);
  return json.get<std::uint64_t>();
}

// One entry of the table; `size` is that of the data.
Result<Tensor> parse_tensor(const std::string& name, const Json& json, std::uint64_t size) {
  Tensor out;
  out.name = name;
  if (!json.is_object() || json.size() != 3 || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets")) {
    return invalid_argument("expected an object with dtype, shape and data_offsets");
  }
  const Json& dtype = json["dtype"];
  const auto known = std::find_if(kNames.begin(), kNames.end(), [&](const auto& entry) {
    return dtype.is_string() && dtype.get_ref<const std::string&>() == entry.second;
  });
  if (known == kNames.end()) return invalid_argument("dtype is not a known one");
  out.dtype = known->first;
  const Json& shape = json["shape"];
  if (!shape.is_array() || shape.size() > limits::kTensorDimsMax) {
    return invalid_argument("shape is not a list of at most {} numbers", limits::kTensorDimsMax);
  }
  std::uint64_t elements = 1;
  for (const Json& item : shape) {
    ADIT_TRY(const std::uint64_t dim, unsigned_of(item, "a dimension"));
    if (dim == 0 || dim > limits::kTensorElementsMax / elements) {
      return invalid_argument("a dimension is {}, expected 1..{}", dim,
                              limits::kTensorElementsMax / elements);
    }
    elements *= dim;
    out.shape.push_back(dim);
  }
  const Json& range = json["data_offsets"];
  if (!range.is_array() || range.size() != 2) return invalid_argument("data_offsets is not a pair");
  ADIT_TRY(out.offset, unsigned_of(range[0], "data_offsets[0]"));
  ADIT_TRY(const std::uint64_t end, unsigned_of(range[1], "data_offsets[1]"));
  if (out.offset > end || end > size) {
    return invalid_argument("data_offsets {}..{}, but the file has {} bytes of data", out.offset, end, size);
  }
  out.bytes = end - out.offset;
  if (out.bytes != elements * dtype_bytes(out.dtype)) {
    return invalid_argument("{} bytes, expected {} of {}", out.bytes, elements, known->second);
  }
  return out;
}

// Every byte of the data belongs to exactly one tensor.
Result<void> check_cover(const File& file, std::uint64_t size, std::string_view label) {
  std::vector<const Tensor*> order;
  for (const auto& [name, tensor] : file.tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(),
            [](const Tensor* a, const Tensor* b) { return a->offset < b->offset; });
  std::uint64_t at = 0;
  for (const Tensor* tensor : order) {
    if (tensor->offset != at) {
      return invalid_argument("{}: offset {}: tensor {}: expected to start there, starts at {}", label,
                              file.data_offset + at, printable(tensor->name),
                              file.data_offset + tensor->offset);
    }
    at += tensor->bytes;
  }
  if (at != size) {
    return invalid_argument("{}: offset {}: {} bytes of no tensor", label, file.data_offset + at, size - at);
  }
  return {};
}

Result<Metadata> parse_metadata(const Json& json) {
  if (!json.is_object()) return invalid_argument("__metadata__ is not an object");
  Metadata out;
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) return invalid_argument("__metadata__.{} is not a string", printable(key));
    out.emplace(key, value.get<std::string>());
  }
  return out;
}

}  // namespace

std::string_view dtype_name(Dtype dtype) {
  return kNames[static_cast<std::size_t>(dtype)].second;
}

std::uint64_t dtype_bytes(Dtype dtype) {
  switch (dtype) {
    case Dtype::kU8:
    case Dtype::kBool:
    case Dtype::kI8:
    case Dtype::kF8E4M3:
    case Dtype::kF8E5M2:
    case Dtype::kF8E8M0:
      return 1;
    case Dtype::kU16:
    case Dtype::kI16:
    case Dtype::kF16:
    case Dtype::kBF16:
      return 2;
    case Dtype::kF32:
    case Dtype::kI32:
    case Dtype::kU32:
      return 4;
    case Dtype::kF64:
    case Dtype::kI64:
    case Dtype::kU64:
      return 8;
  }
  return 0;
}

Result<File> File::parse(ByteView bytes, std::string_view label) {
  if (bytes.size() < 8)
    return invalid_argument("{}: offset 0: {} bytes, expected a safetensors file", label, bytes.size());
  const auto header_size = load_le<std::uint64_t>(bytes.data());
  if (header_size > limits::kPackHeaderBytesMax || header_size > bytes.size() - 8) {
    return invalid_argument("{}: offset 0: a table of {} bytes, expected at most {}", label, header_size,
                            std::min<std::uint64_t>(limits::kPackHeaderBytesMax, bytes.size() - 8));
  }
  const std::string_view text = as_text(bytes.subspan(8, header_size));
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return invalid_argument("{}: offset 8: the table is not a JSON object", label);
  if (json.size() > limits::kTensorCountMax) {
    return invalid_argument("{}: offset 8: {} tensors, expected at most {}", label, json.size(),
                            limits::kTensorCountMax);
  }
  File out;
  out.data_offset = 8 + header_size;
  const std::uint64_t size = bytes.size() - out.data_offset;
  for (const auto& [name, value] : json.items()) {
    if (name == "__metadata__") {
      auto metadata = parse_metadata(value);
      if (!metadata)
        return tl::unexpected<Error>(metadata.error().context(fmt::format("{}: offset 8", label)));
      out.metadata = *std::move(metadata);
      continue;
    }
    auto tensor = parse_tensor(name, value, size);
    if (!tensor) {
      return tl::unexpected<Error>(
          tensor.error().context(fmt::format("{}: offset 8: tensor {}", label, printable(name))));
    }
    out.tensors.emplace(name, *std::move(tensor));
  }
  ADIT_TRY_VOID(check_cover(out, size, label));
  return out;
}

std::vector<Tensor> place(std::vector<Tensor> tensors) {
  std::vector<Tensor> out;
  std::uint64_t at = 0;
  int fills = 0;
  for (Tensor& tensor : tensors) {
    tensor.bytes = dtype_bytes(tensor.dtype);
    for (const std::uint64_t dim : tensor.shape) tensor.bytes *= dim;
    tensor.offset = at;
    at += tensor.bytes;
    out.push_back(std::move(tensor));
    const std::uint64_t fill = round_up(at) - at;
    if (fill == 0) continue;
    out.push_back(Tensor{fmt::format("fill.{}", fills++), Dtype::kU8, {fill}, at, fill});
    at += fill;
  }
  return out;
}

Result<Bytes> header_bytes(const std::vector<Tensor>& placed, const Metadata& metadata, std::size_t least) {
  Json json = Json::object();
  json["__metadata__"] = metadata;
  for (const Tensor& tensor : placed) {
    json[tensor.name] = {{"dtype", dtype_name(tensor.dtype)},
                         {"shape", tensor.shape},
                         {"data_offsets", {tensor.offset, tensor.offset + tensor.bytes}}};
  }
  std::string text;
  try {
    text = json.dump();
  } catch (const Json::exception&) {
    return invalid_argument("a name or text is not UTF-8");
  }
  text.resize(round_up(std::max(text.size() + 8, least)) - 8, ' ');
  if (text.size() > limits::kPackHeaderBytesMax) {
    return invalid_argument("a table of {} bytes, expected at most {}", text.size(),
                            limits::kPackHeaderBytesMax);
  }
  Bytes out;
  append_le(out, static_cast<std::uint64_t>(text.size()));
  append(out, as_bytes(text));
  return out;
}

}  // namespace adit::model::safetensors
