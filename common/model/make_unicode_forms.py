#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes common/model/unicode_forms_data.cpp: the tables of NFC and of lower case.

usage: make_unicode_forms.py > common/model/unicode_forms_data.cpp
needs: PyPI unicodedata2==16.0.0, tokenizers==0.23.3

The tables say what PyPI tokenizers 0.23.3 does, which is the reference for token ids: its NFC knows no combining
class or composition that is younger than Unicode 9 (such code points are left out here), its lower case is that of
one code point at a time.
"""
import unicodedata2 as u
from tokenizers import normalizers

CODES = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000 and not 0xAC00 <= c < 0xD7A4]
NFC, LOWER = normalizers.NFC().normalize_str, normalizers.Lowercase().normalize_str


def knows_class(code):
    texts = [t for other in "\u0334\u0327\u0301\u0345\u0323\u05b0"
             for t in ("a" + chr(code) + other, "a" + other + chr(code))]
    return all(u.normalize("NFC", t) == NFC(t) for t in texts)


def combining():
    out = []
    for code in CODES:
        kind = u.combining(chr(code))
        if kind == 0 or not knows_class(code):
            continue
        if out and out[-1][1] == code - 1 and out[-1][2] == kind:
            out[-1][1] = code
        else:
            out.append([code, code, kind])
    return out


def one_step(code):
    given = u.decomposition(chr(code))
    return [] if not given or given[0] == "<" else [int(x, 16) for x in given.split()]


def forms():
    """(code, first, second): decompositions, second 0 for singletons; and the pairs that compose."""
    apart, together = [], []
    for code in CODES:
        parts = one_step(code)
        if not parts:
            continue
        text = "".join(map(chr, parts))
        if u.normalize("NFC", text) != NFC(text):
            continue
        apart.append((code, parts[0], parts[1] if len(parts) == 2 else 0))
        if len(parts) == 2 and u.normalize("NFC", text) == chr(code):
            together.append((parts[0], parts[1], code))
    return apart, sorted(together)


def lower():
    """(first, last, step, change): code points first, first + step, … last, each plus change."""
    out = []
    for code in CODES:
        text = LOWER(chr(code))
        if text == chr(code) or len(text) != 1:
            continue
        change = ord(text) - code
        if out and out[-1][3] == change and code - out[-1][1] in (1, 2) and (
                out[-1][0] == out[-1][1] or code - out[-1][1] == out[-1][2]):
            out[-1][2] = code - out[-1][1]
            out[-1][1] = code
        else:
            out.append([code, code, 1, change])
    return out


def table(kind, name, rows):
    def number(value):
        return f"-0x{-value:x}" if value < 0 else f"0x{value:x}"
    items = ["{" + ", ".join(number(x) for x in row) + "}," for row in rows]
    lines = [f"const std::array<{kind}, {len(items)}> {name}{{{{"]
    line = "   "
    for item in items:
        if len(line) + 1 + len(item) > 108:
            lines.append(line)
            line = "   "
        line += " " + item
    return "\n".join([*lines, line, "}};"])


def main():
    assert u.unidata_version == "16.0.0"
    apart, together = forms()
    print("// SPDX-License-Identifier: MIT")
    print("// Made by common/model/make_unicode_forms.py; not edited by hand.")
    print('#include "common/model/unicode_forms.hpp"\n')
    print("namespace adit::model {\n")
    print(table("CombiningRange", "kCombiningRanges", combining()) + "\n")
    print(table("CodePair", "kDecompositions", apart) + "\n")
    print(table("CodePair", "kCompositions", together) + "\n")
    print(table("LowerRange", "kLowerRanges", lower()) + "\n")
    print("}  // namespace adit::model")


main()
