#!/usr/bin/env python3
"""Checks that keep the house in order: layers, formatting, banned calls, headers alone, golden files.

    tools/check.py --build build     all checks; exit 1 when one fails
    tools/check.py --draw            which folder uses which
"""
import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BANNED = ("strcpy strncpy strcat strncat sprintf vsprintf gets atoi atol atoll atof system popen strtok tmpnam "
          "tempnam mktemp alloca sscanf").split()
BANNED_CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([a-z_]+)/([^"]+)"')


def tracked(*patterns):
    out = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns], cwd=ROOT,
                         capture_output=True, text=True, check=True)
    return [ROOT / line for line in out.stdout.splitlines() if (ROOT / line).exists()]


def folders():
    """The table of ARCHITECTURE.md: short folder name -> set of folders it may use."""
    allowed = {}
    for line in (ROOT / "ARCHITECTURE.md").read_text().splitlines():
        row = re.match(r"\| (src|engines)/([a-z]+) \| .* \| (.*) \|$", line)
        if row:
            allowed[row[2]] = {name.strip() for name in row[3].split(",")} - {"libc", "libcrypto"}
    return allowed


def strip_comments(text):
    """Comments and literals become blanks, so that prose is not mistaken for code. Line breaks stay."""
    blank = lambda m: re.sub(r"[^\n]", " ", m[0])
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def edges():
    """(file, line, from folder, to folder, header) of every include between our folders."""
    for path in tracked("src/*.c", "src/*.h", "engines/*.c", "engines/*.h", "engines/*.cc"):
        relative = path.relative_to(ROOT)
        here = relative.parts[1] if len(relative.parts) > 2 else "main"
        for number, line in enumerate(path.read_text().splitlines(), 1):
            hit = INCLUDE.match(line)
            if hit:
                yield relative, number, here, hit[1], hit[2]


def check_layers():
    allowed = folders()
    for path, number, here, there, header in edges():
        if here == "main" or there == here:
            continue
        if there not in allowed:
            yield f"{path}:{number}: includes unknown folder {there}/"
        elif here not in allowed:
            yield f"{path}:{number}: folder {here} is not in ARCHITECTURE.md"
        elif there not in allowed[here]:
            yield f"{path}:{number}: {here} may not use {there} (ARCHITECTURE.md)"
        elif header.endswith("_in.h"):
            yield f"{path}:{number}: {there}/{header} is internal to {there}"


def check_banned():
    for path in tracked("src/*.[ch]", "engines/*.[ch]", "engines/*.cc"):
        for number, line in enumerate(strip_comments(path.read_text()).splitlines(), 1):
            hit = BANNED_CALL.search(line)
            if hit:
                yield f"{path.relative_to(ROOT)}:{number}: {hit[1]}() is banned"


def check_headers(build):
    compiler = os.environ.get("CC", "gcc").split()
    generated = [f"-I{d}" for d in Path(build).glob("src/*") if d.is_dir()] + [f"-I{build}/src"]
    packages = subprocess.run(["pkg-config", "--cflags", "gmime-3.0", "vips", "openssl"], capture_output=True, text=True)
    flags = ["-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-Isrc", "-Iengines", *generated,
             *packages.stdout.split()]
    for path in tracked("src/*.h", "engines/*.h"):
        source = f'#include "{path}"\n#include "{path}"\n'
        run = subprocess.run([*compiler, *flags, "-x", "c", "-"], input=source, cwd=ROOT, capture_output=True, text=True)
        if run.returncode:
            first = next((l for l in run.stderr.splitlines() if "error" in l), "does not compile")
            yield f"{path.relative_to(ROOT)}: does not compile alone: {first}"


def check_format():
    for path in tracked("*.c", "*.h", "*.cc"):
        run = subprocess.run(["clang-format", "--dry-run", "-Werror", str(path)], cwd=ROOT, capture_output=True, text=True)
        if run.returncode:
            yield f"{path.relative_to(ROOT)}: not formatted (make format)"


def check_golden(build):
    run = subprocess.run([ROOT / "tools/golden.sh", build, "--check"], cwd=ROOT, capture_output=True, text=True)
    if run.returncode:
        yield from (run.stdout + run.stderr).strip().splitlines()


def draw():
    used = {}
    for _, _, here, there, _ in edges():
        if here != there:
            used.setdefault(here, {}).setdefault(there, 0)
            used[here][there] += 1
    for here in [*folders(), "main"]:
        targets = ", ".join(f"{name} ({count})" for name, count in sorted(used.get(here, {}).items()))
        print(f"{here:10} -> {targets or 'nothing of ours'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--draw", action="store_true")
    options = parser.parse_args()
    if options.draw:
        draw()
        return 0
    checks = [("layers", check_layers()), ("banned calls", check_banned()), ("headers alone", check_headers(options.build)),
              ("format", check_format()), ("golden files", check_golden(options.build))]
    bad = 0
    for name, problems in checks:
        problems = list(problems)
        print(f"{name:14} {'ok' if not problems else str(len(problems)) + ' problem(s)'}")
        for problem in problems:
            print(f"  {problem}")
        bad += len(problems)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
