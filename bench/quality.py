#!/usr/bin/env python3
"""How good platen's reading is, against expected outputs and named peers: writes docs/quality.md.

    bench/quality.py --build build [--out docs/quality.md] [FORMAT…]

Needs the folder of real files (PLATEN_CORPUS, or shared/corpus beside this tree) and is skipped without it. What
is not built yet (OCR, chunks) and peers that are not installed are left out and named. With formats (pdf, docx …) only
their table is printed and nothing is written.
"""
import argparse
import collections
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import quality_measure as measure
from quality_expected import FORMS, Parts, expected, from_markdown
from quality_files import OPTIONS, PEERS, Corpus, machine, platen_run
from quality_more import chunks, encodings, hostile, mail, ocr, ranges

ROOT = Path(__file__).resolve().parent.parent
FORMATS = ("pdf", "docx", "xlsx", "pptx", "odf", "epub", "html", "rtf", "csv", "markdown", "eml")
GOALS = {  # characters, headings, cells
    "pdf": (0.95, 0.70, 0.70), "docx": (0.98, 0.85, 0.85), "xlsx": (0.95, 0.85, 0.85), "pptx": (0.95, 0.85, 0.85), "odf": (0.95, None, None),
    "epub": (0.95, None, None), "html": (0.95, 0.85, 0.85), "rtf": (0.95, None, None), "csv": (None, 0.85, 0.85), "eml": (0.95, None, None)}

Mark = collections.namedtuple("Mark", "name chars words headings cells peers reason")


class Report:
    """Lines of the page, and the figures of its first table."""

    def __init__(self):
        self.figures, self.lines = [], []

    def figure(self, name, value, goal, met, peers="", digits=3):
        shown = value if isinstance(value, str) else f"{value:.{digits}f}"
        self.figures.append(f"| {name} | {shown} | {goal} | {'' if met is None else 'yes' if met else 'no'} | {peers} |")

    def add(self, *lines):
        self.lines += lines

    def table(self, head, rows):
        self.add("", "| " + " | ".join(head) + " |", "|" + "---|" * len(head))
        self.add(*("| " + " | ".join(str(c) for c in row) + " |" for row in rows))


def show(value):
    return "" if value is None else f"{value:.3f}"


def mean(values):
    values = [v for v in values if v is not None]
    return statistics.mean(values) if values else None


def mark(corpus, file, truth, row, temp):
    want = truth if isinstance(truth, Parts) else expected(truth)
    text = Path(row["outputs"][0]["path"]).read_text(encoding="utf-8", errors="replace") if row["outputs"] else ""
    got = from_markdown(text)
    peers = {}
    for name, command in PEERS.get(corpus.kind(file), {}).items():
        theirs = command(file, temp)
        if theirs is not None:
            peers[name] = measure.characters(want.text, theirs)
    return Mark(file.name, measure.characters(want.text, text), measure.words(want.text, text), measure.headings(want, got),
                measure.cells(want, got), peers, row["reason"])


def read_all(build, files, out):
    """Rows of document.extract in the order of `files`: those that need options of their own in runs of their own."""
    groups, rows = collections.defaultdict(list), {}
    for f in files:
        groups[OPTIONS.get(f.name, OPTIONS.get(f.parent.name + "/" + f.name.split("--")[0], ()))].append(f)
    for n, (options, members) in enumerate(groups.items()):
        rows.update(zip(members, platen_run(build, "document.extract", members, out / str(n), *options)))
    return [rows[f] for f in files]


def formats(build, corpus, wanted, temp):
    marks = {}
    for kind in wanted:
        pairs = mail(corpus) if kind == "eml" else [p for p in corpus.pairs(kind) if p[1].name.endswith(tuple(FORMS))]
        rows = read_all(build, [p[0] for p in pairs], temp / kind)
        with ThreadPoolExecutor(2) as pool:
            marks[kind] = list(pool.map(lambda p: mark(corpus, p[0][0], p[0][1], p[1], temp), zip(pairs, rows)))
    return marks


def peer_line(marks):
    names = {n for m in marks for n in m.peers}
    return ", ".join(f"{n} {mean([m.peers.get(n) for m in marks]):.3f}" for n in sorted(names))


def report_formats(report, marks):
    rows = []
    for kind, ms in marks.items():
        chars, low = mean([m.chars for m in ms]), min(ms, key=lambda m: m.chars)
        heads, cells = mean([m.headings for m in ms]), mean([m.cells for m in ms])
        rows.append((kind, len(ms), show(chars), f"{low.chars:.3f} {low.name}", show(mean([m.words for m in ms])), show(heads), show(cells),
                     peer_line(ms)))
        goal, goal_heads, goal_cells = GOALS.get(kind, (None, None, None))
        if goal:
            least = kind != "docx" or low.chars >= 0.9
            report.figure(f"{kind}: characters in order", chars, f"{goal:.2f}" + (", none below 0.9" if kind == "docx" else ""),
                          chars >= goal and least, peer_line(ms))
        if kind == "pdf":
            report.figure("pdf: words F1", mean([m.words for m in ms]), "0.97", mean([m.words for m in ms]) >= 0.97)
        if goal_heads and heads is not None:
            report.figure(f"{kind}: headings F1", heads, f"{goal_heads:.2f}", heads >= goal_heads)
        if goal_cells and cells is not None:
            report.figure(f"{kind}: table cells F1", cells, f"{goal_cells:.2f}", cells >= goal_cells)
    report.add("", "## By file type", "", "Means over the files; `worst` is the file with the fewest characters in order. Peers: characters in order.")
    report.table(("type", "files", "characters", "worst", "words F1", "headings F1", "cells F1", "peers in the same run"), rows)
    poor = sorted((m for ms in marks.values() for m in ms if min(v for v in m[1:5] if v is not None) < 0.9), key=lambda m: m.chars)
    report.add("", "Files with a mark below 0.9:")
    report.table(("file", "characters", "words", "headings", "cells", "reason"),
                 [(m.name, *(show(v) for v in m[1:5]), m.reason or "") for m in poor])


def report_rules(build, report, corpus, temp):
    files = sorted(corpus.root.glob("pdf/*.expected.rules.jsonl"))
    pdfs = [f.with_name(f.name.removesuffix(".expected.rules.jsonl")) for f in files]
    done = collections.Counter()
    missed = []
    for path, pdf, row in zip(files, pdfs, platen_run(build, "document.extract", pdfs, temp / "rules")):
        texts = {"platen": Path(row["outputs"][0]["path"]).read_text(encoding="utf-8") if row["outputs"] else ""}
        texts.update((n, t) for n, t in ((n, command(pdf, temp)) for n, command in PEERS["pdf"].items()) if t is not None)
        for who, text in texts.items():
            for rule, ok in measure.rules(path, text):
                done[who, "all"] += 1
                done[who, "passed"] += ok
                if not ok and who == "platen":
                    missed.append(f"{rule['id']} ({rule['type']})")
    others = ", ".join(f"{n} {done[n, 'passed']}" for n in PEERS["pdf"] if done[n, "all"])
    report.figure("olmOCR text rules", f"{done['platen', 'passed']} of {done['platen', 'all']}", "16 of 26", done["platen", "passed"] >= 16, others)
    report.add("", "## olmOCR rules", "", "Rules about text (present, absent, order) that fail: " + (", ".join(missed) or "none") + ".")


HEAD = """# How good

Written by `make bench-quality` (`bench/quality.py`), everything through the whole of `platen run` with its sandbox. {machine}.
Files and expected outputs are those of the corpus' MANIFEST.tsv; peers ran on the same files in the same run.

Characters in order: 2·LCS/(a+b) of the characters, without markup and white space. Words, headings and cells: F1 of the multisets; a cell
that repeats its neighbour to the left or above counts once, because merged cells are written both ways. Options: comments are asked for where
the expected output has them, the main content of a page where that is what is expected.

| figure | value | at least | met | peers |
|---|---|---|---|---|"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build", type=Path)
    parser.add_argument("--out", default=ROOT / "docs/quality.md", type=Path)
    parser.add_argument("formats", nargs="*", help=", ".join(FORMATS))
    options = parser.parse_args()
    corpus, report = Corpus.find(ROOT), Report()
    if corpus is None:
        print("skipped: there is no folder of real files (PLATEN_CORPUS)")
        return 0
    build = options.build.resolve()
    temp = Path(tempfile.mkdtemp(prefix="platen-quality-"))
    try:
        marks = formats(build, corpus, options.formats or FORMATS, temp)
        report_formats(report, marks)
        if options.formats:
            for m in (m for ms in marks.values() for m in ms):
                print(f"{m.name[:60]:60}", *(f"{show(v):>6}" for v in m[1:5]), m.reason or "")
            print("\n".join(report.figures))
            return 0
        report_rules(build, report, corpus, temp)
        for part in (encodings, ranges, chunks, ocr, hostile):
            part(build, report, corpus, temp)
    finally:
        shutil.rmtree(temp, ignore_errors=True)
    options.out.write_text("\n".join([HEAD.format(machine=machine()), *report.figures, *report.lines]) + "\n")
    print("\n".join(report.figures))
    print(f"written: {os.path.relpath(options.out)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
