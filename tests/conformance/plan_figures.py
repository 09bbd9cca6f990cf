#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints what tests/unit/miner/plan/plan_test.cpp expects, computed from the published shapes alone: pack tensors in
16-row tiles and groups of some columns (kernels/NUMERICS.md, "Packs"), each at a multiple of 64 bytes.

usage: plan_figures.py
"""


def linear(rows, columns, bits, group):
    """Bytes of codes, scales, offsets (4 bits only) and row scales."""
    tiles, blocks = -(-rows // 16), -(-columns // 32)
    groups = -(-columns // (group or columns))
    out = [tiles * blocks * 64 * (4 if bits == 4 else 8), tiles * groups * 16 * 2]
    if bits == 4:
        out.append(tiles * groups * 16 * 2)
    return out + [tiles * 16 * 4]


class Pack:
    def __init__(self, bits, group):
        self.group = group
        self.bits, self.end, self.token, self.weights, self.active = bits, 0, 0, 0, 0

    def add(self, arrays, chosen=1, of=1):
        for size in arrays:
            self.end = -(-self.end // 64) * 64 + size
        self.token += sum(arrays) // of * chosen

    def matrix(self, rows, columns, chosen=1, of=1, bias=False, bits=None):
        arrays = linear(rows, columns, bits or self.bits, self.group)
        if bias:
            arrays.append(-(-rows // 16) * 16 * 4)
        self.add(arrays, chosen, of)
        self.weights += rows * columns
        self.active += rows * columns // of * chosen

    def floats(self, count):
        self.add([4 * count])


def grouped(pack, hidden, heads, kv_heads, head_dim, bias):
    pack.matrix(heads * head_dim, hidden, bias=bias)
    pack.matrix(kv_heads * head_dim, hidden, bias=bias)
    pack.matrix(kv_heads * head_dim, hidden, bias=bias)


def latent(pack, hidden, heads, rank, nope, rope, value):
    pack.matrix(heads * (nope + rope), hidden)
    pack.matrix(rank + rope, hidden)
    pack.floats(rank)
    pack.matrix(heads * rank, nope)
    pack.matrix(heads * value, rank)


def gated(pack, hidden, ffn):
    pack.matrix(ffn, hidden)
    pack.matrix(ffn, hidden)
    pack.matrix(hidden, ffn)


def experts(pack, hidden, count, chosen, ffn, shared):
    pack.floats(count * hidden)  # the router, f32
    pack.weights += count * hidden
    pack.active += count * hidden
    pack.matrix(count * ffn, hidden, chosen, count)
    pack.matrix(count * ffn, hidden, chosen, count)
    pack.matrix(count * hidden, ffn, chosen, count)
    gated(pack, hidden, shared)


def model(form, layers, hidden, vocab, width, rope, attention, feed_forward):
    pack = Pack(*form)
    pack.matrix(vocab, hidden, 1, vocab, bits=8)  # one row of the embedding
    pack.active -= hidden                         # which is no multiplication
    for layer in range(layers):
        pack.floats(hidden)
        attention(pack)
        pack.matrix(hidden, width)
        pack.floats(hidden)
        feed_forward(pack, layer)
    pack.floats(hidden)
    pack.matrix(vocab, hidden, bits=8)
    pack.add([rope // 2 * 8])
    return pack


MODELS = {
    "Llama-8B": lambda form: model(
        form, 32, 4096, 128256, 4096, 128, lambda p: grouped(p, 4096, 32, 8, 128, False),
        lambda p, layer: gated(p, 4096, 14336)),
    "Qwen2-1.5B": lambda form: model(
        form, 28, 1536, 151936, 1536, 128, lambda p: grouped(p, 1536, 12, 2, 128, True),
        lambda p, layer: gated(p, 1536, 8960)),
    "DeepSeek-V2-Lite": lambda form: model(
        form, 27, 2048, 102400, 2048, 64, lambda p: latent(p, 2048, 16, 512, 128, 64, 128),
        lambda p, layer: gated(p, 2048, 10944) if layer < 1 else experts(p, 2048, 64, 6, 1408, 2816)),
}

for name, make in MODELS.items():
    for bits, group in ((b, g) for g in (32, 64, 128, 0) for b in (8, 4)):
        made = make((bits, group))
        print(f"{name} {bits} bits, groups of {group or 'a row'}: bytes {made.end} token {made.token} weights {made.weights} active {made.active}")
