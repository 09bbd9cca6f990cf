#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the form of the tree: size of files and functions, arrows between modules, headers, banned words,
dead files, machine paths. Prints `path:line: error: what` and exits 1 if anything is wrong.

usage: tidy.py [ROOT]     ROOT defaults to the repository this file stands in
"""
import os
import re
import subprocess
import sys

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
LINE_COLUMNS_MAX = 120  # code is formatted to 110; header comments may use the rest
CODE = (".hpp", ".cpp", ".h", ".cu", ".cuh")
HEADERS = (".hpp", ".h", ".cuh")
DATA_FILES = re.compile(r"(_data\.(cpp|hpp|h)|wordlist\.(cpp|hpp)|_table\.(cpp|hpp))$")

BANNED = [
    (re.compile(r"\busing namespace\b"), "name what you use"),
    (re.compile(r"\bstd::rand\b|\bsrand\("), "take an Rng"),
    (re.compile(r"system_clock::now"), "take a Clock"),
    (re.compile(r"(?<![\w_:])exit\("), "return an exit code"),
    (re.compile(r"\b(TODO|FIXME|XXX|HACK)\b"), "write an issue instead"),
    (re.compile(r"-ffast-math|-Ofast"), "breaks exactness"),
]
COUT = re.compile(r"\bstd::cout\b")
MACHINE_PATH = re.compile(r"/(root|work|home/[a-z]+|tmp/[a-z0-9_-]+)/")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
TORCH = re.compile(r'#\s*include\s+[<"](torch|ATen|c10)/')


def module_of(path, layers):
    """The longest prefix in layers that holds path, or None."""
    best = None
    for name in layers:
        if path.startswith(name + "/") and (best is None or len(name) > len(best)):
            best = name
    return best


def read_layers(path):
    """layers.txt: `module: module module …` (what it may include; itself is always allowed)."""
    layers = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            line = line.split("#")[0].strip()
            if line:
                name, _, allowed = line.partition(":")
                layers[name.strip()] = allowed.split()
    return layers


def strip_code(text):
    """The text with comments and literals blanked, same line structure."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    pattern = (r'R"(?P<d>[^\s()\\]{0,16})\(.*?\)(?P=d)"' + r'|//[^\n]*|/\*.*?\*/'
               r'|"(?:\\.|[^"\\\n])*"' r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'")
    text = re.sub(pattern, blank, text, flags=re.S)
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", blank, text, flags=re.M)


def long_functions(code):
    """(line, length) of each brace block that follows a `)` at namespace or class level and is too long."""
    depth_kinds = []   # 'n' namespace or type, 'f' function body, 'o' other
    line = 1
    start_of_statement = 0
    starts = []
    for index, char in enumerate(code):
        if char == "\n":
            line += 1
        elif char == "{":
            head = code[start_of_statement:index]
            inside_function = "f" in depth_kinds
            is_scope = re.search(r"\b(namespace|class|struct|enum|union|extern)\b", head) and "(" not in head.split("{")[-1].split(";")[-1]
            if inside_function:
                depth_kinds.append("o")
            elif is_scope:
                depth_kinds.append("n")
            elif ")" in head:
                depth_kinds.append("f")
                first = line - head.lstrip().count("\n")
                starts.append((len(depth_kinds), first))
            else:
                depth_kinds.append("o")
            start_of_statement = index + 1
        elif char == "}":
            if starts and starts[-1][0] == len(depth_kinds):
                _, first = starts.pop()
                if line - first + 1 > FUNCTION_LINES_MAX:
                    yield first, line - first + 1
            if depth_kinds:
                depth_kinds.pop()
            start_of_statement = index + 1
        elif char == ";":
            start_of_statement = index + 1


def tracked(root):
    out = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"], capture_output=True,
                         text=True, check=False)
    if out.returncode == 0 and out.stdout:
        return sorted(set(out.stdout.split("\n")) - {""})
    found = []
    for folder, _, names in os.walk(root):
        for name in names:
            found.append(os.path.relpath(os.path.join(folder, name), root))
    return sorted(found)


class Tidy:
    def __init__(self, root):
        self.root = root
        self.errors = []
        self.layers = read_layers(os.path.join(root, "tests/tidy/layers.txt"))
        self.files = [f for f in tracked(root) if os.path.isfile(os.path.join(root, f))]

    def error(self, path, line, what):
        self.errors.append(f"{path}:{line}: error: {what}")

    def check_code(self, path, text):
        lines = text.split("\n")
        if len(lines) - 1 > FILE_LINES_MAX and not DATA_FILES.search(path):
            self.error(path, 1, f"{len(lines) - 1} lines, more than {FILE_LINES_MAX}: a file is one noun")
        if not lines[0].startswith("// SPDX-License-Identifier: MIT"):
            self.error(path, 1, "first line is not the SPDX line")
        if path.endswith(HEADERS) and "#pragma once" not in text:
            self.error(path, 1, "header without #pragma once")
        if path.endswith(HEADERS) and not path.startswith("tests/") and not re.search(r"^// (Threads|In |Out |Errors)", text, re.M):
            self.error(path, 1, "header comment says none of In, Out, Errors, Threads")
        for number, line in enumerate(lines, 1):
            self.check_line(path, number, line)
        code = strip_code(text)
        for number, line in enumerate(code.split("\n"), 1):
            for pattern, why in BANNED[:4]:
                if pattern.search(line):
                    self.error(path, number, f"`{pattern.search(line).group(0)}`: {why}")
            if COUT.search(line) and not re.search(r"(cli|main|command|print|table|progress)[^/]*\.cpp$", path) \
                    and not path.startswith("tests/"):
                self.error(path, number, "std::cout outside of a command")
        for first, length in long_functions(code):
            self.error(path, first, f"function of {length} lines, more than {FUNCTION_LINES_MAX}")
        self.check_arrows(path, lines)

    def check_line(self, path, number, line):
        if len(line) > LINE_COLUMNS_MAX and not DATA_FILES.search(path) and "http" not in line:
            self.error(path, number, f"{len(line)} columns, more than {LINE_COLUMNS_MAX}")
        if "\t" in line:
            self.error(path, number, "tab")
        if line != line.rstrip():
            self.error(path, number, "trailing blank")
        for pattern, why in BANNED[4:]:
            if pattern.search(line):
                self.error(path, number, f"`{pattern.search(line).group(0)}`: {why}")
        if TORCH.search(line) and not path.endswith("_torch.cpp"):
            self.error(path, number, "torch header outside of a *_torch.cpp")

    def check_arrows(self, path, lines):
        here = module_of(path, self.layers)
        if here is None:
            return
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            there = module_of(match.group(1), self.layers)
            if there is None or there == here:
                continue
            if not any(there == a or there.startswith(a + "/") for a in self.layers[here]):
                self.error(path, number, f"{here} may not include {there} (tests/tidy/layers.txt)")

    def check_dead_files(self):
        cmake = ""
        for path in self.files:
            if path.endswith(("CMakeLists.txt", ".cmake")):
                with open(os.path.join(self.root, path), encoding="utf-8") as file:
                    folder = os.path.dirname(path)
                    for word in re.findall(r"[\w./${}-]+\.(?:cpp|cu|cc)\b", file.read()):
                        word = word.replace("${CMAKE_SOURCE_DIR}/", "/").replace("${CMAKE_CURRENT_SOURCE_DIR}/", "")
                        full = word[1:] if word.startswith("/") else os.path.normpath(os.path.join(folder, word))
                        cmake += full + "\n"
        listed = set(cmake.split("\n"))
        for path in self.files:
            if path.endswith((".cpp", ".cu")) and path not in listed:
                self.error(path, 1, "dead file: no CMakeLists.txt lists it")

    def run(self):
        for path in self.files:
            if path.startswith("tests/tidy/canary"):
                continue
            full = os.path.join(self.root, path)
            if path.endswith(CODE):
                with open(full, encoding="utf-8") as file:
                    self.check_code(path, file.read())
            if path.endswith((".cpp", ".hpp", ".h", ".md", ".sh", ".yaml", ".py", ".txt", ".json", ".cmake")) \
                    and not path.startswith(("tests/tidy/", "tests/vectors/")):
                with open(full, encoding="utf-8", errors="replace") as file:
                    for number, line in enumerate(file, 1):
                        match = MACHINE_PATH.search(line)
                        if match:
                            self.error(path, number, f"path of a machine: {match.group(0)}")
        self.check_dead_files()
        return self.errors


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.dirname(here))
    tidy = Tidy(root)
    errors = tidy.run()
    for line in errors:
        print(line)
    code = [f for f in tidy.files if f.endswith(CODE)]
    print(f"tidy: {len(code)} source files, {len(errors)} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
