#!/usr/bin/env bash
# Sets up, builds and runs every test on a machine where nothing was installed by hand.
# Ends with ctest's summary; exit 0 only if all of it passed.
#   ADIT_JOBS=N        compile jobs (default: cores)      ADIT_SKIP_ASAN=1   leave the sanitizer stage out
#   ADIT_SKIP_ARM64=1  leave the emulated arm64 kernels out
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
jobs=${ADIT_JOBS:-$(nproc)}
started=$SECONDS skipped=()
stage() { printf '\n== %s (%d s since start)\n' "$*" $((SECONDS - started)); }

stage "set-up"
bash deploy/setup.sh
bash deploy/setup.sh --tokenizers
bash deploy/setup.sh --clients
[ -n "${ADIT_SKIP_ARM64:-}" ] || bash deploy/setup.sh --arm64
export PATH="$PATH:/usr/local/cuda/bin" CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-4G}

stage "style"
python3 tests/tidy/tidy.py
if command -v shellcheck >/dev/null; then shellcheck -S warning deploy/*.sh .ci/run
else skipped+=("shellcheck: not installed"); fi

if [ -z "${ADIT_SKIP_ASAN:-}" ]; then
  stage "build with AddressSanitizer and UBSan: decoders, crypto, fuzz targets"
  cmake --preset asan >build-asan.log 2>&1 || { cat build-asan.log; exit 1; }
  rm -f build-asan.log
  cmake --build build/asan -j "$jobs" --target adit_sanitized -- --quiet
  stage "test under sanitizers"
  ctest --test-dir build/asan -L 'unit|fuzz' -j "$jobs" --output-on-failure --no-tests=error
else
  skipped+=("sanitizers: ADIT_SKIP_ASAN is set")
fi

if [ -z "${ADIT_SKIP_ARM64:-}" ] && command -v aarch64-linux-gnu-g++ >/dev/null && command -v qemu-aarch64 >/dev/null; then
  stage "kernels for arm64, emulated"
  cmake --preset cross-arm64 >build-arm64.log 2>&1 || { cat build-arm64.log; exit 1; }
  rm -f build-arm64.log
  cmake --build build/cross-arm64 -j "$jobs" -- --quiet
  ctest --test-dir build/cross-arm64 -j "$jobs" --output-on-failure --no-tests=error
else
  skipped+=("kernels for arm64: no cross compiler or emulator, or ADIT_SKIP_ARM64 is set")
fi

stage "build"
cmake --preset dev >build-dev.log 2>&1 || { cat build-dev.log; exit 1; }
grep -E 'adit:' build-dev.log || true
grep -q 'no nvcc' build-dev.log && skipped+=("device objects: no nvcc")
rm -f build-dev.log
cmake --build build/dev -j "$jobs" -- --quiet

stage "test model and packs"
ADIT_REPACK=1 bash deploy/setup.sh --model

stage "tests"
if [ ${#skipped[@]} -gt 0 ]; then printf 'skipped: %s\n' "${skipped[@]}"; fi
ctest --test-dir build/dev -j "$jobs" --output-on-failure --no-tests=error
