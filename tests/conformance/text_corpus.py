# SPDX-License-Identifier: MIT
"""The seeded texts of tokenizer tests, as tests/support/text_corpus.hpp makes them."""
import json
import pathlib

HERE = pathlib.Path(__file__).parent.parent / "vectors/tokenizer/corpus.json"
MASK = 0xFFFFFFFF
SIGNS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


class Corpus:
    def __init__(self):
        self.lists = json.loads(HERE.read_text())
        self.state = 0

    def below(self, bound):
        self.state = (self.state + 0x6D2B79F5) & MASK
        t = ((self.state ^ (self.state >> 15)) * (self.state | 1)) & MASK
        t ^= (t + (((t ^ (t >> 7)) * (t | 61)) & MASK)) & MASK
        return (t ^ (t >> 14)) % bound

    def pick(self, name):
        values = self.lists[name]
        return values[self.below(len(values))]

    def slice(self):
        chars = self.pick("fragments")
        whole = self.below(4) == 0
        begin = 0 if whole else self.below(len(chars))
        end = len(chars) if whole else min(len(chars), begin + 1 + self.below(12))
        return chars[begin:end].encode()

    def part(self):
        kind = self.below(16)
        if kind < 5:
            return self.slice()
        if kind == 5:
            return self.pick("special").encode()
        if kind == 6:
            return b"".join(self.pick("blanks").encode() for _ in range(1 + self.below(4)))
        if kind == 7:
            return bytes(48 + self.below(10) for _ in range(1 + self.below(12)))
        if kind == 8:
            first, last = self.pick("ranges")
            return "".join(chr(first + self.below(last - first + 1)) for _ in range(1 + self.below(3))).encode()
        if kind == 9:
            chars = self.pick("fragments")
            one = chars[self.below(len(chars))]
            return one.encode() * (1 + self.below(24))
        if kind == 10:
            return b"'" + self.pick("endings").encode()
        if kind == 11:
            return "".join(SIGNS[self.below(32)] for _ in range(1 + self.below(10))).encode()
        if kind == 12:
            if self.below(4) == 0:
                return bytes(self.below(256) for _ in range(1 + self.below(5)))
            return bytes([self.below(32)])
        if kind == 13:
            first = 65 if self.below(4) == 0 else 97
            return bytes(first + self.below(26) for _ in range(1 + self.below(16)))
        if kind == 14:
            return b"".join(self.pick("emoji").encode() for _ in range(1 + self.below(3)))
        return self.pick("marks").encode()

    def text(self, index):
        self.state = (0x5EED + index * 0x9E3779B1) & MASK
        return b"".join(self.part() for _ in range(1 + self.below(8)))
