#!/bin/sh
# Every test of the project: unit tests (sanitizers, faults), end-to-end tests on the sanitizer build and on the release
# build. One closing line counts them all. Output of a step is shown when it fails.
set -u
release=$1 asan=$2
python=${PYTHON:-/usr/bin/python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0

count() { # file: add up pytest's closing line
    line=$(grep -E '[0-9]+ (passed|failed|error)' "$1" | tail -n 1)
    n() { echo "$line" | grep -oE "[0-9]+ $1" | head -n 1 | cut -d' ' -f1; }
    p=$(n passed) f=$(n failed) e=$(n error) s=$(n skipped)
    passed=$((passed + ${p:-0})) failed=$((failed + ${f:-0} + ${e:-0})) skipped=$((skipped + ${s:-0}))
}

echo "unit tests (sanitizers, faults)"
meson test -C "$asan" --no-rebuild --print-errorlogs >"$work/unit" 2>&1 || cat "$work/unit"
ok=$(sed -n 's/^Ok: *//p' "$work/unit") bad=$(sed -n 's/^Fail: *//p' "$work/unit") late=$(sed -n 's/^Timeout: *//p' "$work/unit")
if [ -z "$ok" ]; then failed=$((failed + 1)); fi
passed=$((passed + ${ok:-0})) failed=$((failed + ${bad:-0} + ${late:-0}))
echo "  ${ok:-0} test programs passed, $((${bad:-0} + ${late:-0})) failed"

echo "models (spin)"
if "$python" tests/model/run.py >"$work/model" 2>&1; then
    passed=$((passed + 1))
else
    cat "$work/model"
    failed=$((failed + 1))
fi
tail -n 1 "$work/model"

for build in "$asan" "$release"; do
    echo "end-to-end tests on $build"
    if ! PLATEN_BUILD=$(realpath "$build") "$python" -m pytest -q -p no:cacheprovider -rfEs tests/e2e >"$work/e2e" 2>&1; then
        cat "$work/e2e"
        grep -qE '[0-9]+ (passed|failed|error)' "$work/e2e" || failed=$((failed + 1))
    fi
    count "$work/e2e"
    tail -n 1 "$work/e2e"
done

echo "web app (unit, browser)"
tools/web_test.sh "$release" >"$work/web" 2>&1 || cat "$work/web"
web=$(tail -n 1 "$work/web")
if ! echo "$web" | grep -qE '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$'; then web="0 passed, 1 failed, 0 skipped"; fi
n() { echo "$web" | sed -E "s/.*\b([0-9]+) $1.*/\1/"; }
passed=$((passed + $(n passed))) failed=$((failed + $(n failed))) skipped=$((skipped + $(n skipped)))
echo "$web"

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
