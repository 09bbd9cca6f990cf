#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Golden vectors of kernels/NUMERICS.md, computed from that page alone in exact rational arithmetic: every
operation is done on fractions and rounded once to f32. Needs mpmath for sines and cosines.

usage: make_numerics_v1.py > numerics_v1.txt
"""
import random
import struct
from fractions import Fraction as F

import mpmath

mpmath.mp.prec = 200
rng = random.Random(20261125)


def round_even(x):
    low = x.numerator // x.denominator
    rest = x - low
    return low + (rest > F(1, 2) or (rest == F(1, 2) and low % 2 == 1))


def to_float(x, bits, low_exponent):
    """x rounded to nearest even with `bits` significant bits and subnormals below 2^low_exponent."""
    if x == 0:
        return F(0)
    size = abs(x)
    e = size.numerator.bit_length() - size.denominator.bit_length()
    e -= size < F(2) ** e
    unit = F(2) ** (max(e, low_exponent) - bits + 1)
    return F(round_even(x / unit)) * unit


def f32(x):
    return to_float(F(x), 24, -126)


def f16(x):
    return max(F(-65504), min(F(65504), to_float(F(x), 11, -14)))


def fma(a, b, c):
    return f32(a * b + c)


def bits(x):
    return struct.unpack("<I", struct.pack("<f", float(x)))[0]


def from_bits(b):
    return F(struct.unpack("<f", struct.pack("<I", b & 0xffffffff))[0])


def half_bits(x):
    """f16 of x; fractions have no -0, so the sign comes from x."""
    return int(struct.unpack("<H", struct.pack("<e", abs(float(f16(x)))))[0]) | (0x8000 if x < 0 else 0)


def hexf(text):
    return F(float.fromhex(text))


def sqrt32(x):
    return f32(F(int(mpmath.floor(mpmath.sqrt(mpmath.mpf(x.numerator) / x.denominator) * mpmath.mpf(2) ** 150)), 2 ** 150))


LOG2E, LN2_HI, LN2_LO = hexf("0x1.715476p+0"), hexf("0x1.62e4p-1"), hexf("0x1.7f7d1cp-20")
MAGIC, CEILING = hexf("0x1.8p+23"), hexf("0x1.62e42ep+6")
EXP = [hexf(t) for t in ("0x1.fffffcp-2", "0x1.55549p-3", "0x1.5558fap-5", "0x1.123b0ep-7", "0x1.6a21f8p-10")]
LOG = [hexf(t) for t in ("0x1.555548p-2", "-0x1.000006p-2", "0x1.99a4bep-3", "-0x1.555c76p-3", "0x1.2336e4p-3",
                         "-0x1.fc1cc0p-4", "0x1.e6f21ep-4", "-0x1.de5896p-4", "0x1.147508p-4")]


def exp_c(x):
    if x < -87:
        return F(0)
    y = min(x, CEILING)
    t = fma(y, LOG2E, MAGIC)
    n = f32(t - MAGIC)
    r = fma(n, -LN2_LO, fma(n, -LN2_HI, y))
    q = EXP[4]
    for c in (EXP[3], EXP[2], EXP[1], EXP[0]):
        q = fma(q, r, c)
    p = f32(fma(f32(r * r), q, r) + 1)
    return from_bits(bits(p) + (bits(t) << 23))


def log_c(x):
    small = x < F(1, 2 ** 126)
    b = bits(x * 2 ** 23 if small else x)
    e = (b - bits(hexf("0x1.6a09e6p-1"))) >> 23
    f = f32(from_bits(b - (e << 23)) - 1)
    n = F(e - 23 if small else e)
    q = LOG[8]
    for c in reversed(LOG[:8]):
        q = fma(q, f, c)
    f2 = f32(f * f)
    tail = fma(f2, F(-1, 2), fma(n, LN2_LO, f32(f32(f2 * f) * q)))
    return fma(n, LN2_HI, f32(f + tail))


def lanes_sum(lanes):
    stride = len(lanes) // 2
    while stride:
        lanes = [f32(lanes[i] + lanes[i + stride]) for i in range(stride)]
        stride //= 2
    return lanes[0]


def tree_sum(width, x):
    lanes = [F(0)] * width
    for i, v in enumerate(x):
        lanes[i % width] = f32(lanes[i % width] + v)
    return lanes_sum(lanes)


def tree_dot(width, x, y):
    lanes = [F(0)] * width
    for i, v in enumerate(x):
        lanes[i % width] = fma(v, y[i], lanes[i % width])
    return lanes_sum(lanes)


def rms_norm(x, w, eps):
    ms = f32(tree_dot(256, x, x) / len(x))
    r = f32(1 / sqrt32(f32(ms + eps)))
    return [f32(f32(v * r) * w[i]) for i, v in enumerate(x)]


def rope(x, c, s):
    h = len(x) // 2
    a = [fma(x[i], c[i], -f32(x[i + h] * s[i])) for i in range(h)]
    return a + [fma(x[i + h], c[i], f32(x[i] * s[i])) for i in range(h)]


def swiglu(g, u):
    return [f32(f32(a * f32(1 / f32(1 + exp_c(-a)))) * b) for a, b in zip(g, u)]


def attention(q, k, v, scale):
    k, v = [[f16(t) for t in row] for row in k], [[f16(t) for t in row] for row in v]
    scores = [f32(tree_dot(8, q, row) * scale) for row in k]
    p = [exp_c(f32(t - max(scores))) for t in scores]
    den, out = F(0), [F(0)] * len(q)
    for first in range(0, len(k), 32):
        chunk = range(first, min(first + 32, len(k)))
        den = f32(den + tree_sum(32, [p[j] for j in chunk]))
        for i in range(len(q)):
            num = F(0)
            for j in chunk:
                num = fma(p[j], v[j][i], num)
            out[i] = f32(out[i] + num)
    return [f32(t / den) for t in out]


def quantize_a16(x):
    amax = max(abs(t) for t in x)
    inv = f32(32639 / amax)
    return [round_even(f32(t * inv)) for t in x], f32(amax / 32639)


def quantize_a8(x):
    amax = max(abs(t) for t in x)
    inv, out = f32(127 / amax), []
    for first in range(0, len(x), 32):
        group = x[first:first + 32]
        k = next(k for k in range(7) if max(abs(t) for t in group) <= amax * F(2) ** (k - 6))
        out += [2 ** k * round_even(f32(t * f32(inv * 2 ** (6 - k)))) for t in group]
    return out, f32(f32(amax / 127) / 64)


def linear(q, s, o, rs, bias, x, a16):
    xq, scale = quantize_a16(x) if a16 else quantize_a8(x)
    y = []
    for m, row in enumerate(q):
        acc = sum((s[m][i // 32] * c + o[m][i // 32]) * xq[i] for i, c in enumerate(row))
        y.append(f32(f32(f32(f32(acc) * rs[m]) * scale) + bias[m]))
    return y


def draw(n, low=-8, high=3):
    return [f32(F(rng.uniform(-1, 1)) * F(2) ** rng.randint(low, high)) for _ in range(n)]


def show(op, **arrays):
    print(op)
    for name, values in arrays.items():
        cells = ("%x" % (v & 0xffffffff) if isinstance(v, int) else "%x" % bits(v) for v in values)
        print(name, *cells)
    print()


def latent_attention(q, rows, rank, scale):
    rows = [[f16(t) for t in row] for row in rows]
    scores = [f32(tree_dot(8, q, row) * scale) for row in rows]
    p = [exp_c(f32(t - max(scores))) for t in scores]
    den, out = F(0), [F(0)] * rank
    for first in range(0, len(rows), 32):
        chunk = range(first, min(first + 32, len(rows)))
        den = f32(den + tree_sum(32, [p[j] for j in chunk]))
        for i in range(rank):
            num = F(0)
            for j in chunk:
                num = fma(p[j], rows[j][i], num)
            out[i] = f32(out[i] + num)
    return [f32(t / den) for t in out]


def layer_norm(x, w, b):
    mean = f32(tree_sum(256, x) / len(x))
    d = [f32(t - mean) for t in x]
    r = f32(1 / sqrt32(f32(f32(tree_dot(256, d, d) / len(x)) + f32(F(1, 1000000)))))
    return [f32(f32(f32(t * r) * w[i]) + b[i]) for i, t in enumerate(d)]


def hadamard(x):
    x, distance = list(x), 1
    while distance < len(x):
        for i in range(len(x)):
            if i & distance == 0:
                a, b = x[i], x[i + distance]
                x[i], x[i + distance] = f32(a + b), f32(a - b)
        distance *= 2
    scale = f32(F(1 / float(len(x)) ** 0.5))
    return [f32(t * scale) for t in x]


def int8_row(x):
    amax = max(abs(t) for t in x)
    inv = f32(127 / amax)
    return [round_even(f32(t * inv)) for t in x], f32(amax / 127)


def head_weights(w, scales):
    v = [f32(a * b) for a, b in zip(w, scales)]
    inv = f32(32767 / max(abs(t) for t in v))
    return [round_even(f32(t * inv)) for t in v]


def index_score(q, weights, key, scale):
    total = sum(w * max(0, sum(a * b for a, b in zip(head, key))) for w, head in zip(weights, q))
    return f32(f32(F(total)) * scale)


def best(values, count, allowed):
    return sorted(allowed, key=lambda i: (-values[i], i))[:count]


def route(logits, bias, shape):
    top, groups, kept, group_top, sigmoid, normalise, factor = shape
    if sigmoid:
        scores = [f32(1 / f32(1 + exp_c(-t))) for t in logits]
    else:
        p = [exp_c(f32(t - max(logits))) for t in logits]
        den = tree_sum(256, p)
        scores = [f32(t / den) for t in p]
    values = [f32(a + b) for a, b in zip(scores, bias)] if bias else scores
    size = len(values) // groups
    worth = []
    for g in range(groups):
        ranked = sorted(values[g * size:(g + 1) * size], reverse=True)
        total = ranked[0]
        for t in ranked[1:group_top]:
            total = f32(total + t)
        worth.append(total)
    open_groups = best(worth, kept, range(groups))
    chosen = sorted(best(values, top, [e for e in range(len(values)) if e // size in open_groups]))
    total = F(0)
    for e in chosen:
        total = f32(total + scores[e])
    divisor = f32(total + f32(F("1e-20")))
    return chosen, [f32((f32(scores[e] / divisor) if normalise else scores[e]) * factor) for e in chosen]


def show_deepseek():
    for rank, rope_dim, keys in ((16, 8, 5), (48, 16, 70)):
        q, rows = draw(rank + rope_dim, -3, 2), [draw(rank + rope_dim, -3, 1) for _ in range(keys)]
        scale = f32(F(1) / sqrt32(F(40)))
        show("latent_attention", rank=[rank], q=q, rows=sum(rows, []), scale=[scale],
             out=latent_attention(q, rows, rank, scale))
    x, w, b = draw(32), draw(32), draw(32)
    show("layer_norm", x=x, w=w, b=b, out=layer_norm(x, w, b))
    for n in (32, 128):
        x = draw(n)
        show("hadamard", x=x, out=hadamard(x))
        q, scale = int8_row(x)
        show("int8_row", x=x, out=q, scale=[scale])
    heads, dim, keys = 5, 32, 9
    w, scales = draw(heads), [abs(t) for t in draw(heads)]
    weights = head_weights(w, scales)
    show("head_weights", w=w, scales=scales, out=weights)
    q = [[rng.randint(-127, 127) for _ in range(dim)] for _ in range(heads)]
    k = [[rng.randint(-127, 127) for _ in range(dim)] for _ in range(keys)]
    scales = [abs(t) for t in draw(keys)]
    show("index_scores", q=sum(q, []), weights=weights, k=sum(k, []), scales=scales,
         out=[index_score(q, weights, key, scale) for key, scale in zip(k, scales)])
    half, one = F(1, 2), F(1)
    for shape in ((3, 1, 1, 1, 0, 0, F(2)), (3, 4, 2, 1, 0, 0, one), (4, 3, 2, 2, 1, 1, f32(F("2.5"))),
                  (2, 2, 1, 2, 1, 1, half)):
        logits = draw(12, -3, 2)
        logits[7] = logits[2]
        bias = [f32(t - half) for t in draw(12, -3, -1)] if shape[4] else []
        chosen, weights = route(logits, bias, shape)
        show("route", shape=list(shape[:6]), scale=[shape[6]], logits=logits, bias=bias, chosen=chosen, out=weights)


def main():
    x = [F(0), F(-87), F(88), F(100), F(-88), CEILING] + [f32(rng.uniform(-87, 88.7)) for _ in range(200)]
    show("exp_c", x=x, out=[exp_c(t) for t in x])
    x = [F(1), F(2), hexf("0x1p-149"), hexf("0x1.fffffep+127"), 1 - F(1, 2 ** 24), F(1, 2 ** 24)]
    x += [abs(f32(F(rng.uniform(0.5, 1)) * F(2) ** rng.choice([0, 0, 1, -3, 60, -130]))) for _ in range(200)]
    show("log_c", x=x, out=[log_c(t) for t in x])
    x = draw(100, -30, 18)
    show("f16", x=x, out=[half_bits(t) for t in x])
    x, y = draw(600), draw(600)
    show("sum256", x=x, out=[tree_sum(256, x)])
    show("dot256", x=x, y=y, out=[tree_dot(256, x, y)])
    show("rms_norm", x=x, w=y, eps=[f32(F(1, 100000))], out=rms_norm(x, y, f32(F(1, 100000))))
    x, c, s = draw(50), draw(25), draw(25)
    show("rope", x=x, cos=c, sin=s, out=rope(x, c, s))
    freq = [float(mpmath.mpf(10000) ** (-mpmath.mpf(i) / 32)) for i in range(32)]
    for position in (0, 1, 77, 8191, 1000003):
        angles = [mpmath.mpf(float(position) * t) for t in freq]
        exact = [[F(int(mpmath.nint(fn(a) * mpmath.mpf(2) ** 190)), 2 ** 190) for a in angles]
                 for fn in (mpmath.cos, mpmath.sin)]
        show("rope_table", position=[position], cos=[f32(t) for t in exact[0]], sin=[f32(t) for t in exact[1]])
    g, u = draw(100, -8, 7), draw(100)
    show("swiglu", gate=g, up=u, out=swiglu(g, u))
    for dim, keys in ((16, 3), (24, 45), (64, 70)):
        q, k, v = draw(dim, -3, 2), [draw(dim, -3, 1) for _ in range(keys)], [draw(dim) for _ in range(keys)]
        scale = f32(F(1) / sqrt32(F(dim)))
        show("attention", q=q, k=sum(k, []), v=sum(v, []), scale=[scale], out=attention(q, k, v, scale))
    for u4 in (0, 1):
        for a16 in (0, 1):
            m, k = 19, 75
            q = [[rng.randint(0, 15) if u4 else rng.randint(-128, 127) for _ in range(k)] for _ in range(m)]
            s = [[rng.randint(0, 1023) for _ in range(3)] for _ in range(m)]
            o = [[rng.randint(-8000, 8000) * u4 for _ in range(3)] for _ in range(m)]
            rs, bias, x = draw(m), draw(m), draw(k)
            xq, scale = quantize_a16(x) if a16 else quantize_a8(x)
            show("linear", u4=[u4], a16=[a16], q=sum(q, []), s=sum(s, []), o=sum(o, []), rs=rs, bias=bias, x=x,
                 xq=xq, scale=[scale], out=linear(q, s, o, rs, bias, x, a16))
    show_deepseek()


if __name__ == "__main__":
    main()
