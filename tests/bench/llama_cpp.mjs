// SPDX-License-Identifier: MIT
// The peer's side of peers.mjs: times llama.cpp, as the npm package node-llama-cpp carries it, on one GGUF file and
// prints one JSON object.
//
//   node llama_cpp.mjs NODE_FOLDER MODEL.gguf THREADS REPEAT PROMPT_TOKENS DECODE_TOKENS
//
// Times the same work as `adit-miner bench`: random tokens, a prompt in one batch with the last row's logits, then a
// decode of one token a step from an empty context, each step's logits. It goes to the addon under the package's
// scheduler and picks no token, so what it leaves out favours the peer. Flash attention on, KV cache f16.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [folder, modelPath, ...numbers] = process.argv.slice(2);
const [threads, repeat, promptTokens, decodeTokens] = numbers.map(Number);
if (numbers.length !== 4 || numbers.some((n) => !(Number(n) >= 1))) {
  console.error("usage: llama_cpp.mjs NODE_FOLDER MODEL.gguf THREADS REPEAT PROMPT_TOKENS DECODE_TOKENS");
  process.exit(2);
}

const resolve = createRequire(path.join(path.resolve(folder), "none.js")).resolve;
const { getLlama, LlamaLogLevel } = await import(pathToFileURL(resolve("node-llama-cpp")));
const llama = await getLlama({ gpu: false, build: "never", logLevel: LlamaLogLevel.error });
const addon = llama._bindings;

const model = new addon.AddonModel(modelPath, { gpuLayers: 0, useMmap: true, addonExports: addon });
if (!(await model.init())) throw new Error(`${modelPath}: llama.cpp could not load it`);
const batch = Math.max(promptTokens, 1);
const context = new addon.AddonContext(model, {
  contextSize: Math.max(promptTokens, decodeTokens),
  batchSize: batch,
  sequences: 1,
  flashAttention: true,
  threads,
});
if (!(await context.init())) throw new Error(`${modelPath}: llama.cpp could not make a context`);
if (context.getThreads() !== threads) throw new Error(`asked for ${threads} threads, got ${context.getThreads()}`);

// Ids of SmolLM2's vocabulary from a fixed generator, so that every run is alike.
const vocabulary = 49152;
let state = 7;
function randomToken() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * vocabulary);
}
const tokens = Uint32Array.from({ length: Math.max(promptTokens, decodeTokens) }, randomToken);

async function secondsOf(rows, chunk) {
  context.disposeSequence(0);
  const start = process.hrtime.bigint();
  for (let done = 0; done < rows; done += chunk) {
    const here = Math.min(chunk, rows - done);
    context.initBatch(here);
    context.addToBatch(0, done, tokens.subarray(done, done + here), Uint32Array.of(here - 1));
    await context.decodeBatch();
  }
  return Number(process.hrtime.bigint() - start) * 1e-9;
}

function speedOf(count, seconds) {
  const sorted = [...seconds].sort((a, b) => a - b);
  return { best: count / sorted[0], median: count / sorted[Math.floor(sorted.length / 2)] };
}

const prompt = [];
const decode = [];
for (let round = -1; round < repeat; ++round) {  // one unmeasured round brings the model into memory
  const p = await secondsOf(promptTokens, batch);
  const d = await secondsOf(decodeTokens, 1);
  if (round < 0) continue;
  prompt.push(p);
  decode.push(d);
}

// The work was real: the context holds what was decoded, and its logits yield a token.
if (context.getSequenceKvCacheMaxPosition(0) !== decodeTokens - 1) throw new Error("the context lacks tokens");
const sampler = new addon.AddonSampler(model);
sampler.applyConfig({ temperature: 0 });
const next = await context.sampleToken(0, sampler);
if (!(next >= 0)) throw new Error("llama.cpp gave no logits");

const libraries = readFileSync("/proc/self/maps", "utf8").match(/libggml-cpu-[\w-]+\.so/g) ?? [];
const p = speedOf(promptTokens, prompt);
const d = speedOf(decodeTokens, decode);
console.log(JSON.stringify({
  release: llama.llamaCppRelease.release,
  library: [...new Set(libraries)].join(" "),
  features: addon.systemInfo().trim(),
  prompt_best: p.best, prompt_median: p.median, decode_best: d.best, decode_median: d.median,
}));
process.exit(0);
