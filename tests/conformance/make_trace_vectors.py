#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Golden vectors of trace/1, written from its definition with Python's hashlib only.

usage: make_trace_vectors.py OUT.json

A row is u32 lane, u32 position, then bytes (lane * 131 + position * 17 + j * 7 + j // 256) mod 256.
"""
import hashlib
import json
import struct
import sys


def b2(personal, data):
    return hashlib.blake2b(data, digest_size=32, person=personal.encode()).digest()


def row(lane, position, size):
    body = bytes((lane * 131 + position * 17 + j * 7 + j // 256) % 256 for j in range(size - 8))
    return struct.pack("<II", lane, position) + body


def lane_root(leaves):
    """The recursive definition of RFC 6962, section 2.1."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return b2("adit1.node", lane_root(leaves[:split]) + lane_root(leaves[split:]))


def trace(case):
    n_p, n_g = case["n_p"], case["n_g"]
    positions = n_p + n_g - 1
    roots = []
    for layer in range(case["layers"]):
        for place in range(1 + case["kv_heads"]):
            lane = layer * (1 + case["kv_heads"]) + place
            is_residual = place == 0
            size = case["residual_bytes"] if is_residual else case["kv_bytes"]
            first = n_p - 1 if is_residual and layer == case["layers"] - 1 else 0
            domain = "adit1.res" if is_residual else "adit1.kv"
            roots.append(lane_root([b2(domain, row(lane, t, size)) for t in range(first, positions)]))
    head = struct.pack("<I", 1) + b"".join(bytes.fromhex(case[k]) for k in ("card", "request", "seed"))
    head += struct.pack("<III", n_p, n_g, len(roots))
    ids = b2("adit1.ids", b"".join(struct.pack("<I", i) for i in case["ids"]))
    return b2("adit1.trace", head + ids + b"".join(roots)).hex()


def main():
    cases = []
    shapes = [(1, 1), (2, 1), (2, 3), (3, 2), (5, 4)]
    lengths = [(1, 1), (1, 2), (2, 1), (3, 2), (4, 4), (5, 9), (17, 16), (64, 1), (33, 70)]
    for index, (layers, kv_heads) in enumerate(shapes):
        for n_p, n_g in lengths:
            case = {"layers": layers, "kv_heads": kv_heads, "residual_bytes": 2304 if index == 2 else 48,
                    "kv_bytes": 256 if index == 2 else 40, "n_p": n_p, "n_g": n_g,
                    "ids": [(7919 * i + 13 * layers) % 49152 for i in range(n_p + n_g)]}
            for name in ("card", "request", "seed"):
                case[name] = b2("test", f"{name} {layers} {n_p}".encode()).hex()
            case["root"] = trace(case)
            cases.append(case)
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        out.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


if __name__ == "__main__":
    main()
