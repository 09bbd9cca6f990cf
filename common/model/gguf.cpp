// SPDX-License-Identifier: MIT
#include "common/model/gguf.hpp"

#include <algorithm>
#include <utility>

#include "common/base/limits.hpp"

namespace adit::model {
namespace {

constexpr std::uint32_t kMagic = 0x46554747;  // "GGUF"
constexpr std::uint64_t kDefaultAlignment = 32;
constexpr std::uint64_t kAlignmentMax = 65536;
constexpr std::uint64_t kKeyBytesMax = 65535;
constexpr int kArrayDepthMax = 4;

// Bytes of a value of fixed size; 0 for strings, arrays and unknown kinds.
std::uint64_t fixed_size(GgufKind kind) {
  switch (kind) {
    case GgufKind::kU8:
    case GgufKind::kI8:
    case GgufKind::kBool: return 1;
    case GgufKind::kU16:
    case GgufKind::kI16: return 2;
    case GgufKind::kU32:
    case GgufKind::kI32:
    case GgufKind::kF32: return 4;
    case GgufKind::kU64:
    case GgufKind::kI64:
    case GgufKind::kF64: return 8;
    case GgufKind::kString:
    case GgufKind::kArray: return 0;
  }
  return 0;
}

std::string_view kind_name(GgufKind kind) {
  switch (kind) {
    case GgufKind::kU8: return "u8";
    case GgufKind::kI8: return "i8";
    case GgufKind::kU16: return "u16";
    case GgufKind::kI16: return "i16";
    case GgufKind::kU32: return "u32";
    case GgufKind::kI32: return "i32";
    case GgufKind::kF32: return "f32";
    case GgufKind::kBool: return "bool";
    case GgufKind::kString: return "string";
    case GgufKind::kArray: return "array";
    case GgufKind::kU64: return "u64";
    case GgufKind::kI64: return "i64";
    case GgufKind::kF64: return "f64";
  }
  return "unknown";
}

// A name from the file, fit for a one-line message.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 80)) out += (c >= 0x20 && c < 0x7f) ? c : '?';
  return out;
}

}  // namespace

// Walks the file once from its first byte; all state is the position.
class Gguf::Parser {
 public:
  explicit Parser(Gguf& out) : out_(out), bytes_(out.bytes_) {}

  Result<void> run() {
    ADIT_TRY_VOID(read_header());
    for (std::uint64_t i = 0; i < key_count_; ++i) ADIT_TRY_VOID(read_key_value());
    ADIT_TRY_VOID(read_alignment());
    for (std::uint64_t i = 0; i < tensor_count_; ++i) ADIT_TRY_VOID(read_tensor());
    return place_tensors();
  }

 private:
  template <class... Args>
  tl::unexpected<Error> bad(std::uint64_t at, fmt::format_string<Args...> format, Args&&... args) const {
    return invalid_argument("{}: offset {}: {}", out_.label_, at,
                            fmt::format(format, std::forward<Args>(args)...));
  }
  [[nodiscard]] std::uint64_t left() const { return bytes_.size() - at_; }

  template <class T>
  Result<T> scalar(std::string_view what) {
    if (left() < sizeof(T)) {
      return bad(at_, "{}: the file ends, expected {} more bytes", what, sizeof(T) - left());
    }
    const T value = load_le<T>(bytes_.data() + at_);
    at_ += sizeof(T);
    return value;
  }

  Result<std::string> text(std::string_view what, std::uint64_t bytes_max) {
    const std::uint64_t start = at_;
    ADIT_TRY(const auto length, scalar<std::uint64_t>(what));
    if (length > bytes_max)
      return bad(start, "{}: {} bytes long, expected at most {}", what, length, bytes_max);
    if (length > left()) return bad(start, "{}: {} bytes long, only {} left", what, length, left());
    std::string value(as_text(bytes_.subspan(at_, length)));
    at_ += length;
    return value;
  }

  Result<void> read_header() {
    ADIT_TRY(const auto magic, scalar<std::uint32_t>("magic"));
    if (magic != kMagic) return bad(0, "magic is {:#010x}, expected \"GGUF\"", magic);
    ADIT_TRY(out_.version_, scalar<std::uint32_t>("version"));
    if (out_.version_ != 2 && out_.version_ != 3) {
      return bad(4, "version is {}, expected 2 or 3 (little-endian)", out_.version_);
    }
    ADIT_TRY(tensor_count_, scalar<std::uint64_t>("tensor count"));
    ADIT_TRY(key_count_, scalar<std::uint64_t>("metadata key count"));
    if (tensor_count_ > limits::kTensorCountMax) {
      return bad(8, "tensor count is {}, expected at most {}", tensor_count_, limits::kTensorCountMax);
    }
    if (key_count_ > limits::kMetadataKeysMax) {
      return bad(16, "metadata key count is {}, expected at most {}", key_count_, limits::kMetadataKeysMax);
    }
    return {};
  }

  Result<GgufKind> read_kind(const std::string& key) {
    const std::uint64_t start = at_;
    ADIT_TRY(const auto kind, scalar<std::uint32_t>(key));
    if (kind > 12) return bad(start, "key {}: value kind {}, expected 0..12", printable(key), kind);
    return static_cast<GgufKind>(kind);
  }

  Result<void> skip_string(const std::string& key) {
    const std::uint64_t start = at_;
    ADIT_TRY(const auto length, scalar<std::uint64_t>(printable(key)));
    if (length > limits::kStringBytesMax || length > left()) {
      return bad(start, "key {}: a string of {} bytes, {} left", printable(key), length, left());
    }
    at_ += length;
    return {};
  }

  // Steps over `count` items of a kind.
  Result<void> skip_items(const std::string& key, GgufKind kind, std::uint64_t count, int depth) {
    if (kind == GgufKind::kString) {
      for (std::uint64_t i = 0; i < count; ++i) ADIT_TRY_VOID(skip_string(key));
      return {};
    }
    if (kind == GgufKind::kArray) {
      if (depth >= kArrayDepthMax) {
        return bad(at_, "key {}: arrays nested deeper than {}", printable(key), kArrayDepthMax);
      }
      for (std::uint64_t i = 0; i < count; ++i) {
        ADIT_TRY(const auto header, read_array_header(key));
        ADIT_TRY_VOID(skip_items(key, header.first, header.second, depth + 1));
      }
      return {};
    }
    const std::uint64_t size = fixed_size(kind);
    if (count > left() / size) {
      return bad(at_, "key {}: {} items of {} bytes, only {} bytes left", printable(key), count, size,
                 left());
    }
    if (kind == GgufKind::kBool) {
      for (std::uint64_t i = 0; i < count; ++i) {
        if (bytes_[at_ + i] > 1)
          return bad(at_ + i, "key {}: a bool that is {}", printable(key), bytes_[at_ + i]);
      }
    }
    at_ += count * size;
    return {};
  }

  Result<std::pair<GgufKind, std::uint64_t>> read_array_header(const std::string& key) {
    ADIT_TRY(const GgufKind kind, read_kind(key));
    const std::uint64_t start = at_;
    ADIT_TRY(const auto count, scalar<std::uint64_t>(printable(key)));
    // Every item takes at least one byte, so a count beyond the file is a lie.
    if (count > left())
      return bad(start, "key {}: {} items, only {} bytes left", printable(key), count, left());
    return std::pair{kind, count};
  }

  Result<void> read_key_value() {
    const std::uint64_t start = at_;
    Value value;
    ADIT_TRY(value.key, text("metadata key", kKeyBytesMax));
    if (value.key.empty()) return bad(start, "an empty metadata key");
    ADIT_TRY(value.kind, read_kind(value.key));
    if (value.kind == GgufKind::kArray) {
      ADIT_TRY(const auto header, read_array_header(value.key));
      value.item_kind = header.first;
      value.count = header.second;
      value.offset = at_;
      ADIT_TRY_VOID(skip_items(value.key, value.item_kind, value.count, 1));
    } else {
      value.offset = at_;
      ADIT_TRY_VOID(skip_items(value.key, value.kind, 1, 0));
    }
    if (!out_.value_index_.emplace(value.key, out_.values_.size()).second) {
      return bad(start, "key {}: appears twice", printable(value.key));
    }
    out_.values_.push_back(std::move(value));
    return {};
  }

  Result<void> read_alignment() {
    if (!out_.has("general.alignment")) return {};
    ADIT_TRY(alignment_, out_.unsigned_at("general.alignment"));
    const bool power = alignment_ != 0 && (alignment_ & (alignment_ - 1)) == 0;
    if (power && alignment_ >= 8 && alignment_ <= kAlignmentMax) return {};
    return bad(out_.find("general.alignment")->offset,
               "key general.alignment: {}, expected a power of two 8..{}", alignment_, kAlignmentMax);
  }

  Result<void> read_dims(GgufTensor& tensor) {
    const std::uint64_t start = at_;
    ADIT_TRY(const auto count, scalar<std::uint32_t>("number of dimensions"));
    if (count < 1 || count > limits::kTensorDimsMax) {
      return bad(start, "tensor {}: {} dimensions, expected 1..{}", printable(tensor.name), count,
                 limits::kTensorDimsMax);
    }
    std::uint64_t elements = 1;
    for (std::uint32_t i = 0; i < count; ++i) {
      ADIT_TRY(const auto dim, scalar<std::uint64_t>("dimension"));
      if (dim == 0) return bad(at_ - 8, "tensor {}: dimension {} is 0", printable(tensor.name), i);
      if (dim > limits::kTensorElementsMax / elements) {
        return bad(at_ - 8, "tensor {}: dimension {} is {}: more than {} values", printable(tensor.name), i,
                   dim, limits::kTensorElementsMax);
      }
      elements *= dim;
      tensor.dims.push_back(dim);
    }
    tensor.rows = elements / tensor.dims[0];
    return {};
  }

  Result<void> read_tensor() {
    const std::uint64_t start = at_;
    GgufTensor tensor;
    ADIT_TRY(tensor.name, text("tensor name", kKeyBytesMax));
    if (tensor.name.empty()) return bad(start, "an empty tensor name");
    ADIT_TRY_VOID(read_dims(tensor));
    ADIT_TRY(tensor.type, scalar<std::uint32_t>("tensor type"));
    const GgufTypeInfo* info = gguf_type_info(tensor.type);
    if (info == nullptr) {
      return bad(at_ - 4, "tensor {}: type {} is not a known type", printable(tensor.name), tensor.type);
    }
    if (tensor.dims[0] % info->block_values != 0) {
      return bad(start, "tensor {}: rows of {} values, expected a multiple of {} for {}",
                 printable(tensor.name), tensor.dims[0], info->block_values, info->name);
    }
    tensor.bytes = tensor.dims[0] / info->block_values * info->block_bytes * tensor.rows;
    ADIT_TRY(tensor.offset, scalar<std::uint64_t>("tensor offset"));
    if (tensor.offset % alignment_ != 0) {
      return bad(at_ - 8, "tensor {}: data offset {}, expected a multiple of {}", printable(tensor.name),
                 tensor.offset, alignment_);
    }
    table_at_.push_back(at_ - 8);
    if (!out_.tensor_index_.emplace(tensor.name, out_.tensors_.size()).second) {
      return bad(start, "tensor {}: appears twice", printable(tensor.name));
    }
    out_.tensors_.push_back(std::move(tensor));
    return {};
  }

  // Turns offsets into positions in the file; every tensor must lie inside and on its own bytes.
  Result<void> place_tensors() {
    const std::uint64_t begin = (at_ + alignment_ - 1) / alignment_ * alignment_;
    if (out_.tensors_.empty()) return {};
    const std::uint64_t size = begin <= bytes_.size() ? bytes_.size() - begin : 0;
    std::vector<std::size_t> order(out_.tensors_.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      order[i] = i;
      GgufTensor& tensor = out_.tensors_[i];
      if (tensor.offset > size || tensor.bytes > size - tensor.offset) {
        return bad(table_at_[i], "tensor {}: {} bytes at data offset {}, but the file has {} bytes of data",
                   printable(tensor.name), tensor.bytes, tensor.offset, size);
      }
      tensor.offset += begin;
    }
    std::sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
      return out_.tensors_[a].offset < out_.tensors_[b].offset;
    });
    for (std::size_t i = 1; i < order.size(); ++i) {
      const GgufTensor& before = out_.tensors_[order[i - 1]];
      const GgufTensor& after = out_.tensors_[order[i]];
      if (before.offset + before.bytes > after.offset) {
        return bad(table_at_[order[i]], "tensor {}: overlaps tensor {}", printable(after.name),
                   printable(before.name));
      }
    }
    return {};
  }

  Gguf& out_;
  ByteView bytes_;
  std::uint64_t at_ = 0;
  std::uint64_t tensor_count_ = 0;
  std::uint64_t key_count_ = 0;
  std::uint64_t alignment_ = kDefaultAlignment;
  // Where each tensor's offset field stands, for messages.
  std::vector<std::uint64_t> table_at_;
};

Result<Gguf> Gguf::open(const std::filesystem::path& path) {
  ADIT_TRY(MappedFile file, MappedFile::open(path));
  Gguf out(path.string());
  out.file_ = std::make_unique<MappedFile>(std::move(file));
  out.bytes_ = out.file_->bytes();
  ADIT_TRY_VOID(Parser(out).run());
  return out;
}

Result<Gguf> Gguf::parse(ByteView bytes, std::string label) {
  Gguf out(std::move(label));
  out.bytes_ = bytes;
  ADIT_TRY_VOID(Parser(out).run());
  return out;
}

const GgufTensor* Gguf::find_tensor(std::string_view name) const {
  const auto found = tensor_index_.find(std::string(name));
  return found == tensor_index_.end() ? nullptr : &tensors_[found->second];
}

Result<const GgufTensor*> Gguf::tensor(std::string_view name) const {
  const GgufTensor* found = find_tensor(name);
  if (found == nullptr) return not_found("{}: no tensor {}", label_, name);
  return found;
}

const Gguf::Value* Gguf::find(std::string_view key) const {
  const auto found = value_index_.find(std::string(key));
  return found == value_index_.end() ? nullptr : &values_[found->second];
}

Result<const Gguf::Value*> Gguf::value(std::string_view key) const {
  const Value* found = find(key);
  if (found == nullptr) return not_found("{}: no key {}", label_, key);
  return found;
}

tl::unexpected<Error> Gguf::wrong_kind(const Value& value, std::string_view expected) const {
  return invalid_argument("{}: offset {}: key {}: a value of kind {}, expected {}", label_, value.offset,
                          printable(value.key), kind_name(value.kind), expected);
}

}  // namespace adit::model
