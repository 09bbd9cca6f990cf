#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The demo's judgement: honest miners hold all incentive, cheats none, and each cheat was caught by replay.

usage: demo_check.py STATUS.json WALLETS      (status of `adit-validator status --json`)
"""
import json
import os
import sys

CAUGHT = {"kTokenMismatch", "kTraceMismatch"}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        status = json.load(file)
    by_hotkey = {m["hotkey"]: m for m in status["miners"]}
    problems = []
    rows = []
    for name in ("honest1", "honest2", "quantised", "copier"):
        with open(os.path.join(sys.argv[2], name, "hotkeys", "defaultpub.txt"), encoding="utf-8") as file:
            hotkey = json.load(file)["ss58Address"]
        miner = by_hotkey.get(hotkey)
        if miner is None:
            problems.append(f"{name} is not among the miners of the newest step")
            continue
        verdicts = miner.get("verdicts", {})
        rows.append((name, miner["uid"], miner["weight"], miner.get("incentive", 0), verdicts))
        if name.startswith("honest"):
            if miner["weight"] == 0 or miner.get("incentive", 0) == 0:
                problems.append(f"{name} is honest and earned nothing")
            bad = CAUGHT & set(verdicts)
            if bad:
                problems.append(f"{name} is honest and was judged {', '.join(sorted(bad))}")
        else:
            if miner["weight"] != 0 or miner.get("incentive", 0) != 0:
                problems.append(f"{name} cheats and earned weight {miner['weight']}")
            if not CAUGHT & set(verdicts):
                problems.append(f"{name} was not caught by replay: {verdicts}")
    for name, uid, weight, incentive, verdicts in rows:
        counts = ", ".join(f"{n}x {v}" for v, n in verdicts.items())
        print(f"demo: {name:<10} uid {uid}  weight {weight:>5}  incentive {incentive:>5}  {counts}")
    honest = sum(r[3] for r in rows if r[0].startswith("honest"))
    if honest < 65535 - 2:
        problems.append(f"honest miners hold {honest} of 65535 of the incentive")
    for problem in problems:
        print(f"demo: PROBLEM: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
