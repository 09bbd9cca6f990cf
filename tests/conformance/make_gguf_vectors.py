#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tests/vectors/gguf/{kinds,blocks}.{gguf,f32} with the PyPI package gguf (not our code).

kinds.gguf holds every kind of metadata value and a tensor [2 rows, 64] of some types that we read; kinds.f32
holds their values as gguf's own dequantiser gives them (little-endian f32, tensors in file order).
blocks.gguf holds [6 rows, 256] of random blocks of every type that we read: codes of all bits, scales that are
usual, zero, negative, subnormal and very large; blocks.f32 their values.

usage: pip install gguf==0.19.0 numpy; make_gguf_vectors.py OUT_DIR
"""
import os
import sys

import gguf
import numpy as np
from gguf.quants import dequantize, quantize


def random_scales(rng, shape):
    """f16 scales: most of them usual, the others extreme, all small enough for finite values."""
    usual = rng.standard_normal(shape) * 0.01
    extreme = rng.choice([0.0, 6e-8, -6e-8, 6.1e-5, 65504.0, -65504.0], shape)
    return np.where(rng.random(shape) < 0.7, usual, extreme).astype(np.float16)


def random_blocks(rng, kind, rows):
    """[rows, bytes] of 256 values each."""
    types = gguf.GGMLQuantizationType
    if kind == types.F32:
        return (rng.standard_normal((rows, 256)) * 10.0 ** rng.integers(-38, 38, (rows, 256))).astype(np.float32)
    if kind == types.F16:
        return random_scales(rng, (rows, 256))
    block, size = gguf.GGML_QUANT_SIZES[kind]
    count = 256 // block
    raw = rng.integers(0, 256, (rows, count, size), dtype=np.uint8)
    if kind == types.BF16:
        raw[:, :, 1] &= 0xbf  # exponents below 2^0
        return raw.reshape(rows, -1)
    if kind == types.MXFP4:
        raw[:, :, 0] = rng.choice([0, 1, 2, 100, 127, 128, 252], (rows, count))
        return raw.reshape(rows, -1)
    halves = {types.Q4_1: 2, types.Q5_1: 2, types.Q4_K: 2, types.Q5_K: 2}.get(kind, 1)
    at = 208 if kind == types.Q6_K else 0
    for half in range(halves):
        raw[:, :, at + 2 * half:at + 2 * half + 2] = random_scales(rng, (rows, count, 1)).view(np.uint8)
    return raw.reshape(rows, -1)


def write_blocks(out):
    rng = np.random.default_rng(11)
    writer = gguf.GGUFWriter(os.path.join(out, "blocks.gguf"), "llama")
    types = gguf.GGMLQuantizationType
    values = b""
    for kind in (types.F32, types.F16, types.BF16, types.Q4_0, types.Q4_1, types.Q5_0, types.Q5_1, types.Q8_0,
                 types.Q4_K, types.Q5_K, types.Q6_K, types.IQ4_NL, types.MXFP4):
        raw = random_blocks(rng, kind, 6)
        writer.add_tensor("t." + kind.name, raw, raw_dtype=kind)
        values += dequantize(raw, kind).astype("<f4").tobytes()
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with open(os.path.join(out, "blocks.f32"), "wb") as file:
        file.write(values)


def write_kinds(out):
    rng = np.random.default_rng(7)
    writer = gguf.GGUFWriter(os.path.join(out, "kinds.gguf"), "llama")
    writer.add_uint8("k.u8", 200)
    writer.add_int8("k.i8", -100)
    writer.add_uint16("k.u16", 60000)
    writer.add_int16("k.i16", -30000)
    writer.add_uint32("k.u32", 4000000000)
    writer.add_int32("k.i32", -2000000000)
    writer.add_uint64("k.u64", 1 << 40)
    writer.add_int64("k.i64", -(1 << 40))
    writer.add_float32("k.f32", 1.5)
    writer.add_float64("k.f64", 1e-300)
    writer.add_bool("k.bool", True)
    writer.add_string("k.string", "naïve λ")
    writer.add_array("k.strings", ["", "a", "Ġthe"])
    writer.add_array("k.ints", [1, -2, 3])
    writer.add_array("k.nested", [[1, 2], [3, 4]])
    values = b""
    types = gguf.GGMLQuantizationType
    for kind in (types.F32, types.F16, types.Q8_0, types.Q4_0, types.Q4_1):
        data = (rng.standard_normal((2, 64)) * 0.1).astype(np.float32)
        raw = quantize(data, kind)
        writer.add_tensor("t." + kind.name, raw, raw_dtype=kind)
        values += dequantize(raw, kind).astype("<f4").tobytes()
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with open(os.path.join(out, "kinds.f32"), "wb") as file:
        file.write(values)



def main():
    write_kinds(sys.argv[1])
    write_blocks(sys.argv[1])


main()
