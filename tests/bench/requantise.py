#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Rewrites the Q4_1 tensors of a GGUF file as Q8_0 or Q4_0, so that a peer can be timed at that width.

Metadata and all other tensors are copied as they are. For speed only: 4-bit weights quantised twice say nothing
about quality. The output appears under its name only when complete.

usage: pip install gguf==0.19.0; requantise.py IN.gguf OUT.gguf Q8_0|Q4_0
"""
import os
import sys

import gguf
from gguf.quants import dequantize, quantize

TYPES = gguf.GGMLQuantizationType
FILE_TYPES = {"Q8_0": gguf.LlamaFileType.MOSTLY_Q8_0, "Q4_0": gguf.LlamaFileType.MOSTLY_Q4_0}


def copy_metadata(reader, writer, file_type):
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name == gguf.Keys.General.ARCHITECTURE:
            continue  # the writer writes these itself
        if field.name == gguf.Keys.General.FILE_TYPE:
            writer.add_file_type(file_type)
            continue
        kind = field.types[0]
        sub_type = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), kind, sub_type=sub_type)


def main():
    if len(sys.argv) != 4 or sys.argv[3] not in FILE_TYPES:
        sys.exit(__doc__.strip().split("\n")[-1])
    source, out, name = sys.argv[1:]
    reader = gguf.GGUFReader(source)
    architecture = reader.get_field(gguf.Keys.General.ARCHITECTURE).contents()
    writer = gguf.GGUFWriter(out + ".part", architecture)
    copy_metadata(reader, writer, FILE_TYPES[name])
    changed = 0
    for tensor in reader.tensors:
        data, kind = tensor.data, tensor.tensor_type
        if kind == TYPES.Q4_1:
            kind = TYPES[name]
            data = quantize(dequantize(data, TYPES.Q4_1), kind)
            changed += 1
        writer.add_tensor(tensor.name, data, raw_dtype=kind)
    if changed == 0:
        sys.exit(f"{source}: no Q4_1 tensor, so nothing to requantise")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(out + ".part", out)
    print(f"{out}: {changed} of {len(reader.tensors)} tensors to {name}", file=sys.stderr)


main()
