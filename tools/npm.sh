#!/bin/sh
# Fetch the packages of tools/npm/package-lock.json (versions and checksums are pinned there) into tools/npm/node_modules.
# --peers also takes those that only tests and benchmarks use. Silent when they are there.
set -eu
cd "$(dirname "$0")/npm"
with=--omit=dev proof=node_modules/gpt-tokenizer/package.json
if [ "${1:-}" = --peers ]; then with= proof=node_modules/tiktoken/package.json; fi
stamp=node_modules/.fetched
[ -f "$proof" ] && [ -f "$stamp" ] && [ ! package-lock.json -nt "$stamp" ] && exit 0
if ! command -v npm >/dev/null 2>&1; then
    echo "npm is missing: the token tables come from an npm package; run make deps" >&2
    exit 1
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086
npm ci $with --ignore-scripts --no-audit --no-fund --loglevel=error >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
touch "$stamp"
