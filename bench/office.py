#!/usr/bin/env python3
"""Office files and web pages to PDF, warm, against the same programs started for each file.

    bench/office.py --build build

Needs LibreOffice and Chromium, and the corpus beside the repository (PLATEN_CORPUS says where else); without it a sample is used.
"""
import argparse
import concurrent.futures
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path

from run import ROOT, RUNS, Report, Server, machine

CORPUS = Path(os.environ.get("PLATEN_CORPUS") or ROOT.parent / "shared" / "corpus")
SMALL = 100 * 1024
COUNT = 24       # documents a run
PEER_COUNT = 4   # the peer takes more than a second for each
SHELLS = ("chromium-headless-shell", "chromium")


def small_documents(folder):
    """COUNT Word documents, each with bytes of its own."""
    found = [p for p in sorted((CORPUS / "docx").glob("*.docx")) if p.stat().st_size < SMALL] or [ROOT / "samples/report.docx"]
    made = []
    for n in range(COUNT):
        source = found[n % len(found)]
        made.append(folder / f"{n:02}-{source.name}")
        shutil.copyfile(source, made[-1])
        os.chmod(made[-1], 0o644)
        with zipfile.ZipFile(made[-1], "a") as z:
            z.comment = str(n).encode()
    return made


def rate(server, files, clients):
    local = threading.local()

    def one(path):
        if not hasattr(local, "c"):
            local.c = server.connection()
        server.run("office.convert", path, connection=local.c)
    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        list(pool.map(one, files))
    return len(files) / (time.monotonic() - started)


def peer_rate(files, folder):
    started = time.monotonic()
    for f in files:
        subprocess.run(["soffice", "--headless", "--convert-to", "pdf", "--outdir", folder, f], check=True, capture_output=True)
    return len(files) / (time.monotonic() - started)


def bench_office(build, report):
    folder = Path(tempfile.mkdtemp(prefix="platen-bench-"))
    files = small_documents(folder)
    one, two, peer = [], [], []
    with Server(build) as s:
        rate(s, files, 2)  # both workers are warm
        for _ in range(RUNS):
            one.append(rate(s, files, 1))
            two.append(rate(s, files, 2))
            peer.append(peer_rate(files[:PEER_COUNT], folder))
    shutil.rmtree(folder)
    a, b, p = (statistics.median(v) for v in (one, two, peer))
    beside = {"name": "soffice --headless, once per file", "value": p}
    report.add("Office to PDF, warm, one worker", a, "files/s", ">= 7", a >= 7, beside, a / p)
    report.add("Office to PDF, warm, two workers", b, "files/s", ">= 12", b >= 12, beside, b / p)


def seconds(server, path):
    c = server.connection()
    server.run("browser.print", path, connection=c)
    times = []
    for _ in range(2 * RUNS + 1):
        started = time.monotonic()
        server.run("browser.print", path, connection=c)
        times.append(time.monotonic() - started)
    return statistics.median(times)


def peer_seconds(path, folder):
    shell = next(s for s in SHELLS if shutil.which(s))
    times = []
    for _ in range(RUNS):
        started = time.monotonic()
        subprocess.run([shell, "--headless", "--no-sandbox", "--disable-gpu", f"--print-to-pdf={folder}/peer.pdf", f"file://{path}"],
                       check=True, capture_output=True)
        times.append(time.monotonic() - started)
    return statistics.median(times)


def bench_html(build, report):
    folder = Path(tempfile.mkdtemp(prefix="platen-bench-"))
    news = CORPUS / "html" / "readability--5-source.html"
    cases = [("HTML to PDF, warm, small page", ROOT / "samples/letter.html", 0.4)]
    if news.exists():
        cases.append(("HTML to PDF, warm, news page", news, 2.2))
    with Server(build) as s:
        for name, path, goal in cases:
            ours, peer = seconds(s, path), peer_seconds(path, folder)
            report.add(name, ours, "s", f"<= {goal} s", ours <= goal, {"name": "Chromium started for it", "value": peer}, peer / ours)
    shutil.rmtree(folder)


FIGURES = {"office": bench_office, "html": bench_html}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build", type=Path)
    parser.add_argument("figures", nargs="*", help=", ".join(FIGURES))
    options = parser.parse_args()
    build = options.build.resolve()
    report = Report(build / "bench-office.jsonl")
    print(machine())
    for name in options.figures or FIGURES:
        FIGURES[name](build, report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
