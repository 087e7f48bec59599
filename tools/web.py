#!/usr/bin/env python3
"""Build the web app into web/dist, when what it is made of has changed.

web.py                                   what is missing: packages, types, check, build, compressed files
web.py --stamp OUT --depfile OUT.d       the same for ninja: OUT is written anew, OUT.d names what it is made of
web.py --packages                        the packages alone (web/node_modules, by package-lock.json)

All build folders share web/dist: its .made says which sources it is of, and a lock lets one build it while others wait. The
types come from tests/golden/openapi.json, so a field that an answer lost does not pass svelte-check, and the build fails.
PLATEN_WEB=unchecked leaves svelte-check out (`make golden`, which is about to write that document); the next build checks.
"""

import argparse
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
DIST = WEB / "dist"
OPENAPI = ROOT / "tests/golden/openapi.json"
TYPES = WEB / "src/lib/api/schema.d.ts"
CHECK = ["svelte-check", "--incremental", "--fail-on-warnings", "--threshold", "warning", "--tsconfig", "tsconfig.app.json"]


def sources():
    """(files, folders) that dist is made of; a folder's time changes with a new file."""
    folders = [WEB / "src", WEB / "public", WEB / "tools"]
    inside = [p for folder in folders for p in sorted(folder.rglob("*")) if p != TYPES]
    files = [p for p in inside if p.is_file()]
    files += [WEB / n for n in ("index.html", "package-lock.json", "svelte.config.js", "tsconfig.json", "tsconfig.app.json",
                                "vite.config.ts")]
    files += [OPENAPI, pathlib.Path(__file__).resolve()]
    # src/lib/api holds the types, which are written here: no time to go by.
    return files, [p for p in folders + [p for p in inside if p.is_dir()] if p != TYPES.parent]


def digest(files):
    h = hashlib.sha256()
    for file in files:
        h.update(os.path.relpath(file, ROOT).encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return h.hexdigest()


def start(*command, **more):
    return subprocess.Popen(command, cwd=WEB, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)


def finish(process):
    text = process.communicate()[0]
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, process.args))}\n{text}")


def run(*command, **more):
    finish(start(*command, **more))


def fetch_packages():
    stamp, lock = WEB / "node_modules/.package-lock.json", WEB / "package-lock.json"
    if stamp.exists() and stamp.stat().st_mtime >= lock.stat().st_mtime:
        return
    if not shutil.which("npm"):
        sys.exit("npm is missing: the web app is built with it; run make deps, or configure with -Dweb=false")
    run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    stamp.touch()


def build(made):
    run("node", "tools/types.mjs", OPENAPI, TYPES)
    fresh = WEB / "dist.new"
    check = None if os.environ.get("PLATEN_WEB") == "unchecked" else start("node_modules/.bin/" + CHECK[0], *CHECK[1:])
    run("node_modules/.bin/vite", "build", "--logLevel", "warn", env={**os.environ, "PLATEN_WEB_OUT": "dist.new"})
    run("node", "tools/pack.mjs", "dist.new")
    if check:
        finish(check)
    (fresh / ".made").write_text(made)
    shutil.rmtree(DIST, ignore_errors=True)
    fresh.rename(DIST)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--stamp", type=pathlib.Path)
    arguments.add_argument("--depfile", type=pathlib.Path)
    arguments.add_argument("--packages", action="store_true")
    args = arguments.parse_args()
    unchecked = os.environ.get("PLATEN_WEB") == "unchecked"
    with open(WEB / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fetch_packages()
        if args.packages:
            return
        files, folders = sources()
        made = digest(files) + (" unchecked" if unchecked else "")
        before = (DIST / ".made").read_text() if (DIST / ".made").exists() else ""
        if before not in (made, made.removesuffix(" unchecked")):
            build(made)
    if args.stamp:
        args.stamp.write_text(made + "\n")
        # A file that never is: ninja asks again next time.
        names = [*files, *folders] + ([WEB / ".checked"] if unchecked else [])
        args.depfile.write_text(f"{args.stamp}: " + " ".join(str(n).replace(" ", "\\ ") for n in names) + "\n")


main()
