#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tests/vectors/tokenizer/corpus.json: the pieces of which the seeded texts of tokenizer tests are made.

usage: make_text_corpus.py > tests/vectors/tokenizer/corpus.json

The texts themselves are made alike in three languages: text() in tokenizer_hub.py, in tokenizer_hub.mjs and in
tests/support/text_corpus.hpp.
"""
import json
import pathlib
import re

SOURCE = pathlib.Path(__file__).parent.parent / "vectors/tokenizer/make_vectors.py"


def lists():
    """The lists of texts of the older vectors, read from their script."""
    text = SOURCE.read_text()
    out = {}
    for name in ("SENTENCES", "EMOJI", "CODE", "BLANKS", "MARKS"):
        body = re.search(rf"^{name} = (\[.*?\n?\])\n", text, re.S | re.M).group(1)
        out[name] = eval(body)  # a list of literals in our own file
    return out


def main():
    old = lists()
    special = [
        "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>",
        "<|start_header_id|>", "<|end_header_id|>", "<|python_tag|>", "<|reserved_special_token_0|>", "<think>", "</think>",
        "<tool_call>", "</tool_call>", "<tool_response>", "<\uff5cUser\uff5c>", "<\uff5cAssistant\uff5c>",
        "<\uff5cbegin\u2581of\u2581sentence\uff5c>", "<\uff5cend\u2581of\u2581sentence\uff5c>", "<\uff5ctool\u2581sep\uff5c>",
        "<\uff5ctool\u2581calls\u2581begin\uff5c>", "<|EOT|>", "<s>", "</s>", "<unk>", "<word>", "<left>", "<right>",
        "<|im_end|", "<|im_<|im_end|>", "<\uff5cUser|>", "<|fim_prefix|>", "<|file_sep|>", "<0x41>", "\u2581", "[PAD3]"]
    more = [
        "na\u00efve fa\u00e7ade \u00c5ngstr\u00f6m \u212bngstr\u00f6m \u2126 \u212a \ufb01ligature \u1e9b\u0323 \u1fd3 \u0344 \uac00\u11a8 \u1100\u1161\u11a8",
        "\u0938\u094d\u0924\u094d\u0930\u0940 \u0bb8\u0bcd\u0bb0\u0bc0 \u0e01\u0e33 \u0644\u064e\u0627\u0650\u0625\u0644\u064e\u0647\u064e",
        "\u05d1\u05b0\u05bc\u05e8\u05b5\u05d0\u05e9\u05b4\u05c1\u05d9\u05ea \u0f40\u0f74\u0f53\u0f0b \u1780\u1793\u17d2\u178f",
        "\U0001d400\U0001d7d9 \U00020000\U0002a6df \U00010400\U00010428 \U0001f1e9\U0001f1ea \U000e0067\U000e0062",
        "x\u00b2+y\u00b3=\u00bd; \u2460\u2461 \u2163 \u0661\u0662\u0663 \u0967\u0968 \uff11\uff12\uff13 \U0001d7ce",
        "He said: \u201cI'll go\u201d\u2014didn't he? WE'RE, you'Ve, IT'\u017f",
        "\u3001\u3002\u300c\u65e5\u672c\u8a9e\u300d\u3000\uff01\uff1f\uff5e \u2018a\u2019 \uff21\uff22 \u4e00\u9fa5\u9fa6 \u3040\u309f\u30a0\u30ff \ud7a3\ud7ff",
        "#include <a.h>\r\n\tint x = 0;\r\n\r\n  // done\n\n\n", "a\u0085b\u2028c\u2029d\u00a0e\u200bf\ufeffg\u180eh\u202fi\u205fj"]
    # Without what Unicode assigned after 16.0: the libraries differ there.
    ranges = [[0x0, 0x1f], [0x20, 0x7e], [0x7f, 0xff], [0x100, 0x24f], [0x300, 0x36f], [0x370, 0x52f], [0x590, 0x6ff],
              [0x900, 0xdff], [0xe00, 0xfff], [0x1000, 0x137f], [0x1780, 0x18af], [0x1d00, 0x1fff], [0x2000, 0x206f],
              [0x2070, 0x218f], [0x2190, 0x27ff], [0x2c00, 0x2dff], [0x3000, 0x30ff], [0x3400, 0x9fff], [0xa000, 0xa4cf],
              [0xa640, 0xabff], [0xac00, 0xd7ff], [0xe000, 0xf8ff], [0xf900, 0xfbc1], [0x10000, 0x103ff], [0x10400, 0x10fff],
              [0x11000, 0x11d9f], [0x12000, 0x1343f], [0x16a00, 0x16fef], [0x1d000, 0x1d7ff], [0x1e000, 0x1efff],
              [0x1f000, 0x1faff], [0x20000, 0x323af], [0xe0000, 0xe01ef], [0xf0000, 0x10ffff]]
    print(json.dumps({
        "fragments": old["SENTENCES"] + old["CODE"] + more, "special": special, "blanks": old["BLANKS"],
        "emoji": old["EMOJI"], "marks": old["MARKS"],
        "endings": ["s", "S", "\u017f", "re", "RE", "ve", "vE", "ll", "LL", "m", "d", "D", "t", "x", " s"],
        "ranges": ranges}, ensure_ascii=True, indent=0))


main()
