"""The corpus, the programs that are compared, and running platen on many files."""
import json
import os
import re
import shutil
import subprocess
from pathlib import Path


def machine():
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    release = ".".join(os.uname().release.split(".")[:2])
    return f"{model[1] if model else 'Unknown processor'}, {os.cpu_count()} cores, Linux {release}"


class Corpus:
    """Real files with a MANIFEST.tsv: file, format, source, licence, sha256, notes, expected."""

    def __init__(self, root):
        self.root = root
        rows = [line.split("\t") for line in (root / "MANIFEST.tsv").read_text().splitlines()[1:]]
        self.rows = [r + [""] * (7 - len(r)) for r in rows]

    @staticmethod
    def find(tree):
        root = Path(os.environ.get("PLATEN_CORPUS") or tree.parent / "shared/corpus")
        return Corpus(root) if (root / "MANIFEST.tsv").exists() else None

    def kind(self, file):
        folder = file.parent.name
        return "odf" if folder == "odt" else folder

    def pairs(self, kind):
        """(file, expected output) of a kind."""
        return [(self.root / r[0], self.root / r[6]) for r in self.rows
                if r[6] and self.kind(self.root / r[0]) == kind and (self.root / r[6]).exists()]

    def files(self, *folders):
        return [p for p in (self.root / r[0] for r in self.rows) if p.parent.name in folders and ".expected." not in p.name and p.exists()]

    def noted(self, text):
        """[(file, note)] of the files whose notes hold `text`."""
        return [(self.root / r[0], r[5]) for r in self.rows if text in r[5] and (self.root / r[0]).exists()]


def platen_run(build, step, files, out, *options, timeout=600):
    """One row per file, in order: what `platen run --json` prints."""
    if not files:
        return []
    done = subprocess.run([build / "platen", "run", step, *files, "--json", "-o", out, *options], capture_output=True, text=True,
                          timeout=timeout, check=False)
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if len(rows) != len(files):
        raise RuntimeError(f"platen run {step}: {len(rows)} rows for {len(files)} files: {done.stderr[:500]}")
    return rows


def has_step(build, step):
    return subprocess.run([build / "platen", "run", step, "--help"], capture_output=True, check=False).returncode == 0


def output_of(*command):
    def run(file, temp):
        if shutil.which(command[0]) is None:
            return None
        try:
            done = subprocess.run([str(file) if c == "FILE" else c for c in command], capture_output=True, timeout=60, check=False, cwd=temp)
        except subprocess.TimeoutExpired:
            return ""
        return done.stdout.decode("utf-8", "replace")
    return run


PANDOC = {"pandoc": output_of("pandoc", "-t", "gfm", "--wrap=none", "FILE")}
PEERS = {
    "pdf": {"pdftotext": output_of("pdftotext", "FILE", "-"), "mutool": output_of("mutool", "draw", "-q", "-F", "txt", "FILE")},
    "docx": PANDOC, "odf": PANDOC, "epub": PANDOC, "html": PANDOC, "rtf": PANDOC,
}

# What a file's expected output asks for.
OPTIONS = {"pandoc--comments.docx": ("--comments",), "docling--powerpoint_comments.pptx": ("--comments",), "html/readability": ("--main",)}
