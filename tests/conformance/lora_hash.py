#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Computes the content hash of a PEFT adapter from kernels/NUMERICS.md, "Low-rank adapters", and nothing of our code.

Reads the files that peft wrote, quantises with numpy, hashes with hashlib. The folder of the base model is asked for its
config.json alone.

usage: pip install numpy; lora_hash.py BASE ADAPTER     prints the hash
"""
import hashlib
import json
import os
import re
import struct
import sys

import numpy as np

F = np.float32
# transformers' names of a layer's linears in our order.
ATTENTION = [("self_attn.q_proj", "attn_q"), ("self_attn.q_a_proj", "attn_q_a"), ("self_attn.q_b_proj", "attn_q_b"),
             ("self_attn.k_proj", "attn_k"), ("self_attn.v_proj", "attn_v"),
             ("self_attn.kv_a_proj_with_mqa", "attn_kv_a"), ("self_attn.indexer.wq_b", "index_q_b"),
             ("self_attn.indexer.wk", "index_k"), ("self_attn.indexer.weights_proj", "index_w"),
             ("self_attn.o_proj", "attn_o")]
FEED_FORWARD = [(f"mlp.{prefix}{name}_proj", our + name) for prefix, our in (("", "ffn_"), ("shared_experts.", "shared_"))
                for name in ("gate", "up", "down")]


def read_tensors(path):
    """The matrices of a safetensors file as f32."""
    data = open(path, "rb").read()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    out = {}
    for name, tensor in json.loads(data[8:start]).items():
        if name == "__metadata__":
            continue
        begin, end = (start + offset for offset in tensor["data_offsets"])
        kind = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}[tensor["dtype"]]
        values = np.frombuffer(data[begin:end], kind)
        if tensor["dtype"] == "BF16":
            values = (values.astype("<u4") << 16).view("<f4")
        out[name] = values.astype(F).reshape(tensor["shape"])
    return out


def round_even(x):
    magic = F(12582912)
    return (x + magic) - magic


def best_scale(x, rs, amax):
    low = min(max(int(amax / (F(127.5) * rs)), 1), 511)
    best, least = low, np.inf
    for s in range(low, min(low + 2 + low // 6, 511) + 1):
        step = F(s) * rs
        inverse = F(1) / step
        q = np.minimum(F(127), np.maximum(F(-127), round_even(x * inverse)))
        e = x - q * step
        lanes = np.zeros(8, F)
        for block in (e * e).reshape(4, 8):
            lanes += block
        error = ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]))
        if error < least:
            best, least = s, error
    return best


def quantise(row):
    """Codes, group scales and row scale of one f32 row."""
    columns = len(row)
    groups = (columns + 31) // 32
    x = np.zeros(groups * 32, F)
    x[:columns] = row
    wanted = float(np.abs(x).max()) / 127 / 511
    while True:
        rs = F(wanted)
        codes, scales = np.zeros(groups * 32, np.int64), np.zeros(groups, np.int64)
        for g in range(groups if rs > 0 else 0):
            group = x[32 * g:32 * g + 32]
            amax = np.abs(group).max()
            if amax == 0:
                continue
            s = scales[g] = best_scale(group, rs, amax)
            inverse = F(1) / (F(s) * rs)
            codes[32 * g:32 * g + 32] = np.clip(round_even(group * inverse), -127, 127)
        if np.abs(codes * scales.repeat(32)).sum() < 1 << 24:
            return codes[:columns].astype(np.int8), scales.astype("<u2"), rs
        wanted *= 17 / 16


def halves_apart(rows, head, turned):
    """RoPE's last `turned` rows of every `head`: neighbouring pairs to halves."""
    order = list(range(head - turned)) + [head - turned + i for i in (*range(0, turned, 2), *range(1, turned, 2))]
    return rows.reshape(-1, head, rows.shape[1])[:, order].reshape(rows.shape)


def our_order(name, rows, config):
    if "kv_lora_rank" not in config:
        return rows
    turned = config["qk_rope_head_dim"]
    if name in ("attn_q", "attn_q_b"):
        return halves_apart(rows, config["qk_nope_head_dim"] + turned, turned)
    return halves_apart(rows, len(rows), turned) if name == "attn_kv_a" else rows


def pattern(patterns, module, usual):
    for name, value in (patterns or {}).items():
        if re.fullmatch(rf"(.*\.)?({name})", module):
            return value
    return usual


class Adapter:
    def __init__(self, base, folder):
        self.config = json.load(open(os.path.join(base, "config.json"), encoding="utf-8"))
        self.settings = json.load(open(os.path.join(folder, "adapter_config.json"), encoding="utf-8"))
        self.tensors = read_tensors(os.path.join(folder, "adapter_model.safetensors"))
        self.hash = hashlib.blake2b(digest_size=32, person=b"adit1.lora")

    def modules(self):
        for layer in range(self.config["num_hidden_layers"]):
            for theirs, ours in ATTENTION + FEED_FORWARD:
                yield f"model.layers.{layer}.{theirs}", f"layers.{layer}.{ours}"
        yield "lm_head", "head"

    def row(self, values, scale=F(1)):
        codes, scales, rs = quantise(values)
        self.hash.update(codes.tobytes() + scales.tobytes() + F(rs * scale).tobytes())

    def pair(self, module, name):
        a = self.tensors[f"base_model.model.{module}.lora_A.weight"]
        b = our_order(name.split(".")[-1], self.tensors[f"base_model.model.{module}.lora_B.weight"], self.config)
        rank = len(a)
        assert rank == pattern(self.settings["rank_pattern"], module, self.settings["r"])
        alpha = pattern(self.settings["alpha_pattern"], module, self.settings["lora_alpha"])
        scale = F(alpha / (rank ** 0.5 if self.settings["use_rslora"] else rank))
        self.hash.update(struct.pack("<Q", len(name)) + name.encode())
        self.hash.update(struct.pack("<QQQ", rank, len(b), a.shape[1]))
        for values in a:
            self.row(values)
        for values in b:
            self.row(values, scale)

    def run(self):
        pairs = [(m, n) for m, n in self.modules() if f"base_model.model.{m}.lora_A.weight" in self.tensors]
        assert 2 * len(pairs) == len(self.tensors)
        self.hash.update(struct.pack("<II", 1, len(pairs)))
        for module, name in pairs:
            self.pair(module, name)
        return self.hash.hexdigest()


print(Adapter(sys.argv[1], sys.argv[2]).run())
