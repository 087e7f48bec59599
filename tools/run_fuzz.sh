#!/bin/sh
# Run every fuzz target of a fuzz build for some seconds each; stop at the first that finds something.
set -u
build=$1 seconds=$2 status=0
for target in "$build"/tests/fuzz/fuzz_*; do
    [ -x "$target" ] && [ -f "$target" ] || continue
    name=$(basename "$target")
    corpus=$build/corpus/$name
    mkdir -p "$corpus"
    seeds=tests/fuzz/seeds/${name#fuzz_}
    printf '%-28s ' "$name"
    if [ -d "$seeds" ]; then set -- "$corpus" "$seeds"; else set -- "$corpus"; fi
    if "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$build/" "$@" >"$build/$name.log" 2>&1; then
        grep -oE 'Done [0-9]+ runs in [0-9]+ second' "$build/$name.log"
    else
        echo "found something: $build/$name.log"
        tail -n 30 "$build/$name.log"
        status=1
    fi
done
exit $status
