#!/bin/sh
# Golden files: what the contracts say on every surface, kept in tests/golden and docs/steps so that a change of the API is
# visible as a diff. Without --check they are rewritten; with it, differences are printed and the exit code is 1.
set -eu
build=$1 mode=${2:-write}
platen=$build/platen
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
mkdir -p "$new/golden" "$new/steps"
"$platen" steps --json >"$new/golden/registry.json"
"$platen" openapi >"$new/golden/openapi.json"
"$platen" --help >"$new/golden/help.txt"
for step in $("$platen" steps --names); do
    "$platen" run "$step" --help >"$new/golden/help.$step.txt"
done
"$platen" docs "$new/steps"

status=0
put() { # from, to
    if [ "$mode" = --check ]; then
        diff -rq "$1" "$2" || status=1
    else
        rm -rf "$2" && mkdir -p "$(dirname "$2")" && cp -r "$1" "$2"
    fi
}
put "$new/golden" tests/golden
put "$new/steps" docs/steps
[ $status = 0 ] || echo "golden files differ: make golden, then review the diff"
exit $status
