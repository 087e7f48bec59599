#!/bin/sh
# The tests of the web app: its logic, then every page in a browser against a real server of the given build. The last line counts
# them all. What failed is shown.
set -u
build=$(realpath "$1")
cd "$(dirname "$0")/../web" || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0

run() { # name, arguments of vitest: adds up its JSON report
    name=$1
    shift
    status=0
    PLATEN_BUILD=$build ./node_modules/.bin/vitest run --reporter=default --reporter=json --outputFile.json="$work/$name.json" "$@" \
        >"$work/$name" 2>&1 || status=$?
    [ "$status" = 0 ] || cat "$work/$name"
    # shellcheck disable=SC2046
    set -- $(node -e 'const r = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"))
        console.log(r.numPassedTests, r.numFailedTests, r.numPendingTests + r.numTodoTests)' "$work/$name.json" 2>/dev/null || echo 0 1 0)
    # A file that cannot be read, or a server that ends badly, is no failed test, but it is a failure.
    if [ "$status" != 0 ] && [ "$2" = 0 ]; then set -- "$1" 1 "$3"; fi
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

../tools/web.sh svelte-check --fail-on-warnings --threshold warning >"$work/check" 2>&1 || { cat "$work/check"; failed=$((failed + 1)); }
run unit
run browser --config vitest.e2e.config.ts
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
