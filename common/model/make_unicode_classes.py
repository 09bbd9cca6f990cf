#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes common/model/unicode_classes_data.cpp: the ranges of code points of general category L, N, No, M, P, S.

usage: make_unicode_classes.py > common/model/unicode_classes_data.cpp
needs: PyPI unicodedata2==16.0.0 (the tables are frozen at Unicode 16.0, which the regular expressions of
PyPI tokenizers 0.23.3 use too, compared for every code point).
"""
import unicodedata2


def ranges(category):
    found = []
    for code in range(0x110000):
        if not unicodedata2.category(chr(code)).startswith(category):
            continue
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return found


def table(name, category):
    items = [f"{{0x{a:x}, 0x{b:x}}}," for a, b in ranges(category)]
    lines = [f"const std::array<CodeRange, {len(items)}> {name}{{{{"]
    line = "   "
    for item in items:
        if len(line) + 1 + len(item) > 108:
            lines.append(line)
            line = "   "
        line += " " + item
    lines.append(line)
    lines.append("}};")
    return "\n".join(lines)


def main():
    assert unicodedata2.unidata_version == "16.0.0"
    print("// SPDX-License-Identifier: MIT")
    print("// Made by common/model/make_unicode_classes.py from Unicode 16.0.0; not edited by hand.")
    print('#include "common/model/unicode_classes.hpp"\n')
    print("namespace adit::model {\n")
    print(table("kLetterRanges", "L") + "\n")
    print(table("kNumberRanges", "N") + "\n")
    print(table("kOtherNumberRanges", "No") + "\n")
    print(table("kMarkRanges", "M") + "\n")
    print(table("kPunctuationRanges", "P") + "\n")
    print(table("kSymbolRanges", "S") + "\n")
    print("}  // namespace adit::model")


main()
