#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Computes the content hash of a pack from kernels/NUMERICS.md, "Packs", and nothing of our code.

Reads the container with the PyPI package safetensors, undoes the tiles with numpy, hashes with hashlib. All families, all
storages (a sparse pack has the hash of the dense one with zeros).

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
GROUPS = {"32": 32, "64": 64, "128": 128, "row": 0}


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
        self.head(name, kind, values.shape[0] if kind == 4 else 1, values.shape[-1])
        self.hash.update(values.tobytes())

    def linear(self, name, rows, columns, bias=False):
        note = self.notes[name]
        u4 = note["form"] == "u4"
        self.head(name, 2, rows, columns)
        group = GROUPS[note.get("group", "32")]
        scales_a_row = 1 if group == 0 else -(-columns // group)
        self.hash.update(bytes([FORMS[note["form"]], ACTS[note["act"]], group, 2 if bias else 0]))
        codes = self.file.get_tensor(name + ".q") if "storage" not in note else self.expanded(name, columns, note["storage"])
        if u4:
            codes = np.stack([codes & 15, codes >> 4], axis=3)  # [tile, block, row, half, 4]
            codes = codes.transpose(0, 2, 1, 3, 4)
        else:
            codes = (codes.astype(np.int16) - 128).astype(np.int8).transpose(0, 2, 1, 3)
        codes = codes.reshape(codes.shape[0] * 16, -1)[:rows, :columns]
        by_row = lambda t: self.file.get_tensor(t).transpose(0, 2, 1).reshape(-1, scales_a_row)[:rows]
        scales = by_row(name + ".s")
        offsets = by_row(name + ".o") if u4 else None
        row_scales = self.file.get_tensor(name + ".rs")
        biases = self.file.get_tensor(name + ".bias") if bias else None
        for m in range(rows):
            self.hash.update(codes[m].tobytes())
            self.hash.update(scales[m].astype("<u2").tobytes())
            if u4:
                self.hash.update(offsets[m].astype("<i2").tobytes())
            self.hash.update(row_scales[m].astype("<f4").tobytes())
            if bias:
                self.hash.update(biases[m].astype("<f4").tobytes())

    def expanded(self, name, k, storage):
        """Sparse codes as the dense tensor [tile, vector, row, 4] of bytes."""
        if storage.startswith("block "):
            columns = int(storage.split("x")[1])
            vectors = (k + 31) // 32 * 8
            rows = self.file.get_tensor(name + ".rows")
            bits = rows[:, :, None] >> np.arange(16, dtype=np.uint16) & 1
            bits = bits.repeat(columns // 4, axis=1)[:, :vectors].repeat(4, axis=2)
        else:
            mask = self.file.get_tensor(name + ".mask")
            bits = mask[:, :, None] >> np.arange(64, dtype=np.uint64) & np.uint64(1)
        stored = bits.astype(bool)
        out = np.full(stored.shape, 128, dtype=np.uint8)
        out[stored] = self.file.get_tensor(name + ".values").reshape(-1)[: stored.sum()]
        return out.reshape(*out.shape[:2], 16, 4)

    def attention(self, c, at):
        bias = c["family"] == "qwen2"
        for name, heads in (("attn_q", c["heads"]), ("attn_k", c["kv_heads"]), ("attn_v", c["kv_heads"])):
            self.linear(at + name, heads * c["head_dim"], c["hidden"], bias)
        if c["family"] == "qwen3":
            self.vector(at + "attn_q_norm")
            self.vector(at + "attn_k_norm")
        return c["heads"] * c["head_dim"]

    def latent_attention(self, c, at):
        m, hidden, q = c["mla"], c["hidden"], c["heads"] * c["head_dim"]
        if m["q_rank"] == 0:
            self.linear(at + "attn_q", q, hidden)
        else:
            self.linear(at + "attn_q_a", m["q_rank"], hidden)
            self.vector(at + "attn_q_a_norm")
            self.linear(at + "attn_q_b", q, m["q_rank"])
        self.linear(at + "attn_kv_a", m["kv_rank"] + m["rope_dim"], hidden)
        self.vector(at + "attn_kv_a_norm")
        self.linear(at + "attn_k_b", c["heads"] * m["kv_rank"], m["nope_dim"])
        self.linear(at + "attn_v_b", c["heads"] * m["v_dim"], m["kv_rank"])
        if "indexer" in c:
            x = c["indexer"]
            self.linear(at + "index_q_b", x["heads"] * x["head_dim"], m["q_rank"])
            self.linear(at + "index_k", x["head_dim"], hidden)
            self.vector(at + "index_k_norm")
            self.vector(at + "index_k_norm_bias")
            self.linear(at + "index_w", x["heads"], hidden)
        return c["heads"] * m["v_dim"]

    def feed_forward(self, at, names, ffn, hidden, experts=1):
        for name in names[:2]:
            self.linear(at + name, experts * ffn, hidden)
        self.linear(at + names[2], experts * hidden, ffn)

    def experts(self, c, at):
        m, hidden = c["moe"], c["hidden"]
        self.vector(at + "router", 4)
        if m["has_bias"]:
            self.vector(at + "router_bias")
        self.feed_forward(at, ("experts_gate", "experts_up", "experts_down"), m["ffn"], hidden, m["experts"])
        if m["shared_ffn"] > 0:
            self.feed_forward(at, ("shared_gate", "shared_up", "shared_down"), m["shared_ffn"], hidden)

    def run(self):
        c = json.loads(self.meta["config"])
        self.hash.update(struct.pack("<I", 1))
        for key in ("config", "tokenizer", "chat_template"):
            self.text(self.meta[key].encode())
        self.linear("embedding", c["vocab"], c["hidden"])
        for n in range(c["layers"]):
            at = f"layers.{n}."
            self.vector(at + "attn_norm")
            width = self.latent_attention(c, at) if "mla" in c else self.attention(c, at)
            self.linear(at + "attn_o", c["hidden"], width)
            self.vector(at + "ffn_norm")
            if "moe" in c and n >= c["moe"]["dense_layers"]:
                self.experts(c, at)
            else:
                self.feed_forward(at, ("ffn_gate", "ffn_up", "ffn_down"), c["ffn"], c["hidden"])
        self.vector("final_norm")
        if not c["tied_head"]:
            self.linear("head", c["vocab"], c["hidden"])
        self.vector("rope.inv_freq", 3)
        return self.hash.hexdigest()


for path in sys.argv[1:]:
    print(f"{Pack(path).run()}  {os.path.basename(path)}")
