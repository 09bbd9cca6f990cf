#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Golden vectors of numerics 2 (kernels/NUMERICS.md, "Attention": keys and values in int8), computed from that page
alone in exact rational arithmetic, with the operations of make_numerics_v1.py.

usage: make_numerics_v2.py > numerics_v2.txt
"""
from fractions import Fraction as F

import make_numerics_v1 as v1
from make_numerics_v1 import draw, exp_c, f32, fma, round_even, show, sqrt32, tree_dot, tree_sum

v1.rng.seed(20261127)


def int8_row(x):
    amax = max(abs(t) for t in x)
    if amax < F(1, 2 ** 96):
        return [0] * len(x), F(0)
    inv = f32(127 / amax)
    return [round_even(f32(t * inv)) for t in x], f32(amax / 127)


def attention_int8(q, k, v, scale):
    k, v = [int8_row(row) for row in k], [int8_row(row) for row in v]
    scores = [f32(f32(tree_dot(8, q, [F(t) for t in row]) * s) * scale) for row, s in k]
    p = [exp_c(f32(t - max(scores))) for t in scores]
    den, out = F(0), [F(0)] * len(q)
    for first in range(0, len(k), 32):
        chunk = range(first, min(first + 32, len(k)))
        den = f32(den + tree_sum(32, [p[j] for j in chunk]))
        weights = {j: f32(p[j] * v[j][1]) for j in chunk}
        for i in range(len(q)):
            num = F(0)
            for j in chunk:
                num = fma(weights[j], F(v[j][0][i]), num)
            out[i] = f32(out[i] + num)
    return [f32(t / den) for t in out]


def main():
    for dim, keys in ((16, 3), (24, 45), (64, 35)):
        q, k, v = draw(dim, -3, 2), [draw(dim, -3, 1) for _ in range(keys)], [draw(dim) for _ in range(keys)]
        # A row of zeros and one below the floor.
        k[0], v[keys // 2] = [F(0)] * dim, [F(1, 2 ** 97)] * dim
        scale = f32(F(1) / sqrt32(F(dim)))
        rows = [int8_row(row) for row in k + v]
        show("attention_int8", q=q, k=sum(k, []), v=sum(v, []), scale=[scale],
             codes=sum((row for row, _ in rows), []), scales=[s for _, s in rows],
             out=attention_int8(q, k, v, scale))


if __name__ == "__main__":
    main()
