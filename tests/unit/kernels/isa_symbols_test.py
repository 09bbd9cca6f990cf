#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Objects compiled for a vector instruction set export no weak (shared inline) symbols: the linker could
choose such a copy for code that must run on a processor without that set.

usage: isa_symbols_test.py NM LIBRARY
"""
import re
import subprocess
import sys


def main():
    listing = subprocess.run([sys.argv[1], "-C", sys.argv[2]], capture_output=True, text=True, check=True).stdout
    object_name, is_vector = "", False
    seen = 0
    weak = []
    for line in listing.split("\n"):
        if line.endswith(".o:"):
            object_name = line[:-1]
            is_vector = re.search("avx|vbmi|neon", object_name) is not None
            seen += is_vector
        match = re.match(r"[0-9a-f]+ ([WVu]) (.*)", line)
        if match and is_vector:
            weak.append(f"{object_name}: weak symbol {match.group(2)}")
    print("\n".join(weak))
    print(f"{seen} vector objects, {len(weak)} weak symbols")
    return 1 if weak or seen < 6 else 0


if __name__ == "__main__":
    sys.exit(main())
