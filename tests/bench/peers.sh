#!/usr/bin/env bash
# Measures SmolLM2-135M's prompt and decode speed beside llama.cpp and ik_llama.cpp, in one run on one machine.
#
#   tests/bench/peers.sh [--json] [--rounds N] [--repeat N] [--threads 1,2] [--prompt N] [--tokens N]
#                        [--max-load X] [--force] [--no-ik]
#
#   --rounds N    rounds of all programs in turn (default 3)    --repeat N   timed runs of each a round (default 2)
#   --json        one JSON object instead of the table          --threads L  thread counts (default 1,2)
#   --prompt N    length of the prompt (default 512)            --tokens N   tokens to decode (default 128)
#   --max-load X  refuse above this load average (default 0.5)  --force      measure all the same
#   --no-ik       leave ik_llama.cpp out (its first build takes some ten minutes)
#
#   ADIT_MINER    the binary (default build/dev/bin/adit-miner)
#   ADIT_CACHE    where peer, GGUF files and packs are kept, in peers/ (default ~/.cache/adit)
#
# Exit 0 measured, 1 failed, 2 arguments, 6 no model or binary, 7 the machine is busy.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$root/tests/bench
cache=${ADIT_CACHE:-$HOME/.cache/adit}
work=$cache/peers
miner=${ADIT_MINER:-$root/build/dev/bin/adit-miner}
gguf=$cache/models/SmolLM2-135M-Instruct.Q4_1.gguf
llama_version=3.21.1 gguf_version=0.19.0 ik_version=0.1.5

say() { printf 'peers: %s\n' "$*" >&2; }
die() { local code=$1; shift; say "$*"; exit "$code"; }

max_load=0.5 force='' ik=1 pass=()
while [ $# -gt 0 ]; do
  case $1 in
    --max-load)
      [[ ${2:-} =~ ^[0-9]+(\.[0-9]+)?$ ]] || die 2 "--max-load: expected a number, got '${2:-}'"
      max_load=$2; shift ;;
    --force) force=1; pass+=("$1") ;;
    --no-ik) ik='' ;;
    --json) pass+=("$1") ;;
    --rounds | --repeat | --threads | --prompt | --tokens)
      [ $# -ge 2 ] || die 2 "$1: expected a value"
      pass+=("$1" "$2"); shift ;;
    -h | --help) sed -n '2,17p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) die 2 "unknown argument '$1' (see --help)" ;;
  esac
  shift
done

# Before anything of ours adds to the load.
read -r load _ </proc/loadavg
if awk -v load="$load" -v max="$max_load" 'BEGIN { exit !(load > max) }'; then
  [ -n "$force" ] || die 7 "load average $load is over $max_load: a comparison would measure the other processes." \
    "Wait, or use --force and distrust the figures"
  say "load average $load is over $max_load: going on as --force says; distrust the figures"
fi

[ "$(uname -sm)" = "Linux x86_64" ] || die 1 "the peer's package is for Linux on x86-64, this is $(uname -sm)"
for tool in node npm python3; do command -v "$tool" >/dev/null || die 1 "needs $tool"; done
[ -x "$miner" ] || die 6 "$miner: not found (build it, or set ADIT_MINER)"
[ -f "$gguf" ] || die 6 "$gguf: not found (deploy/setup.sh brings it)"
mkdir -p "$work/node" "$work/gguf" "$work/packs"

version_of() { node -p 'require(process.argv[1]).version' "$work/node/node_modules/$1/package.json" 2>/dev/null; }
if [ "$(version_of node-llama-cpp)" != "$llama_version" ] ||
  [ "$(version_of @node-llama-cpp/linux-x64)" != "$llama_version" ]; then
  say "installing node-llama-cpp $llama_version into $work/node"
  npm install --prefix "$work/node" --no-save --no-audit --no-fund --ignore-scripts --omit=optional \
    --loglevel=error "node-llama-cpp@$llama_version" "@node-llama-cpp/linux-x64@$llama_version" >&2 ||
    die 1 "could not install the peer (is the npm registry reachable?)"
fi

# ik_llama.cpp for this very processor, from the sources that a Python package carries.
ik_sources=$work/ik/ik_llama_cpp_python-$ik_version/vendor/ik_llama.cpp ik_build=$work/ik/build
build_ik() {
  say "building ik_llama.cpp (ik-llama-cpp-python $ik_version) in $work/ik: some ten minutes"
  mkdir -p "$work/ik"
  [ -f "$work/ik/ik_llama_cpp_python-$ik_version.tar.gz" ] ||
    python3 -m pip download -q --disable-pip-version-check --no-deps --no-binary :all: -d "$work/ik" \
      "ik-llama-cpp-python==$ik_version" >&2 || return 1
  tar -C "$work/ik" -xzf "$work/ik/ik_llama_cpp_python-$ik_version.tar.gz" || return 1
  cmake -S "$ik_sources" -B "$ik_build" -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON -DGGML_IQK_FA_ALL_QUANTS=OFF \
    -DLLAMA_CURL=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF \
    >"$work/ik.log" 2>&1 || return 1
  nice cmake --build "$ik_build" -j"$(nproc)" --target llama >>"$work/ik.log" 2>&1 || return 1
}
build_ik_client() {
  c++ -O2 -std=c++17 -I"$ik_sources/include" -I"$ik_sources/ggml/include" "$here/ik_llama.cpp" \
    -o "$work/ik/bench.part" \
    -L"$ik_build/src" -L"$ik_build/ggml/src" -lllama -lggml \
    -Wl,-rpath,"$ik_build/src:$ik_build/ggml/src" || return 1
  mv "$work/ik/bench.part" "$work/ik/bench-$ik_version"
}
if [ -n "$ik" ]; then
  if [ ! -x "$work/ik/bench-$ik_version" ] || [ "$here/ik_llama.cpp" -nt "$work/ik/bench-$ik_version" ]; then
    command -v cmake >/dev/null || die 1 "needs cmake"
    [ -f "$ik_build/src/libllama.so" ] || build_ik ||
      die 1 "could not build ik_llama.cpp (see $work/ik.log), or use --no-ik"
    build_ik_client || die 1 "could not compile tests/bench/ik_llama.cpp"
  fi
  export PEERS_IK=$work/ik/bench-$ik_version
fi

ln -sf "$gguf" "$work/gguf/Q4_1.gguf"
for type in Q8_0 Q4_0; do
  [ ! -f "$work/gguf/$type.gguf" ] || continue
  if [ ! -d "$work/python/gguf" ]; then
    say "installing gguf $gguf_version into $work/python"
    python3 -m pip install -q --disable-pip-version-check --target "$work/python" "gguf==$gguf_version" >&2 ||
      die 1 "could not install gguf (is the Python package index reachable?)"
  fi
  say "writing $work/gguf/$type.gguf"
  PYTHONPATH=$work/python python3 "$here/requantise.py" "$gguf" "$work/gguf/$type.gguf" "$type"
done

for bits in 8 4; do
  for act in a16 a8g; do
    pack=$work/packs/w$bits-$act.adit
    if [ ! -f "$pack" ] || [ "$miner" -nt "$pack" ]; then
      say "packing the model: $bits bits, $act"
      "$miner" pack "$gguf" -o "$work/packs/part.adit" --bits "$bits" --act "$act" >/dev/null 2>"$work/pack.log" ||
        die 6 "packing failed: $(tail -n 1 "$work/pack.log")"
      mv "$work/packs/part.adit" "$pack"
    fi
  done
done

PEERS_MINER=$miner PEERS_NODE=$work/node PEERS_GGUFS=$work/gguf PEERS_PACKS=$work/packs PEERS_LOAD=$load \
  exec node "$here/peers.mjs" "${pass[@]}"
