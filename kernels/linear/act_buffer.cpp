// SPDX-License-Identifier: MIT
#include "kernels/linear/act_buffer.h"

#include <new>

namespace adit::kernels {
namespace {

constexpr std::size_t kAlign = 64;

template <class Group>
std::size_t panel_bytes(int tokens, int groups) {
  const int panels = (tokens + Group::kTokens - 1) / Group::kTokens;
  return sizeof(Group) * static_cast<std::size_t>(panels) * static_cast<std::size_t>(groups);
}

// Hands out 64-byte aligned pieces of one block; with a null base it only counts.
class Carver {
 public:
  explicit Carver(std::uint8_t* base) : base_(base) {}
  template <class T>
  T* take(std::size_t count) {
    // Two vectors of slack let kernels read whole registers past the last element.
    T* piece = base_ == nullptr ? nullptr : static_cast<T*>(static_cast<void*>(base_ + used_));
    used_ += (count * sizeof(T) + kAlign - 1) / kAlign * kAlign + 2 * kAlign;
    return piece;
  }
  std::size_t used() const { return used_; }

 private:
  std::uint8_t* base_;
  std::size_t used_ = 0;
};

}  // namespace

void ActBuffer::Free::operator()(std::uint8_t* memory) const {
  ::operator delete(memory, std::align_val_t{kAlign});
}

void ActBuffer::prepare(Isa isa, ActForm form, int n, int k, bool products) {
  form_ = form;
  n_ = n;
  k_ = k;
  k_pad_ = (k + kGroup - 1) / kGroup * kGroup;
  const auto tokens = static_cast<std::size_t>(n);
  const std::size_t values = row(n);
  const std::size_t group_count = group_row(n);
  const bool with_wide = isa == Isa::kAvx2;
  const bool with_panels = isa == Isa::kAvx512 && n >= kPanelsFrom;
  products_ = with_panels && form == ActForm::kA16 && n >= kProductsFrom && products;
  const std::size_t in_panels = !with_panels              ? 0
                                : products_               ? panel_bytes<ProductGroup>(n, groups())
                                : form == ActForm::kA16   ? panel_bytes<PanelGroup<2>>(n, groups())
                                                          : panel_bytes<PanelGroup<1>>(n, groups());
  for (int pass = 0; pass < 2; ++pass) {
    Carver carver(pass == 0 ? nullptr : memory_.get());
    hi_ = carver.take<std::int8_t>(values);
    lo_ = carver.take<std::int8_t>(form == ActForm::kA16 ? values : 0);
    sum_hi_ = carver.take<std::int32_t>(group_count);
    sum_lo_ = carver.take<std::int32_t>(group_count);
    bias_hi_ = carver.take<std::int32_t>(group_count);
    bias_lo_ = carver.take<std::int32_t>(group_count);
    shift_ = carver.take<std::int32_t>(group_count);
    pair_hi_ = carver.take<std::int32_t>(pair_row(n));
    pair_lo_ = carver.take<std::int32_t>(pair_row(n));
    before_hi_ = carver.take<std::int32_t>(before_row(n));
    before_lo_ = carver.take<std::int32_t>(before_row(n));
    sq_hi_ = carver.take<std::uint64_t>(tokens);
    sq_lo_ = carver.take<std::uint64_t>(tokens);
    scale_ = carver.take<float>(tokens);
    wide_ = carver.take<std::int16_t>(with_wide ? values : 0);
    if (!with_wide) wide_ = nullptr;
    panels_ = carver.take<std::uint8_t>(in_panels);
    if (!with_panels) panels_ = nullptr;
    if (pass == 0 && carver.used() > capacity_) {
      memory_.reset();
      capacity_ = 0;
      const std::size_t wanted = carver.used();
      memory_.reset(static_cast<std::uint8_t*>(::operator new(wanted, std::align_val_t{kAlign})));
      capacity_ = wanted;
    }
  }
}

ActBuffer ActBuffer::tokens(int begin, int count) const {
  ActBuffer out;
  out.form_ = form_;
  out.n_ = count;
  out.k_ = k_;
  out.k_pad_ = k_pad_;
  out.hi_ = hi_ + row(begin);
  out.lo_ = form_ == ActForm::kA16 ? lo_ + row(begin) : lo_;
  out.sum_hi_ = sum_hi_ + group_row(begin);
  out.sum_lo_ = sum_lo_ + group_row(begin);
  out.bias_hi_ = bias_hi_ + group_row(begin);
  out.bias_lo_ = bias_lo_ + group_row(begin);
  out.shift_ = shift_ + group_row(begin);
  out.pair_hi_ = pair_hi_ + pair_row(begin);
  out.pair_lo_ = pair_lo_ + pair_row(begin);
  out.before_hi_ = before_hi_ + before_row(begin);
  out.before_lo_ = before_lo_ + before_row(begin);
  out.sq_hi_ = sq_hi_ + begin;
  out.sq_lo_ = sq_lo_ + begin;
  out.scale_ = scale_ + begin;
  out.wide_ = wide_ == nullptr ? nullptr : wide_ + row(begin);
  return out;
}

}  // namespace adit::kernels
