"""text.chunk and text.tokens over real files: chunks put together are the source, with pages; tokens are the reference's own.

The corpus is not part of the repository, and the reference tokenizer (npm) needs node; without them these tests are skipped.
PLATEN_CORPUS_ALL=1 takes every file of the corpus.
"""

import collections
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import platen

CORPUS = Path(os.environ.get("PLATEN_CORPUS") or platen.ROOT.parent / "shared" / "corpus")
NPM = platen.ROOT / "tools" / "npm"
METHODS = {"tokens": ("--size", "200", "--overlap", "40"), "characters": ("--size", "700"),
           "sentences": ("--size", "120", "--overlap", "30"), "headings": (), "meaning": ("--size", "300"),
           "rules": ("--rules", r"^\s*\d+\.\s", "--repeat-header")}


def chunk(files, out, *params):
    done = platen.cli("run", "text.chunk", *files, "--json", "--with-source", "-o", out, *params, timeout=300)
    return [json.loads(line) for line in done.stdout.splitlines()]


def read(output):
    return Path(output["path"]).read_bytes().decode()


def check(row, size, unit):
    """What is wrong with the chunks of one file; None: nothing."""
    chunks = [json.loads(line) for line in read(row["outputs"][0]).split("\n") if line]
    source = read(row["outputs"][1])
    at = 0
    for number, c in enumerate(chunks):
        if c["index"] != number or c["from"] != at or c["text"] != source[c["from"] : c["to"]]:
            return f"chunk {number} is not the source at {at}"
        before = c.get("overlap") or c.get("header")
        if before and source[before["from"] : before["to"]] != before["text"]:
            return f"chunk {number}: what is given along is not the source"
        if c[unit] > size:
            return f"chunk {number} has {c[unit]} {unit}"
        if row["data"]["pages"] and not (c["first_page"] and c["first_page"] <= c["last_page"] <= row["data"]["pages"]):
            return f"chunk {number} of {row['data']['pages']} pages is on {c['first_page']} to {c['last_page']}"
        if c["previous"] != (chunks[number - 1]["id"] if number else None):
            return f"chunk {number} does not follow the one before it"
        at = c["to"]
    if at != len(source) or "".join(c["text"] for c in chunks) != source:
        return "the chunks are not the whole source"
    return None


@pytest.fixture(scope="module")
def extracted(tmp_path_factory):
    """The corpus as document.extract's JSON, and as its text, under one name each."""
    if not (CORPUS / "MANIFEST.tsv").exists():
        pytest.skip(f"there is no {CORPUS}")
    files = [f for f in sorted(CORPUS.rglob("*")) if f.is_file() and ".expected." not in f.name and f.name != "MANIFEST.tsv"]
    if not os.environ.get("PLATEN_CORPUS_ALL"):  # some of each kind will do every day
        small, count = [f for f in files if f.stat().st_size < 200_000], collections.Counter()
        files = [f for f in small if count.update([f.parent.name]) or count[f.parent.name] <= 3]
    out = {}
    for form in ("json", "text"):
        folder = tmp_path_factory.mktemp(form)
        done = platen.cli("run", "document.extract", *files, "--json", "--format", form, "-o", folder, timeout=300)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        out[form] = [(f, r["outputs"][0]["path"] if r["status"] == "done" else None) for f, r in zip(files, rows, strict=True)]
    return [(f, Path(j), Path(t)) for (f, j), (_, t) in zip(out["json"], out["text"], strict=True) if j and t]


@pytest.mark.parametrize("method", METHODS)
def test_chunks_of_real_files_are_the_source(extracted, tmp_path, method):
    rows = chunk([j for _, j, _ in extracted], tmp_path, "--method", method, *METHODS[method])
    wrong = []
    for (file, _, text), row in zip(extracted, rows, strict=True):
        if row["status"] != "done":
            wrong.append(f"{file.name}: {row['reason']} {row['detail']}")
            continue
        problem = check(row, row["data"]["size"], row["data"]["unit"])
        if problem is None and read(row["outputs"][1]) != text.read_bytes().decode():
            problem = "its source is not the text that document.extract gives"
        if problem:
            wrong.append(f"{file.name}: {problem}")
    assert wrong == [] and len(rows) > 50


def test_a_document_is_read_by_document_extract(tmp_path):
    rows = chunk([platen.SAMPLES / "report.pdf", platen.SAMPLES / "report.docx", platen.SAMPLES / "koi8-r.txt"], tmp_path,
                 "--method", "headings")
    assert [(r["status"], r["data"]["read_as"], check(r, 512, "tokens")) for r in rows] == [("done", "document", None)] * 3
    assert rows[0]["data"]["pages"] == 3


def test_a_failure_of_document_extract_is_ours_too(tmp_path):
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4\nnothing of the kind")
    (row,) = chunk([tmp_path / "broken.pdf"], tmp_path / "out")
    assert row["status"] == "failed" and row["reason"] == "input_damaged" and row["hint"]


def test_a_scan_and_an_encrypted_file(tmp_path):
    """What document.extract can open, these steps can: OCR two calls down, a password handed on."""
    (scan,) = chunk([platen.SAMPLES / "scan.pdf"], tmp_path)
    assert scan["status"] == "done" and "Boat builders" in read(scan["outputs"][0])
    protected = platen.SAMPLES / "protected.pdf"
    done = platen.cli("run", "text.tokens", protected, "--password", "harbour", "--json")
    assert json.loads(done.stdout)["data"]["tokens"] > 100
    (opened,) = chunk([protected], tmp_path, "--password", "harbour")
    assert opened["data"]["pages"] == 3 and check(opened, 512, "tokens") is None
    (refused,) = chunk([protected], tmp_path)
    assert refused["reason"] == "input_encrypted"


def texts(limit):
    """Some of everything: our own code, and what the corpus has in UTF-8."""
    parts, size = [], 0
    files = sorted(platen.ROOT.glob("src/**/*.c")) + sorted(platen.ROOT.glob("docs/**/*.md"))
    if CORPUS.exists():
        files += sorted(f for f in CORPUS.rglob("*") if f.suffix in (".txt", ".md", ".html", ".csv", ".json"))
    for f in files:
        try:
            parts.append(f.read_bytes()[:60000].decode())
        except UnicodeDecodeError:
            continue
    step = max(1, sum(map(len, parts)) // limit)
    return "\n".join(parts[::step])


ORACLE = """
const {get_encoding} = require('tiktoken'), fs = require('fs');
const ids = get_encoding(process.argv[2]).encode(fs.readFileSync(process.argv[1], 'utf8'), [], []);
fs.writeSync(1, Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength));
"""


@pytest.mark.skipif(not shutil.which("node") or not (NPM / "node_modules" / "tiktoken").exists(), reason="no node, or no tiktoken")
@pytest.mark.parametrize("encoding", ["o200k", "cl100k"])
def test_tokens_are_the_references_own(tmp_path, encoding):
    file = tmp_path / "mixed.txt"
    file.write_text(texts(1_000_000), newline="")
    want = subprocess.run(["node", "-e", ORACLE, file, encoding + "_base"], cwd=NPM, stdout=subprocess.PIPE, check=True).stdout
    done = platen.cli("run", "text.tokens", file, "--read-as", "text", "--model", encoding, "--ids", "bytes", "--json", "-o", tmp_path)
    row = json.loads(done.stdout)
    assert row["data"]["tokens"] * 4 == len(want) > 100_000
    assert Path(row["outputs"][0]["path"]).read_bytes() == want
