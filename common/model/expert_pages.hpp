// SPDX-License-Identifier: MIT
// common/model/expert_pages.hpp
//
// Of a pack that is larger than memory, a layer needs the pages of the experts that it chose, all of them and no
// others. The system is told so: it reads them side by side while the engine works, and reads nothing around a page
// that is missing.
//
// In       a linear that holds all experts' rows one after the other, in a mapping of the pack's file.
// Out      read_alone: no reading ahead by the system in its codes (MADV_RANDOM). want: rows [first, first + count)
//          begin to come into memory (MADV_WILLNEED); it does not wait for them.
// Cost     want looks at each page in the cache, 0.1 us a page or so: not for packs that are in memory anyhow.
// Does not Scales and offsets of groups keep the system's reading ahead; neighbours of a chosen expert's may come too.
// Errors   none: where the system refuses, pages come one by one when they are read.
// Threads  any.
// Source   Linux: madvise(2)
// Tests    tests/unit/common/model/expert_pages_test.cpp
#pragma once

#include "kernels/linear/params.h"

namespace adit::model {

enum class ExpertAdvice : unsigned char {
  // If the pack is too large for this machine's memory (huge_pages.hpp).
  kAuto,
  kAlways,
  kNever
};

void read_alone(const kernels::LinearWeights& experts);
void want(const kernels::LinearWeights& experts, int first, int count);

}  // namespace adit::model
