// SPDX-License-Identifier: MIT
// Ids that npm @huggingface/tokenizers gives to the seeded texts, one JSON list a line.
//
// usage: node tokenizer_hub.mjs FOLDER COUNT > ids.jsonl   (FOLDER holds tokenizer.json)
// needs: npm @huggingface/tokenizers 0.2.0 under $ADIT_CACHE/tokenizers (deploy/setup.sh --tokenizers)
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { Corpus } from "./text_corpus.mjs";

const cache = process.env.ADIT_CACHE ?? join(process.env.HOME, ".cache/adit");
const require = createRequire(join(cache, "tokenizers/package.json"));
const { Tokenizer } = require("@huggingface/tokenizers");

const [folder, count] = process.argv.slice(2);
const read = (name) => JSON.parse(readFileSync(join(folder, name)));
const config = existsSync(join(folder, "tokenizer_config.json")) ? read("tokenizer_config.json") : {};
const tokenizer = new Tokenizer(read("tokenizer.json"), config);
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const corpus = new Corpus();
const out = [];
for (let i = 0; i < Number(count); ++i) {
  const text = decoder.decode(corpus.text(i));
  out.push(JSON.stringify(tokenizer.encode(text, { add_special_tokens: false }).ids));
}
process.stdout.write(out.join("\n") + "\n");
