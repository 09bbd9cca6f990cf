#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Computes the content hash of a pack from kernels/NUMERICS.md, "Packs", and nothing of our code.

Reads the container with the PyPI package safetensors, undoes the tiles with numpy, hashes with hashlib.

usage: pip install safetensors==0.8.0 numpy; pack_hash.py PACK...     prints `hash  name` for each
"""
import hashlib
import json
import os
import struct
import sys

import numpy as np
from safetensors import safe_open

FORMS = {"i8": 8, "u4": 4}
ACTS = {"a16": 16, "a8g32": 8}


class Pack:
    def __init__(self, path):
        self.file = safe_open(path, framework="numpy")
        self.meta = self.file.metadata()
        self.notes = json.loads(self.meta["linears"])
        self.hash = hashlib.blake2b(digest_size=32, person=b"adit1.pack")

    def text(self, value):
        self.hash.update(struct.pack("<Q", len(value)) + value)

    def head(self, name, kind, rows, columns):
        self.text(name.encode())
        self.hash.update(struct.pack("<BQQ", kind, rows, columns))

    def vector(self, name, kind=1):
        values = self.file.get_tensor(name)
        self.head(name, kind, 1, values.size)
        self.hash.update(values.tobytes())

    def linear(self, name, rows, columns):
        note = self.notes[name]
        u4 = note["form"] == "u4"
        self.head(name, 2, rows, columns)
        self.hash.update(bytes([FORMS[note["form"]], ACTS[note["act"]], 32, 0]))
        codes = self.file.get_tensor(name + ".q")
        if u4:
            codes = np.stack([codes & 15, codes >> 4], axis=3)  # [tile, block, row, half, 4]
            codes = codes.transpose(0, 2, 1, 3, 4)
        else:
            codes = (codes.astype(np.int16) - 128).astype(np.int8).transpose(0, 2, 1, 3)
        codes = codes.reshape(codes.shape[0] * 16, -1)[:rows, :columns]
        by_row = lambda t: self.file.get_tensor(t).transpose(0, 2, 1).reshape(-1, self.groups(columns))[:rows]
        scales = by_row(name + ".s")
        offsets = by_row(name + ".o") if u4 else None
        row_scales = self.file.get_tensor(name + ".rs")
        for m in range(rows):
            self.hash.update(codes[m].tobytes())
            self.hash.update(scales[m].astype("<u2").tobytes())
            if u4:
                self.hash.update(offsets[m].astype("<i2").tobytes())
            self.hash.update(row_scales[m].astype("<f4").tobytes())

    @staticmethod
    def groups(columns):
        return (columns + 31) // 32

    def run(self):
        c = json.loads(self.meta["config"])
        self.hash.update(struct.pack("<I", 1))
        for key in ("config", "tokenizer", "chat_template"):
            self.text(self.meta[key].encode())
        q, kv, hidden, ffn = c["heads"] * c["head_dim"], c["kv_heads"] * c["head_dim"], c["hidden"], c["ffn"]
        self.linear("embedding", c["vocab"], hidden)
        for n in range(c["layers"]):
            at = f"layers.{n}."
            self.vector(at + "attn_norm")
            for name, rows, columns in (("attn_q", q, hidden), ("attn_k", kv, hidden), ("attn_v", kv, hidden),
                                        ("attn_o", hidden, q)):
                self.linear(at + name, rows, columns)
            self.vector(at + "ffn_norm")
            for name, rows, columns in (("ffn_gate", ffn, hidden), ("ffn_up", ffn, hidden),
                                        ("ffn_down", hidden, ffn)):
                self.linear(at + name, rows, columns)
        self.vector("final_norm")
        if not c["tied_head"]:
            self.linear("head", c["vocab"], hidden)
        self.vector("rope.inv_freq", 3)
        return self.hash.hexdigest()


for path in sys.argv[1:]:
    print(f"{Pack(path).run()}  {os.path.basename(path)}")
