#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tests/vectors/reference/{logits.bin,greedy.json}: what PyTorch and transformers make of the test model.

transformers reads the GGUF file itself (its dequantisation is PyPI gguf's) and runs LlamaForCausalLM in f32.

logits.bin, little-endian: u32 positions, u32 top; i32 ids[positions]; then for each position f32 logsumexp,
i32 ids[top] and f32 logits[top] of its largest logits in descending order.
greedy.json: five ChatML prompts as ids, and 24 ids of greedy continuation of each.

usage: pip install torch==2.13.0 transformers==5.24.0 accelerate==1.15.0 gguf==0.19.0 numpy
       make_reference_vectors.py MODEL.gguf TEXT.txt OUT_DIR
"""
import json
import os
import sys

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

POSITIONS = 256
TOP = 64
NEW_TOKENS = 24
PROMPTS = [
    "What is the capital of France?",
    "Write one sentence about the sea.",
    "What is 7 + 5?",
    "Translate 'good morning' into Spanish.",
    "Name three animals that live in the forest.",
]


def write_logits(model, ids, path):
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0].double()
    lse = torch.logsumexp(logits, dim=-1)
    top = torch.topk(logits, TOP, dim=-1)
    with open(path, "wb") as out:
        out.write(np.array([len(ids), TOP], dtype="<u4").tobytes())
        out.write(np.array(ids, dtype="<i4").tobytes())
        for i in range(len(ids)):
            out.write(np.array([lse[i]], dtype="<f4").tobytes())
            out.write(top.indices[i].numpy().astype("<i4").tobytes())
            out.write(top.values[i].numpy().astype("<f4").tobytes())


def greedy(model, ids):
    out, past, step = [], None, ids
    while len(out) < NEW_TOKENS:
        with torch.no_grad():
            result = model(torch.tensor([step]), past_key_values=past, use_cache=True)
        past = result.past_key_values
        out.append(int(torch.argmax(result.logits[0, -1])))
        step = [out[-1]]
    return out


def main():
    folder, name = os.path.split(os.path.abspath(sys.argv[1]))
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32,
                                                 attn_implementation="eager").eval()
    with open(sys.argv[2], encoding="utf-8") as file:
        ids = tokenizer(file.read(), add_special_tokens=False)["input_ids"][:POSITIONS]
    write_logits(model, ids, os.path.join(sys.argv[3], "logits.bin"))
    cases = []
    for prompt in PROMPTS:
        text = tokenizer.apply_chat_template([{"role": "user", "content": prompt}], add_generation_prompt=True,
                                             tokenize=False)
        prompt_ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        cases.append({"prompt": prompt, "ids": prompt_ids, "greedy": greedy(model, prompt_ids)})
        print(prompt, "->", repr(tokenizer.decode(cases[-1]["greedy"])))
    with open(os.path.join(sys.argv[3], "greedy.json"), "w", encoding="utf-8") as out:
        json.dump(cases, out)
        out.write("\n")


main()
