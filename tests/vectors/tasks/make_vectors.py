#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tasks from seeds, written from the description in validator/tasks/*.hpp alone; reads the words from the header.

usage: make_vectors.py > tasks.json      (run from the repository's root)
"""
import hashlib
import json
import re

M = (1 << 64) - 1


class Rng:
    def __init__(self, seed):
        self.s = seed

    def next(self):
        self.s = (self.s + 0x9E3779B97F4A7C15) & M
        z = self.s
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & M
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & M
        return z ^ (z >> 31)

    def below(self, n):
        limit = n * (M // n)
        while True:
            v = self.next()
            if v < limit:
                return v % n

    def between(self, a, b):
        return a + self.below(b - a + 1)


HEADER = open("validator/tasks/word_table.hpp", encoding="utf-8").read()
CAPITALS = re.findall(r'\{"([^"]+)", "([^"]+)"\}', HEADER)
WORDS = re.findall(r'"([a-z]+)"', HEADER[HEADER.index("kWords"):])
ONE = "Reply with 1 number."


def capital(r, level):
    c, a = CAPITALS[r.below(len(CAPITALS))]
    return f"What is the capital of {c}? Answer with one word.", a


def copy(r, level):
    a = " ".join(WORDS[r.below(len(WORDS))] for _ in range(level + 1))
    return f"The words are: {a}. Repeat the words in this order and write nothing else.", a


def chain(r, level):
    v = r.between(2, 12 if level == 2 else 9)
    text = str(v)
    if level == 2:
        f = r.between(2, 13)
        return f"What is {text} * {f}? {ONE}", str(v * f)
    for i in range(1, max(level, 2)):
        t = r.between(10, 40)
        minus = i > 1 and r.below(2) == 1
        text += f" {'-' if minus else '+'} {t}"
        v += -t if minus else t
    return f"What is {text}? {ONE}", str(v)


def biggest(r, level):
    n = [r.between(10, 99 if level <= 2 else 199) for _ in range(level + 2)]
    text = ", ".join(map(str, n[:-1])) + f" and {n[-1]}"
    return f"Which of the numbers {text} is the largest? {ONE}", str(max(n))


def trace(r, level):
    x = r.between(2, 20)
    y = r.between(2, 20)
    v = [x, y]
    text = f"x = {x}\ny = {y}\n"
    target = 0
    for _ in range(level):
        target = r.below(2)
        source = r.below(2)
        c = r.between(2, 20)
        minus = r.below(2) == 1
        v[target] = v[source] + (-c if minus else c)
        text += f"{'xy'[target]} = {'xy'[source]} {'-' if minus else '+'} {c}\n"
    return (f"A program runs these lines:\n{text}What is the value of {'xy'[target]} at the end? {ONE}",
            str(v[target]))


FAMILIES = {"facts.capital": capital, "text.copy": copy, "arithmetic.chain": chain, "numbers.max": biggest,
            "program.trace": trace}
RULES = [("facts.capital", 2, 1, 1), ("text.copy", 2, 1, 4), ("arithmetic.chain", 3, 1, 5),
         ("numbers.max", 2, 1, 4), ("program.trace", 2, 1, 5)]


def make(seed):
    r = Rng(int.from_bytes(seed[:8], "little"))
    draw = r.below(sum(w for _, w, _, _ in RULES))
    for name, weight, low, high in RULES:
        if draw < weight:
            break
        draw -= weight
    level = low + r.below(high - low + 1)
    prompt, answer = FAMILIES[name](r, level)
    return {"seed": seed.hex(), "family": name, "level": level, "prompt": prompt, "answer": answer}


def main():
    tasks = [make(hashlib.blake2b(i.to_bytes(4, "little"), digest_size=32).digest()) for i in range(120)]
    print(json.dumps({"rules": RULES, "tasks": tasks}, indent=0, ensure_ascii=True))


if __name__ == "__main__":
    main()
