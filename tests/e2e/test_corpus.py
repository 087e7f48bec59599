"""Real files, hostile ones too: each gives its text or a reason, none gives nothing.

The folder is not part of the repository; without it these tests are skipped.
"""

import collections
import json
import os
import re
from pathlib import Path

import pytest

import platen

CORPUS = Path(os.environ.get("PLATEN_CORPUS") or platen.ROOT.parent / "shared" / "corpus")
pytestmark = pytest.mark.skipif(not (CORPUS / "MANIFEST.tsv").exists(), reason=f"there is no {CORPUS}")

# Reasons that say that platen failed, not that the file is bad. No file needs an exception.
OURS = {"engine_crashed", "engine_protocol", "engine_forbidden", "engine_killed", "engine_missing", "internal", "io", "worker_lost",
        "no_memory", "db"}
STEPS = {"file.detect": None, "document.extract": None, "image.info": ("image", "ocr", "malformed", "malicious"),
         "archive.list": ("archive", "encrypted", "malformed", "malicious"),
         "archive.extract": ("archive", "encrypted", "malformed", "malicious"),
         "image.convert": ("image", "malformed", "malicious"),
         "pdf.optimize": ("malformed", "malicious", "encrypted"), "pdf.split": ("malformed", "malicious", "encrypted"),
         "pdf.metadata": ("malformed", "malicious", "encrypted")}

# How alike our text and the expected one must be at least, on average per format; a guard against falling back, not a goal.
FLOORS = {"csv": 0.97, "docx": 0.93, "html": 0.90, "markdown": 0.90, "odf": 0.93, "pdf": 0.93, "pptx": 0.86, "xlsx": 0.85}
LONG = 60000  # characters; longer texts are not compared


def files_of(folders):
    files = (f for f in sorted(CORPUS.rglob("*")) if f.is_file() and ".expected." not in f.name and f.name != "MANIFEST.tsv")
    return [f for f in files if folders is None or f.relative_to(CORPUS).parts[0] in folders]


def batch(step, files, out):
    params = ("--format", "png", "--width", "64") if step == "image.convert" else ()
    done = platen.cli("run", step, *files, "--json", "-o", out, *params, timeout=300)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [r["input"] for r in rows] == [f.name for f in files], "one line per file, in order"
    assert done.returncode == (1 if any(r["status"] != "done" for r in rows) else 0)
    return rows


def verdict(step, row):
    """"text" (a result that is one), "reason" (with what to do), or what is wrong with the row."""
    if row["status"] == "failed":
        if row["reason"] in OURS:
            return f"platen's own failure: {row['reason']} {row['detail']}"
        return "reason" if row["reason"] and row["detail"] and row["hint"] else "a failure without a word"
    if row["status"] != "done" or row["reason"]:
        return f"neither done nor failed: {row['status']}"
    if step in ("document.extract", "image.convert") and (not row["outputs"] or any(o["bytes"] == 0 for o in row["outputs"])):
        return "an empty success"
    return "text" if row["data"] else "a result without data"


@pytest.mark.parametrize("step", STEPS)
def test_every_file_gives_text_or_a_reason(step, tmp_path):
    files = files_of(STEPS[step])
    assert files, "the corpus has no such files"
    counts, wrong = collections.defaultdict(collections.Counter), []
    for file, row in zip(files, batch(step, files, tmp_path / "out"), strict=True):
        found = verdict(step, row)
        counts[file.relative_to(CORPUS).parts[0]][found if found in ("text", "reason") else "neither"] += 1
        if found not in ("text", "reason"):
            wrong.append(f"{file.relative_to(CORPUS)}: {found}")
    print(f"\n{step:16} text reason neither")
    for folder, count in sorted(counts.items()):
        print(f"{folder:16} {count['text']:4} {count['reason']:6} {count['neither']:7}")
    assert wrong == []
    if step == "archive.extract":
        assert not any(p.is_symlink() for p in (tmp_path / "out").rglob("*"))


def words(text):
    return re.findall(r"\w+", text.lower())[:8000]


def test_the_text_is_what_others_find(tmp_path):
    pairs = []
    for line in (CORPUS / "MANIFEST.tsv").read_text().splitlines()[1:]:
        cells = line.split("\t")
        expected = CORPUS / cells[6] if len(cells) > 6 and cells[6].endswith((".expected.md", ".expected.txt")) else None
        if expected is not None and cells[1] in FLOORS and expected.exists() and expected.stat().st_size < LONG:
            pairs.append((CORPUS / cells[0], cells[1], expected))
    assert pairs
    scores = collections.defaultdict(list)
    for (file, kind, expected), row in zip(pairs, batch("document.extract", [p[0] for p in pairs], tmp_path / "out"), strict=True):
        if row["status"] == "done":
            with open(row["outputs"][0]["path"], encoding="utf-8") as f:
                ours = collections.Counter(words(f.read()))
            theirs = collections.Counter(words(expected.read_text(errors="replace")))
            common = sum((ours & theirs).values())
            scores[kind].append(2 * common / max(1, sum(ours.values()) + sum(theirs.values())))
        elif row["reason"] not in ("input_encrypted", "no_text", "unsupported_type"):
            scores[kind].append(0.0)
    averages = {kind: sum(s) / len(s) for kind, s in scores.items()}
    print("\n" + "\n".join(f"{k:10} {len(scores[k]):3} files  {v:.2f}" for k, v in sorted(averages.items())))
    assert {k: v for k, v in averages.items() if v < FLOORS[k]} == {}
