// SPDX-License-Identifier: MIT
// kernels/core/isa.h
//
// The instruction sets that have their own kernels. All of them return the same bits.
//
// Out      isa_supported: whether this build, processor and kernel can run it. kAvx2 needs AVX2, FMA and F16C;
//          kAvx512 needs F, BW, VL, DQ and VNNI on top. kNeon: arm64 with the dot product extension.
// Threads  any.
// Tests    tests/unit/kernels/isa_test.cpp
#pragma once

namespace adit::kernels {

enum class Isa { kScalar, kAvx2, kAvx512, kNeon };

// All of them; isa_supported says which can run.
constexpr Isa kIsas[] = {Isa::kScalar, Isa::kAvx2, Isa::kAvx512, Isa::kNeon};

bool isa_supported(Isa isa);
// Beside kAvx512: whether VBMI2 (vpexpandb) can run.
bool has_vbmi2();
// Beside kAvx512: whether additions have ports of their own beside two multiplications a cycle (AMD; where Intel has
// 512-bit ports, there are two for both).
bool has_ports_for_additions();
// The widest one supported here.
Isa best_isa();
// "scalar", "avx2", "avx512", "neon".
const char* isa_name(Isa isa);
// The inverse of isa_name. False: no such name; `isa` is left alone.
bool isa_from_name(const char* name, Isa& isa);

}  // namespace adit::kernels
