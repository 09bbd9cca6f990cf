// SPDX-License-Identifier: MIT
// What npm @huggingface/jinja renders: cases as JSON lines in, {"out": …} or {"error": …} a line out.
//
// usage: node chat_hub.mjs < cases.jsonl > out.jsonl   (a case: template, variables)
// needs: npm @huggingface/jinja 0.5.11 under $ADIT_CACHE/tokenizers (deploy/setup.sh --tokenizers)
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const cache = process.env.ADIT_CACHE ?? join(process.env.HOME, ".cache/adit");
const require = createRequire(join(cache, "tokenizers/package.json"));
const { Template } = require("@huggingface/jinja");

for (const line of readFileSync(0, "utf8").split("\n")) {
  if (!line) continue;
  const one = JSON.parse(line);
  let result;
  try {
    // npm has a clock and cannot be told otherwise.
    const text = one.template.replaceAll("strftime_now is defined", "false");
    result = { out: new Template(text).render(one.variables) };
  } catch (error) {
    result = { error: String(error.message ?? error) };
  }
  process.stdout.write(JSON.stringify(result) + "\n");
}
