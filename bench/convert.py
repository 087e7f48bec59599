#!/usr/bin/env python3
"""Measure document.convert: Markdown to PDF through the server, pages of PDFs as PNG against pdftoppm in the same run.

    bench/convert.py --build build [markdown] [pages]
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from run import ROOT, RUNS, Report, Server, machine

DPI = 150
SECTION = """
## Section {n}

We met on *Tuesday* in the **old library** and wrote down what `platen run` does with [files](https://example.org/{n}).
A paragraph of ordinary length goes over a few lines, so that there is something to break, to justify and to read; it ends
somewhere in the middle of one.

1. First things first
   - with a nested point
   - and another one
2. Second things

| Tool | Owner | Free |
|------|-------|------|
| Lathe {n} | Mara | yes |
| Band saw | Jun | no |

```python
def section(n):
    return n + {n}
```

> Repair is a way of getting to know a thing.
"""


def markdown_files(folder):
    """One page, and about ten."""
    short, long = folder / "one-page.md", folder / "ten-pages.md"
    short.write_text("# Notes\n" + SECTION.format(n=1))
    long.write_text("# Report\n" + "".join(SECTION.format(n=n) for n in range(24)))
    return [short, long]


def bench_markdown(build, report):
    folder = Path(tempfile.mkdtemp(prefix="platen-bench-"))
    with Server(build) as s:
        connection = s.connection()
        for path in markdown_files(folder):
            times, pages = [], 0
            for n in range(21):
                path.write_text(path.read_text() + f"\n{n}\n")  # bytes of its own, so that no result is remembered
                started = time.monotonic()
                job = s.run("document.convert", path, "&to=pdf", connection)
                times.append((time.monotonic() - started) * 1000)
                pages = job["data"]["pages"]
            value = statistics.median(times[1:])
            report.add(f"Markdown to PDF, {pages} pages, through the server", value, "ms", "<= 50 ms", value <= 50)
    shutil.rmtree(folder)


def some_pdfs(limit):
    """Readable PDFs of the corpus, or the sample."""
    corpus = sorted((Path(os.environ.get("PLATEN_CORPUS", ROOT.parent / "shared/corpus")) / "pdf").glob("*.pdf"))
    found = []
    for p in corpus or [ROOT / "samples/report.pdf"]:
        told = subprocess.run(["pdfinfo", p], capture_output=True, text=True, check=False)
        pages = [int(line.split()[1]) for line in told.stdout.splitlines() if line.startswith("Pages:")]
        if pages and 1 <= pages[0] <= 20:
            found.append((p, pages[0]))
    return found[:limit]


def bench_pages(build, report):
    files = some_pdfs(25)
    total = sum(pages for _, pages in files)
    ours, peer = [], []
    engine = [build / "platen-engine-document", "--run", "document.convert", f'{{"to":"png","dpi":{DPI}}}']
    for _ in range(RUNS):
        for times, run in ((ours, lambda p, out: [*engine, p, "-o", out]), (peer, lambda p, out: ["pdftoppm", "-r", str(DPI), "-png", p, f"{out}/p"])):
            started = time.monotonic()
            for path, _pages in files:
                out = tempfile.mkdtemp(prefix="platen-bench-")
                subprocess.run(run(path, out), capture_output=True, check=False)
                shutil.rmtree(out)
            times.append(time.monotonic() - started)
    o, p = total / statistics.median(ours), total / statistics.median(peer)
    report.add(f"PDF pages as PNG at {DPI} dpi, {len(files)} files, {total} pages", o, "pages/s", ">= 1x", o / p >= 1,
               {"name": "pdftoppm once per file", "value": p}, o / p)


FIGURES = {"markdown": bench_markdown, "pages": bench_pages}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build", type=Path)
    parser.add_argument("figures", nargs="*", help=", ".join(FIGURES))
    options = parser.parse_args()
    build = options.build.resolve()
    report = Report(build / "bench-convert.jsonl")
    print(machine())
    for name in options.figures or FIGURES:
        FIGURES[name](build, report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
