#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The checks of tidy.py find what they are made to find: each canary text must give its error."""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SPDX = "// SPDX-License-Identifier: MIT\n"
HEADER = SPDX + "// Threads  any.\n#pragma once\n"
CASES = [
    ("common/base/a.hpp", SPDX + "// Threads  any.\nint a;\n", "without #pragma once"),
    ("common/base/a.hpp", SPDX + "#pragma once\n", "says none of In"),
    ("common/base/a.hpp", "#pragma once\n// Threads  any.\n", "SPDX"),
    ("common/base/a.hpp", HEADER + '#include "common/crypto/hash.hpp"\n', "may not include common/crypto"),
    ("miner/a.hpp", HEADER + '#include "validator/x.hpp"\n', "may not include validator"),
    ("kernels/linear/a.h", HEADER + '#include "common/base/bytes.hpp"\n', "may not include common/base"),
    ("common/base/a.hpp", HEADER + "using namespace std;\n", "name what you use"),
    ("common/base/a.hpp", HEADER + "// TO" + "DO later\n", "write an issue"),
    ("common/base/a.hpp", HEADER + "int a;   \n", "trailing blank"),
    ("common/base/a.hpp", HEADER + "// " + "x" * 130 + "\n", "columns"),
    ("common/base/a.hpp", HEADER + "int a;\n" * 401, "more than 400"),
    ("common/base/a.hpp", HEADER + "inline void f() {\n" + "  g();\n" * 80 + "}\n", "function of 82 lines"),
    ("common/base/a.cpp", SPDX + "int a;\n", "dead file"),
    ("common/base/a.hpp", HEADER + "#include <torch/torch.h>\n", "torch header"),
    ("README.md", "see /ro" + "ot/x/y\n", "path of a machine"),
]
CLEAN = ("common/base/a.hpp", HEADER + "inline int f(int a) {\n  return a;\n}\n")


def run(path, text):
    root = tempfile.mkdtemp(prefix="adit-tidy-")
    try:
        os.makedirs(os.path.join(root, "tests/tidy"))
        shutil.copy(os.path.join(HERE, "layers.txt"), os.path.join(root, "tests/tidy"))
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)
        out = subprocess.run([sys.executable, os.path.join(HERE, "tidy.py"), root], capture_output=True,
                             text=True, check=False)
        return out.returncode, out.stdout
    finally:
        shutil.rmtree(root)


def main():
    failed = 0
    for path, text, expected in CASES:
        code, output = run(path, text)
        if code != 1 or expected not in output:
            failed += 1
            print(f"not found: {expected!r} in a {path} that has it; got: {output}")
    code, output = run(*CLEAN)
    if code != 0:
        failed += 1
        print(f"a clean file gave: {output}")
    print(f"tidy_test: {len(CASES) + 1 - failed} of {len(CASES) + 1} cases right")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
