// SPDX-License-Identifier: MIT
// common/model/aligned_array.hpp
//
// A zero-filled array on a cache-line boundary, for buffers that kernels read and write.
//
// In       count elements of a trivial type.
// Errors   std::bad_alloc when memory is short, as a std::vector.
// Threads  a plain container.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>

namespace adit::model {

template <class T>
class AlignedArray {
  static_assert(std::is_trivial_v<T>);

 public:
  AlignedArray() = default;
  explicit AlignedArray(std::size_t count)
      : data_(
            static_cast<T*>(::operator new(count * sizeof(T) + kAlign, std::align_val_t{kAlign}))),
        size_(count) {
    std::memset(static_cast<void*>(data_.get()), 0, count * sizeof(T));
  }
  [[nodiscard]] T* data() { return data_.get(); }
  [[nodiscard]] const T* data() const { return data_.get(); }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t kAlign = 64;
  struct Free {
    void operator()(T* data) const { ::operator delete(data, std::align_val_t{kAlign}); }
  };
  std::unique_ptr<T, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace adit::model
