#!/bin/sh
# Run a program of web/'s npm packages in web/: tools/web.sh vitest run
set -eu
cd "$(dirname "$0")/../web"
program=$1
shift
exec "./node_modules/.bin/$program" "$@"
