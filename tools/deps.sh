#!/bin/sh
# Install the Debian packages listed in a file (one per line, # comments) that are not there yet.
# "package/command" is there when the command is, wherever it came from.
# Silent when nothing is missing; needs root or sudo otherwise.
set -eu
list=$1
missing=
for line in $(sed 's/#.*//' "$list"); do
    package=${line%%/*}
    [ "$package" = "$line" ] || ! command -v "${line#*/}" >/dev/null 2>&1 || continue
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1; then
    as_root=sudo
else
    echo "missing Debian packages:$missing" >&2
    echo "install them as root: apt-get install$missing" >&2
    exit 1
fi
echo "installing Debian packages:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing >"$log" 2>&1
}
if ! install; then
    $as_root apt-get update >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
    install || { cat "$log" >&2; exit 1; }
fi
