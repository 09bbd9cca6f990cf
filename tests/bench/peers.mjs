// SPDX-License-Identifier: MIT
// Times `adit-miner bench`, llama.cpp and ik_llama.cpp in turns on one machine and prints the ratios. peers.sh, which
// installs the peers and makes the files, starts it; see README.md.
//
// In    MINER, NODE, GGUFS, PACKS, and IK if it takes part, as the environment's PEERS_*; options as arguments.
// Out   a table, or with --json one JSON object, on stdout; progress on stderr.
// Exit  0, 1 a measurement failed, 2 arguments, 7 other processes keep the machine busy.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";

const kBusyCores = 0.1;      // more than this in use by others: not quiet
const kQuietWaitSeconds = 60;
const kPackNames = { "w8-a16": 8, "w8-a8g": 8, "w4-a16": 4, "w4-a8g": 4 };
// The order in which a round measures; every second round goes backwards, so that a drift hits both alike.
// ik_llama.cpp as the file is (i) and with weights repacked at load (r).
const kIk = ["Q8_0-i", "Q8_0-r", "Q4_0-i", "Q4_0-r"];
const kOrder = ["w8-a16", "Q8_0-i", "Q8_0-r", "Q8_0", "w8-a8g", "w4-a16", "Q4_0-i", "Q4_0-r", "Q4_0", "w4-a8g", "Q4_1"];
// Ours, and the programs of which the fastest counts.
const kPairs = [
  ["w8-a16", "ik", ["Q8_0-i", "Q8_0-r"]], ["w8-a8g", "ik", ["Q8_0-i", "Q8_0-r"]],
  ["w4-a16", "ik", ["Q4_0-i", "Q4_0-r"]], ["w4-a8g", "ik", ["Q4_0-i", "Q4_0-r"]],
  ["w8-a16", "llama.cpp", ["Q8_0"]], ["w8-a8g", "llama.cpp", ["Q8_0"]],
  ["w4-a16", "llama.cpp", ["Q4_0", "Q4_1"]], ["w4-a8g", "llama.cpp", ["Q4_0", "Q4_1"]],
];

const run = promisify(execFile);
const say = (text) => process.stderr.write(`peers: ${text}\n`);
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

class Stop extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

function wholeNumber(name, text, max) {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > max) {
    throw new Stop(2, `--${name}: expected a whole number from 1 to ${max}, got '${text}'`);
  }
  return value;
}

function readOptions() {
  const text = { type: "string" };
  const flag = { type: "boolean", default: false };
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        rounds: { ...text, default: "3" }, repeat: { ...text, default: "2" }, threads: { ...text, default: "1,2" },
        prompt: { ...text, default: "512" }, tokens: { ...text, default: "128" }, force: flag, json: flag,
      },
    }));
  } catch (error) {
    throw new Stop(2, error.message);
  }
  return {
    rounds: wholeNumber("rounds", values.rounds, 100),
    repeat: wholeNumber("repeat", values.repeat, 100),
    threads: values.threads.split(",").map((t) => wholeNumber("threads", t, 256)),
    prompt: wholeNumber("prompt", values.prompt, 8192),
    tokens: wholeNumber("tokens", values.tokens, 8192),
    force: values.force,
    json: values.json,
  };
}

function cpuTicks() {
  const line = readFileSync("/proc/stat", "utf8").split("\n")[0].trim().split(/\s+/).slice(1).map(Number);
  const [user, nice, system, idle, wait, irq, softirq, steal] = line;
  const busy = user + nice + system + irq + softirq + steal;
  return { busy, all: busy + idle + wait };
}

// Cores in use over `ms`, while this program only sleeps.
async function coresInUse(ms) {
  const before = cpuTicks();
  await sleep(ms);
  const after = cpuTicks();
  const all = after.all - before.all;
  return all > 0 ? ((after.busy - before.busy) / all) * os.cpus().length : 0;
}

async function waitForQuiet(options, seen) {
  const deadline = Date.now() + kQuietWaitSeconds * 1000;
  for (;;) {
    const busy = await coresInUse(400);
    if (busy <= kBusyCores || options.force) {
      seen.push(busy);
      return;
    }
    if (Date.now() > deadline) {
      throw new Stop(7, `other processes keep ${busy.toFixed(2)} cores busy: a comparison would measure them. ` +
        "Stop them, or use --force and distrust the figures");
    }
    await sleep(1000);
  }
}

async function measureOurs(settings, options, name, threads) {
  const pack = path.join(settings.packs, `${name}.adit`);
  const { stdout } = await run(settings.miner, ["bench", "--pack", pack, "--threads", String(threads), "--repeat",
    String(options.repeat), "--prompt-tokens", String(options.prompt), "--tokens", String(options.tokens),
    "--json"]);
  const all = JSON.parse(stdout);
  const speed = (kind) => all.packs[0].rows.find((row) => row.kind === kind).tokens_per_second;
  const prompt = speed("prompt"), decode = speed("decode");
  return { threads, isa: all.isa, prompt_best: prompt.best, prompt_median: prompt.median, decode_best: decode.best,
    decode_median: decode.median };
}

async function measureIk(settings, options, name, threads) {
  const model = path.join(settings.ggufs, `${name.slice(0, 4)}.gguf`);
  const { stdout } = await run(settings.ik, [model, String(threads), String(options.repeat), String(options.prompt),
    String(options.tokens), name.endsWith("r") ? "1" : "0"]);
  return JSON.parse(stdout);
}

async function measurePeer(settings, options, name, threads) {
  const here = path.dirname(fileURLToPath(import.meta.url));
  const model = path.join(settings.ggufs, `${name}.gguf`);
  // One worker thread: llama.cpp is then always called from the same thread, as a native program would.
  const env = { ...process.env, UV_THREADPOOL_SIZE: "1" };
  const { stdout } = await run(process.execPath, [path.join(here, "llama_cpp.mjs"), settings.node, model,
    String(threads), String(options.repeat), String(options.prompt), String(options.tokens)], { env });
  return JSON.parse(stdout);
}

function middle(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function summary(name, threads, results) {
  const of = (key) => results.map((r) => r[key]);
  return {
    program: name in kPackNames ? "adit" : kIk.includes(name) ? "ik_llama.cpp" : "llama.cpp", model: name, threads,
    prompt_best: Math.max(...of("prompt_best")), prompt_median: middle(of("prompt_median")),
    decode_best: Math.max(...of("decode_best")), decode_median: middle(of("decode_median")),
  };
}

async function measureAll(settings, options) {
  const results = new Map();
  const busy = [];
  const about = {};
  const names = kOrder.filter((name) => settings.ik || !kIk.includes(name));
  for (let round = 0; round < options.rounds; ++round) {
    const order = round % 2 === 0 ? names : [...names].reverse();
    for (const threads of options.threads) {
      say(`round ${round + 1} of ${options.rounds}, ${threads} thread${threads > 1 ? "s" : ""}`);
      for (const name of order) {
        await waitForQuiet(options, busy);
        const ours = name in kPackNames;
        const measure = ours ? measureOurs : kIk.includes(name) ? measureIk : measurePeer;
        const result = await measure(settings, options, name, threads);
        if (ours) about.adit = result;
        if (measure === measurePeer) about.peer = result;
        const key = `${name} ${threads}`;
        results.set(key, [...(results.get(key) ?? []), result]);
      }
    }
  }
  const rows = [];
  for (const threads of options.threads) {
    for (const name of names) rows.push(summary(name, threads, results.get(`${name} ${threads}`)));
  }
  return { rows, busy, about };
}

// Medians over all rounds, of each peer the faster way.
function compare(rows, threads) {
  const find = (name) => rows.find((r) => r.model === name && r.threads === threads);
  return kPairs.filter(([, , names]) => names.some(find)).map(([ourName, peer, names]) => {
    const ours = find(ourName);
    const fastest = (key) => Math.max(...names.map((name) => find(name)[key]));
    const prompt = fastest("prompt_median");
    const decode = fastest("decode_median");
    return {
      bits: kPackNames[ourName], threads, ours: ourName, peer,
      ours_prompt: ours.prompt_median, peer_prompt: prompt, prompt_ratio: ours.prompt_median / prompt,
      ours_decode: ours.decode_median, peer_decode: decode, decode_ratio: ours.decode_median / decode,
    };
  });
}

function tableOf(report) {
  const lines = [
    `${report.machine.cpu}, ${report.machine.cores} cores; adit-miner (${report.adit.isa}) beside llama.cpp ` +
      `${report.peer.release} (${report.peer.library})`,
    `Tokens per second, medians of ${report.rounds} rounds in turn, of a peer its fastest way. Load ` +
      `${report.machine.load_before.toFixed(2)} before; others used at most ` +
      `${report.machine.others_cores_max.toFixed(2)} cores between runs.${report.forced ? " FORCED." : ""}`,
    "",
    `                                 prompt ${String(report.prompt_tokens).padEnd(4)}                  ` +
      `decode ${report.decode_tokens}`,
    "threads  adit    peer           adit    peer  ratio     adit    peer  ratio",
  ];
  const number = (value, width, digits) => value.toFixed(digits).padStart(width);
  for (const c of report.comparisons) {
    lines.push(`${String(c.threads).padStart(7)}  ${c.ours.padEnd(7)}  ${c.peer.padEnd(9)}` +
      `${number(c.ours_prompt, 10, 1)}${number(c.peer_prompt, 8, 1)}${number(c.prompt_ratio, 7, 2)}` +
      `${number(c.ours_decode, 9, 1)}${number(c.peer_decode, 8, 1)}${number(c.decode_ratio, 7, 2)}`);
  }
  return lines.join("\n");
}

async function main() {
  const options = readOptions();
  const settings = {
    miner: process.env.PEERS_MINER, node: process.env.PEERS_NODE, ggufs: process.env.PEERS_GGUFS,
    packs: process.env.PEERS_PACKS,
  };
  // Optional.
  const ik = process.env.PEERS_IK;
  for (const [name, value] of Object.entries(settings)) {
    if (!value) throw new Stop(2, `PEERS_${name.toUpperCase()} is not set: start peers.sh instead`);
  }
  const loadBefore = Number(process.env.PEERS_LOAD ?? os.loadavg()[0]);
  const { rows, busy, about } = await measureAll({ ...settings, ik }, options);
  const { release, library, features } = about.peer;
  const report = {
    machine: {
      cpu: os.cpus()[0].model.trim(), cores: os.cpus().length, load_before: loadBefore,
      others_cores_max: Math.max(...busy),
    },
    adit: { isa: about.adit.isa },
    peer: { package: "node-llama-cpp@3.21.1", release, library, features },
    forced: options.force, rounds: options.rounds, runs_each: options.rounds * options.repeat,
    prompt_tokens: options.prompt, decode_tokens: options.tokens, measurements: rows,
    comparisons: options.threads.flatMap((threads) => compare(rows, threads)),
  };
  console.log(options.json ? JSON.stringify(report, null, 2) : tableOf(report));
}

main().catch((error) => {
  const detail = error.stderr ? `: ${String(error.stderr).trim().split("\n").pop()}` : "";
  say(`${error.message.split("\n")[0]}${detail}`);
  process.exitCode = error instanceof Stop ? error.code : 1;
});
