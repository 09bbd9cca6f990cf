#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Golden bytes of proto/README.md's canonical forms, written from that page alone (Python standard library).

Run: python3 tests/vectors/protocol/make_messages.py > tests/vectors/protocol/messages.json
"""
import hashlib
import json
import struct


def b2(person, data):
    return hashlib.blake2b(data, digest_size=32, person=person.encode().ljust(16, b"\0")).digest()


def fill(tag):
    return hashlib.sha256(tag.encode()).digest()


def u32(*values):
    return struct.pack("<%dI" % len(values), *values)


def request(tag, prompt, max_tokens, sampling, slot):
    return (u32(1) + fill(tag + "card") + fill(tag + "charter") + fill(tag + "block") + struct.pack("<Q", slot)
            + fill(tag + "nonce") + fill(tag + "commitment") + u32(max_tokens, *sampling)
            + u32(len(prompt), *prompt))


def seed(tag, slot, validator, miner, req_hash):
    return b2("adit1.seed", fill(tag + "charter") + fill(tag + "block") + struct.pack("<Q", slot) + validator
              + miner + req_hash + fill(tag + "nonce"))


def core(tag, req_hash, sd, n_p, ids, finish):
    return (u32(1) + fill(tag + "card") + req_hash + sd + u32(n_p, len(ids), finish) + fill(tag + "root")
            + u32(*ids))


def card(tag, sizes, planes, stops):
    return (u32(1, 1, 1) + fill(tag + "base") + bytes(32) + fill(tag + "tokenizer") + fill(tag + "template")
            + u32(*sizes) + u32(len(planes)) + bytes(planes) + u32(len(stops), *stops))


def case(tag, prompt, max_tokens, sampling, slot, ids, finish):
    req = request(tag, prompt, max_tokens, sampling, slot)
    req_hash = b2("adit1.req", req)
    validator, miner = fill(tag + "validator"), fill(tag + "miner")
    sd = seed(tag, slot, validator, miner, req_hash)
    rc = core(tag, req_hash, sd, len(prompt), ids, finish)
    return {
        "tag": tag, "prompt": prompt, "max_tokens": max_tokens, "sampling": sampling, "slot": str(slot),
        "ids": ids, "finish": finish, "request": req.hex(), "request_hash": req_hash.hex(), "seed": sd.hex(),
        "core": rc.hex(), "receipt_hash": b2("adit1.rcpt", rc).hex(),
        "commitment": b2("adit1.com", fill(tag + "r")).hex(),
    }


def card_case(tag, sizes, planes, stops):
    data = card(tag, sizes, planes, stops)
    return {"tag": tag, "sizes": sizes, "planes": planes, "stops": stops, "card": data.hex(),
            "card_hash": b2("adit1.card", data).hex()}


print(json.dumps({
    "cases": [
        case("a", [1], 1, [0, 65536, 0, 0], 0, [2], 1),
        case("b", [5, 0, 49151, 1048575], 4, [600, 62259, 40, 655], 2**64 - 1, [7, 8, 9, 10], 2),
        case("c", list(range(300)), 65536, [100000, 1, 1048576, 65536], 2**32, [3, 2], 1),
    ],
    "cards": [
        card_case("a", [0, 30, 576, 1536, 9, 3, 64, 49152, 2048], [16] * 211, [2]),
        card_case("b", [1, 1, 32, 64, 1, 1, 32, 100, 128], [8, 16, 8, 16, 8, 16, 8, 16], [0, 2, 99]),
    ],
}, indent=1))
