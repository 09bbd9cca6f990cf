#!/usr/bin/env bash
# A whole subnet on this machine with a real model: local chain, one validator, four miners of which two cheat.
#
#   deploy/demo.sh            sets up, builds, runs, shows a live table, ends after three epochs with a summary
#   deploy/demo.sh --keep     leaves the subnet running afterwards; Ctrl-C stops all of it
#   ADIT_DEMO_DIR=DIR         where wallets, logs, ledger and chain are kept (default: a new temporary folder)
#
# Exit 0: honest miners hold all incentive, no cheat has any, and `replay` equals the chain. Otherwise 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
keep=
for argument in "$@"; do
  case $argument in
    --keep) keep=1 ;;
    *) sed -n '2,9p' "${BASH_SOURCE[0]}"; exit 2 ;;
  esac
done

epochs=3 tempo=40 block_time=500ms
started=$SECONDS
say() { printf 'demo: %s\n' "$*"; }
die() { printf 'demo: %s\n' "$*" >&2; exit 1; }

say "set-up"
bash deploy/setup.sh
export PATH="$PATH:/usr/local/cuda/bin" CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
say "build"
log=$(mktemp)
cmake --preset dev >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
rm -f "$log"
cmake --build build/dev -j "$(nproc)" --target adit-miner adit-validator adit-demo-prepare adit-cheat-quantised \
  adit-cheat-copier -- --quiet
bin=$PWD/build/dev/bin
say "model"
mapfile -t files < <(ADIT_REPACK=1 bash deploy/setup.sh --model)
pack8=${files[1]:-} pack4=${files[2]:-}
[ -f "$pack4" ] || die "the packs of the test model were not made"
say "ready after $((SECONDS - started)) s"

dir=${ADIT_DEMO_DIR:-$(mktemp -d "${TMPDIR:-/tmp}/adit-demo.XXXXXX")}
mkdir -p "$dir"
say "everything of this run lies in $dir"
pids=()
stop_all() {
  trap - EXIT INT TERM
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
}
trap stop_all EXIT
trap 'stop_all; exit 130' INT TERM

start() {  # start NAME COMMAND...: in the background, output in DIR/NAME.log
  local name=$1; shift
  : >"$dir/$name.log"
  "$@" >>"$dir/$name.log" 2>&1 </dev/null &
  pids+=($!)
}
alive() { for pid in "${pids[@]}"; do kill -0 "$pid" 2>/dev/null || return 1; done; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

say "local chain"
start chain "$bin/adit-validator" localnet --rpc 127.0.0.1:0 --block-time "$block_time" --state "$dir/chain"
url=
for _ in $(seq 100); do
  url=$(sed -n 's/^ready //p' "$dir/chain.log"); [ -n "$url" ] && break
  alive || { cat "$dir/chain.log" >&2; die "the chain did not start"; }
  sleep 0.1
done
[ -n "$url" ] || die "the chain did not say that it is ready"

miners=(honest1 honest2 quantised copier)
arguments=(); for name in "${miners[@]}"; do arguments+=(--miner "$name"); done
"$bin/adit-demo-prepare" --chain "$url" --wallets "$dir/wallets" --tempo "$tempo" "${arguments[@]}"

miner_config() {  # miner_config NAME PACK
  cat >"$dir/$1.yaml" <<YAML
pack: $2
wallet: {dir: $dir/wallets, name: $1, hotkey: default, coldkey_file: $dir/wallets/$1/coldkey}
chain: {url: "$url", netuid: 1, register: true, refresh: 500ms}
server: {bind: "127.0.0.1:$(free_port)", advertise: "0.0.0.0:PORT"}
engine: {threads: 1, batch: 4}
journal: {path: $dir/$1.journal}
YAML
  local port; port=$(sed -n 's/.*bind: "127.0.0.1:\([0-9]*\)".*/\1/p' "$dir/$1.yaml")
  sed -i "s/PORT/$port/" "$dir/$1.yaml"
}
miner_config honest1 "$pack8"
miner_config honest2 "$pack8"
miner_config quantised "$pack4"
miner_config copier "$pack8"
say "miners: two honest ones, one that serves 4 bits under the 8-bit card, one that copies answers of honest1"
start honest1 "$bin/adit-miner" serve --config "$dir/honest1.yaml"
start honest2 "$bin/adit-miner" serve --config "$dir/honest2.yaml"
start quantised "$bin/adit-cheat-quantised" --config "$dir/quantised.yaml" --declare "$pack8"
start copier "$bin/adit-cheat-copier" --config "$dir/copier.yaml" --victim "$dir/honest1.journal"

cat >"$dir/validator.yaml" <<YAML
chain: {url: "$url", netuid: 1}
wallet: {dir: $dir/wallets, name: validator, hotkey: default}
charter: $PWD/configs/charters/starter-smollm2-135m.yaml
pack: $pack8
state: $dir/validator
query: {threads: 4, per_miner: 1, allow_loopback_miners: true}
verify: {threads: 2}
blocks_left_min: 8
blocks_after_epoch: 4
poll: 250ms
YAML
start validator "$bin/adit-validator" run --config "$dir/validator.yaml"

show() {
  if [ -t 1 ]; then printf '\033[H\033[J'; fi
  printf 'demo: %d s, chain %s\n' $((SECONDS - started)) "$url"
  "$bin/adit-validator" status --config "$dir/validator.yaml" 2>/dev/null || printf 'waiting for the first step\n'
}
landed() {
  local status
  status=$("$bin/adit-validator" status --config "$dir/validator.yaml" --json 2>/dev/null) || status='{}'
  python3 -c 'import json, sys; print(json.loads(sys.argv[1]).get("landed", 0))' "$status"
}

say "running until $epochs weight vectors have landed and the epoch after them has run"
deadline=$((SECONDS + 420)) pause=2
[ -t 1 ] || pause=5
while [ "$(landed)" -lt "$epochs" ]; do
  alive || { tail -n 3 "$dir"/*.log >&2; die "a process ended; its log lies in $dir"; }
  [ $SECONDS -lt $deadline ] || { tail -n 5 "$dir"/*.log >&2; die "no $epochs vectors within 420 s; logs in $dir"; }
  show
  sleep "$pause"
done
sleep $((tempo / 2 + 3))  # the epoch that pays the last vector
show

"$bin/adit-validator" status --config "$dir/validator.yaml" --json >"$dir/status.json"
verdict=0
python3 deploy/demo_check.py "$dir/status.json" "$dir/wallets" || verdict=1
say "replay of the ledger against the chain"
"$bin/adit-validator" replay --config "$dir/validator.yaml" || verdict=1
if [ "$verdict" = 0 ]; then say "good: $((SECONDS - started)) s in all"; else say "BAD: see $dir"; fi
if [ -n "$keep" ]; then
  say "still running; Ctrl-C stops all of it"
  while alive; do show; sleep 5; done
fi
exit "$verdict"
