#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tests/vectors/gguf/{kinds.gguf,kinds.f32} with the PyPI package gguf (not our code).

kinds.gguf holds every kind of metadata value and a tensor [2 rows, 64] of each type that we read; kinds.f32
holds their values as gguf's own dequantiser gives them (little-endian f32, tensors in file order).

usage: pip install gguf==0.19.0 numpy; make_gguf_vectors.py OUT_DIR
"""
import os
import sys

import gguf
import numpy as np
from gguf.quants import dequantize, quantize


def main():
    out = sys.argv[1]
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


main()
