#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the vectors in this folder: texts and the ids that Hugging Face's tokenizers gives.

usage: make_vectors.py MODEL.gguf OUT_DIR
needs: PyPI tokenizers 0.23.3, gguf 0.19.0

smollm2.jsonl.gz: vocabulary and merges are read from the GGUF; the pre-tokenizer is SmolLM2's published one
(digits one by one, then byte level with GPT-2's pattern).
tiny-smollm.json, tiny-gpt2.json: two small vocabularies trained by tokenizers, as it writes them, for tests
without the model; tiny-*.jsonl.gz: their ids. One JSON object a line:
  t: the text, or x: its bytes as hex when they are not UTF-8 (HF then gets errors="replace")
  i: ids with special tokens parsed, p: ids with special tokens as plain text (only when different)
  d: HF's decode of i (only when it is not the text itself)
Texts with code points that Unicode assigned after 16.0 are not made: libraries disagree on them.
"""
import gzip
import json
import random
import sys

from gguf import GGUFReader
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

SENTENCES = [
    "The miner answers, the validator checks; nobody has to trust anybody.",
    "It's what we'd hoped they'll do, isn't it? I'm sure you've seen we're right: DON'T, CAN'T, I'LL.",
    "Le café d'à côté n'ouvre qu'à l'été, où l'œuvre naïve s'achève.",
    "Größere Maßstäbe für äußerst ungewöhnliche Übungen, ähnlich wie früher.",
    "¿Dónde está el niño? ¡Mañana comeremos piñas y pingüinos!",
    "Zażółć gęślą jaźń, a później źdźbło trawy.",
    "Příliš žluťoučký kůň úpěl ďábelské ódy.",
    "Việt Nam có nhiều món ăn rất ngon và đường phố đông đúc.",
    "İstanbul'da ılık bir gün; çığ düştü, şöför güldü.",
    "Съешь же ещё этих мягких булок, да выпей чаю.",
    "Їжак поїхав до Києва щоб купити ґудзики.",
    "Η γρήγορη αλεπού πηδάει πάνω από το τεμπέλικο σκυλί.",
    "今天天气很好，我们去公园散步吧。",
    "我們要計算三百二十一加四十五等於多少？",
    "吾輩はねこである。なまえはまだない。カタカナも書く。",
    "한국어 문장을 토큰으로 나누어 봅시다.",
    "صباح الخير، كيف حالك اليوم؟ العدد ١٢٣٤ صحيح.",
    "שלום עולם, מה שלומך היום? זה מבחן.",
    "नमस्ते दुनिया, आज मौसम अच्छा है। संख्या १२३ है।",
    "สวัสดีชาวโลก วันนี้อากาศดีมาก เลข ๑๒๓",
    "வணக்கம் உலகம், இன்று நல்ல நாள்.",
    "გამარჯობა მსოფლიო, დღეს კარგი ამინდია.",
    "Բարեւ աշխարհ, այսօր լավ օր է։",
    "ሰላም ዓለም፣ ዛሬ ጥሩ ቀን ነው።",
    "বাংলা ভাষায় লেখা একটি বাক্য।",
    "ဒီနေ့ ရာသီဥတု ကောင်းတယ်။",
    "Xin chào — “quoted” ‘text’ … and – dashes • bullets § ¶ † ‡",
    "∀x∈ℝ: ⌈x⌉ = −⌊−x⌋, ∑ᵢ aᵢ² ≤ ∞, π≈3.14159, ½ + ¼ = ¾, x² + y³, H₂O, Ⅳ Ⅻ ① ⑳",
    "price: $1,234,567.89 or 45% off; call +1 (555) 010-9999; v2.0.1-rc.3; 0xDEADBEEF; 1e-9",
    "https://example.org/a/b?c=d&e=%20f#g user@example.org ~/dir/file_name.tar.gz",
]
EMOJI = ["😀", "👍🏽", "👩‍💻", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪", "🇯🇵", "1️⃣", "❤️", "☕", "🧑🏿‍🚀", "🫠", "🤷‍♀️", "✨", "🀄"]
CODE = [
    "def f(x: int) -> int:\n    if x <= 1:\n        return 1\n    return x * f(x - 1)\n",
    "for (int i = 0; i < n; ++i) {\n\ta[i] += b[i] * c;  // axpy\n}\n",
    "#include <vector>\nstd::vector<std::string> v{\"a\", \"b\"};\n",
    "SELECT name, COUNT(*) FROM t WHERE id >= 10 GROUP BY name;",
    "{\"key\": [1, 2.5, null, true], \"s\": \"\\u00e9\\n\"}",
    "<html><body class='x'>&nbsp;&lt;b&gt;</body></html>",
    "fn main() { println!(\"{:?}\", vec![1u8; 32]); }",
    "x=1;y=2;z=x+y;print(z)#end",
    "| a | b |\n|---|---|\n| 1 | 2 |\n",
    "\\begin{equation} e^{i\\pi} + 1 = 0 \\end{equation}",
]
SPECIAL = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<repo_name>", "<reponame>", "<file_sep>", "<filename>",
           "<gh_stars>", "<issue_start>", "<issue_comment>", "<issue_closed>", "<jupyter_start>", "<jupyter_text>",
           "<jupyter_code>", "<jupyter_output>", "<jupyter_script>", "<empty_output>"]
NEARLY_SPECIAL = ["<|im_end|", "|im_end|>", "<|im_end |>", "<|IM_END|>", "<<|im_end|>>", "<|im_<|im_end|>",
                  "<repo_name", "<issue_", "<|endoftext|><|endoftext|>"]
BLANKS = [" ", "  ", "   ", "\t", "\n", "\r\n", "\n\n", " \n", "\n ", "\u00a0", "\u2003", "\u3000", "\u2028",
          "\u0085", "\v", "\f", "\u1680", "        "]
MARKS = ["e\u0301", "n\u0303", "a\u0308\u0323", "o\u0302\u0301\u0300", "\u0301", "\u200d", "\u200b", "\ufeff",
         "\ufe0f", "\u202e", "\u2066", "\u061c", "Z\u0351\u036b\u0343a\u0321lg\u0360o"]


def load(path):
    fields = GGUFReader(path).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    types = fields["tokenizer.ggml.token_type"].contents()
    merges = fields["tokenizer.ggml.merges"].contents()
    added = [{"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
              "special": True} for i, t in enumerate(tokens) if types[i] == 3]
    blob = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Digits", "individual_digits": True},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}]},
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                  "vocab": {t: i for i, t in enumerate(tokens)}, "merges": [m.split(" ") for m in merges]},
    }
    return Tokenizer.from_str(json.dumps(blob))


def mixed(rng):
    """A text of a few random parts."""
    kinds = [
        lambda: rng.choice(SENTENCES),
        lambda: " ".join(rng.choice(SENTENCES).split(" ")[:rng.randint(1, 5)]),
        lambda: rng.choice(EMOJI) * rng.randint(1, 3),
        lambda: rng.choice(CODE),
        lambda: rng.choice(SPECIAL),
        lambda: rng.choice(NEARLY_SPECIAL),
        lambda: "".join(rng.choice(BLANKS) for _ in range(rng.randint(1, 5))),
        lambda: rng.choice(MARKS),
        lambda: str(rng.randint(0, 10 ** rng.randint(1, 24))),
        lambda: f"{rng.uniform(-1e6, 1e6):.{rng.randint(0, 6)}f}",
        lambda: chr(rng.randint(0, 31)),
        lambda: rng.choice("'`\"’´") + rng.choice(["s", "t", "re", "ve", "m", "ll", "d", "S", "LL", "x", "st", " s"]),
        lambda: rng.choice("!?.,;:-_=+*/\\|@#$%^&()[]{}<>~") * rng.randint(1, 12),
        lambda: "".join(rng.choice("abcdefghijklmnopqrstuvwxyzABCXYZ") for _ in range(rng.randint(1, 20))),
    ]
    return "".join(rng.choice(kinds)() for _ in range(rng.randint(1, 6)))


def random_codes(rng):
    """Letters and marks of one block, the hardest case for merges that cross characters."""
    low, high = rng.choice([(0x20, 0x7e), (0xa0, 0x24f), (0x370, 0x3ff), (0x400, 0x4ff), (0x5d0, 0x5ea),
                            (0x620, 0x64a), (0x900, 0x939), (0xe01, 0xe2e), (0x3041, 0x3096), (0x4e00, 0x9fa5),
                            (0xac00, 0xd7a3), (0x2190, 0x21ff), (0x2200, 0x22ff), (0x1f300, 0x1f64f),
                            (0x1d400, 0x1d454), (0x20000, 0x20100), (0x2150, 0x2188), (0x2460, 0x24ff)])
    return "".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 12)))


def broken_bytes(rng):
    """Bytes that are (almost always) not UTF-8: cut, flipped, overlong, surrogates, beyond U+10FFFF."""
    raw = bytearray(mixed(rng).encode())[:60]
    for _ in range(rng.randint(1, 4)):
        at = rng.randint(0, len(raw))
        raw[at:at] = rng.choice([b"\x80", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xc0\xaf", b"\xed\xa0\x80", b"\xff",
                                 b"\xf4\x90\x80\x80", b"\xe0\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xf1\x80"])
    return bytes(raw)


def texts():
    rng = random.Random(20251125)
    yield from SENTENCES + CODE + EMOJI + SPECIAL + NEARLY_SPECIAL + BLANKS + MARKS
    yield ""
    for code in range(0x180):
        yield chr(code)
    for blank in BLANKS:
        for blank2 in BLANKS:
            yield f"a{blank}{blank2}b{blank2}{blank}"
    for contraction in ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'re'll", "' s", "''s", "'", "'r", "'l"]:
        for frame in ["it{}", "{}", " {}", "9{}x", "it{}x ", "ß{}", "!{}"]:
            yield frame.format(contraction)
    for _ in range(1200):
        yield mixed(rng)
    for _ in range(400):
        yield random_codes(rng)
    for _ in range(250):
        yield broken_bytes(rng)
    yield "a" * 3000
    yield "ab" * 1000 + " " * 500 + "\n" * 300 + "9" * 200
    yield "".join(rng.choice("етаоинсрвл") for _ in range(1500))


def train(digits):
    """A small tokenizer, trained on this file's sentences."""
    tokenizer = Tokenizer(models.BPE())
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.pre_tokenizer = byte_level
    if digits:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level])
    tokenizer.decoder = decoders.ByteLevel()
    specials = [AddedToken(t, special=True, normalized=False) for t in SPECIAL[:3]]
    trainer = trainers.BpeTrainer(vocab_size=900, special_tokens=specials, show_progress=False,
                                  initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.train_from_iterator(SENTENCES + CODE + EMOJI, trainer)
    return tokenizer


def write_vectors(tokenizer, all_texts, path):
    lines = []
    for text in all_texts:
        item = {}
        if isinstance(text, bytes):
            item["x"] = text.hex()
            text = text.decode("utf-8", errors="replace")
        else:
            item["t"] = text
        tokenizer.encode_special_tokens = False
        item["i"] = tokenizer.encode(text, add_special_tokens=False).ids
        tokenizer.encode_special_tokens = True
        plain = tokenizer.encode(text, add_special_tokens=False).ids
        if plain != item["i"]:
            item["p"] = plain
        decoded = tokenizer.decode(item["i"], skip_special_tokens=False)
        if "x" in item or decoded != text:
            item["d"] = decoded
        lines.append(json.dumps(item, ensure_ascii=False, separators=(",", ":")))
    with open(path, "wb") as raw:
        with gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") as out:
            out.write(("\n".join(lines) + "\n").encode())
    print(f"{path}: {len(lines)} texts")


def main():
    model, folder = sys.argv[1:]
    everything = list(texts())
    write_vectors(load(model), everything, f"{folder}/smollm2.jsonl.gz")
    for name, digits in (("tiny-smollm", True), ("tiny-gpt2", False)):
        tokenizer = train(digits)
        with open(f"{folder}/{name}.json", "w", encoding="utf-8") as out:
            out.write(tokenizer.to_str())
        write_vectors(tokenizer, everything[::4], f"{folder}/{name}.jsonl.gz")


if __name__ == "__main__":
    main()
