"""Exact token counting against tiktoken (npm), on the same texts in the same run, with identical ids.

English, Japanese and Chinese come from ../shared/corpus-search, code and the mixture from this repository and ../shared/corpus;
what is missing is left out. Alone: bench/tokens.py --build build
"""
import argparse
import gzip
import json
import os
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NPM = ROOT / "tools" / "npm"
SHARED = Path(os.environ["PLATEN_CORPUS"]).parent if os.environ.get("PLATEN_CORPUS") else ROOT.parent / "shared"
RUNS = 3
MIXED_BYTES = 10_000_000
GOALS = {"English": 8, "Japanese": 3, "Chinese": 3}

PEER = """
const {get_encoding} = require('tiktoken'), fs = require('fs');
const [file, name, out] = process.argv.slice(1), text = fs.readFileSync(file, 'utf8'), e = get_encoding(name);
e.encode('warm up');
const begin = performance.now(), ids = e.encode(text, [], []), end = performance.now();
fs.writeFileSync(out, Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength));
console.log((end - begin) / 1000);
"""


def passages(file, lang=None):
    rows = [json.loads(line) for line in gzip.open(file, "rt")]
    return "\n\n".join(f"{r['title']}\n{r['text']}" for r in rows if lang is None or r["lang"].startswith(lang))


def code():
    files = sorted(f for folder in ("src", "engines", "tests", "tools", "docs") for f in (ROOT / folder).rglob("*")
                   if f.suffix in (".c", ".h", ".py", ".md", ".json", ".sql", ".js", ".css") and "node_modules" not in f.parts)
    return "\n".join(f.read_text() for f in files)


def documents():
    out = []
    for f in sorted((SHARED / "corpus").rglob("*")):
        if f.is_file():
            try:
                out.append(f.read_bytes()[:400_000].decode())
            except UnicodeDecodeError:
                continue
    return "\n".join(out)


def texts():
    search = SHARED / "corpus-search"
    found = {"code": code()}
    if search.exists():
        found["English"] = passages(search / "scifact" / "corpus.jsonl.gz")
        found["Japanese"] = passages(search / "multi" / "corpus.jsonl.gz", "ja")
        found["Chinese"] = passages(search / "multi" / "corpus.jsonl.gz", "zh")
    found["mixed"] = "\n".join([documents(), *found.values()]).encode()[:MIXED_BYTES].decode(errors="ignore")
    return found


def ours(build, encoding, file, ids):
    out = subprocess.run([build / "bench/tokens", encoding, file, ids], capture_output=True, text=True, check=True).stdout
    return float(out.split()[0])


def peer(encoding, file, ids):
    out = subprocess.run(["node", "-e", PEER, file, encoding + "_base", ids], cwd=NPM, capture_output=True, text=True, check=True).stdout
    return float(out)


def bench_tokens(build, report):
    subprocess.run([ROOT / "tools/npm.sh", "--peers"], check=True)
    folder = Path(tempfile.mkdtemp(prefix="platen-bench-"))
    for name, text in texts().items():
        file = folder / "text"
        file.write_bytes(text.encode())
        megabytes = file.stat().st_size / 1e6
        for encoding in ("o200k", "cl100k"):
            pairs = [(ours(build, encoding, file, folder / "ours"), peer(encoding, file, folder / "peer")) for _ in range(RUNS)]
            mine, theirs = (megabytes / statistics.median(side) for side in zip(*pairs))
            same = (folder / "ours").read_bytes() == (folder / "peer").read_bytes()
            goal = GOALS.get(name)
            report.add(f"tokens {encoding}, {name} ({megabytes:.1f} MB)", mine, "MB/s", f"{goal}x, same ids" if goal else "same ids",
                       same and (goal is None or mine >= goal * theirs), {"name": "tiktoken (npm)", "value": theirs}, mine / theirs)
    shutil.rmtree(folder)


if __name__ == "__main__":
    from run import Report

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build", type=Path)
    options = parser.parse_args()
    bench_tokens(options.build.resolve(), Report(options.build / "bench-tokens.jsonl"))
