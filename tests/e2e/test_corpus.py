"""Real files, hostile ones too: each gives its text or a reason, none gives nothing.

The folder is not part of the repository; without it these tests are skipped.
"""

import collections
import json
import os
import re
import shutil
import subprocess
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


def batch(step, files, out, *more):
    # OCR of all pictures takes minutes and has tests of its own
    params = {"image.convert": ("--format", "png", "--width", "64"), "document.extract": ("--ocr", "never", *more)}.get(step, ())
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


# What Python's codecs call the encodings that file.detect names otherwise.
CODECS = {"macintosh": "mac-roman", "x-mac-cyrillic": "mac-cyrillic", "EUC-KR": "cp949", "Big5": "big5hkscs", "Shift_JIS": "cp932"}


def encoding_of(file, label):
    """The encoding a text file is in: as its source says, else by its mark or name, else what it strictly is."""
    if label.startswith("encoding="):
        said = re.sub(r"-(russian|arabic|turkish)$", "", label.removeprefix("encoding=").lower())
        return {"gb2312": "gb18030", "big5": "big5hkscs", "shift_jis": "cp932", "euc-kr": "cp949"}.get(said, said)
    data = file.read_bytes()
    if "utf-16-le" in file.name:
        return "utf-16" if data[:2] == b"\xff\xfe" else "utf-16-le"
    try:
        data.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError:
        return None


def test_encodings_are_recognised(tmp_path):
    labels = {CORPUS / c[0]: c[5] for c in (line.split("\t") for line in (CORPUS / "MANIFEST.tsv").read_text().splitlines()[1:])
              if len(c) > 5}
    known = {f: encoding_of(f, labels.get(f, "")) for f in files_of(("txt", "csv", "media"))
             if f.suffix in (".txt", ".csv", ".xml", ".html", ".srt", ".vtt")}
    files = [f for f, encoding in known.items() if encoding is not None]
    wrong = []
    for file, row in zip(files, batch("file.detect", files, tmp_path / "out"), strict=True):
        found, data = row["data"].get("charset", "none"), file.read_bytes()
        try:  # another name for the same characters is right
            right = data.decode(CODECS.get(found, found)).lstrip("\ufeff") == data.decode(known[file]).lstrip("\ufeff")
        except (LookupError, UnicodeDecodeError):  # stray bytes: only the name can be compared
            right = found.lower().replace("-", "") == known[file].replace("-", "")
        if not right:
            wrong.append(f"{file.name}: {found}, not {known[file]}")
    print(f"\n{len(files) - len(wrong)} of {len(files)} encodings recognised")
    assert len(files) >= 30 and len(wrong) <= 2, wrong


# Where libmagic says otherwise, and who is right: it does not look into text (tables, Markdown, mail, feeds), stops at the first
# part of some packages, and has older names for a few types.
LIBMAGIC_KNOWS_LESS = {"application/octet-stream", "application/zip", "text/plain", "application/x-ole-storage", "application/encrypted",
                       "application/x-adobe-aco"}
LIBMAGIC_SAYS = {
    ("application/rtf", "text/rtf"), ("application/xml", "text/xml"), ("application/rss+xml", "text/xml"), ("audio/wav", "audio/x-wav"),
    ("text/markdown", "text/html"), ("text/markdown", "text/x-tex"), ("message/rfc822", "text/html"), ("image/vnd.microsoft.icon", "image/x-icon"),
    # macros and the binary form are told by what is in the package, not by its first part
    ("application/vnd.ms-excel.sheet.macroEnabled.12", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("application/vnd.ms-excel.sheet.binary.macroEnabled.12", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    # a tar whose magic number and checksum are both broken
    ("application/octet-stream", "application/x-tar"),
}


@pytest.mark.skipif(shutil.which("file") is None, reason="there is no file command")
def test_types_agree_with_libmagic_or_are_judged(tmp_path):
    files = files_of(None)
    others = subprocess.run(["file", "-b", "--mime-type", *files], capture_output=True, text=True, check=True).stdout.split("\n")
    apart = collections.Counter()
    for file, row, other in zip(files, batch("file.detect", files, tmp_path / "out"), others):
        ours = row["data"]["type"]
        if ours != other and other not in LIBMAGIC_KNOWS_LESS and (ours, other) not in LIBMAGIC_SAYS:
            apart[f"{file.relative_to(CORPUS)}: {ours}, libmagic: {other}"] += 1
    assert sorted(apart) == []


def one_space(text):
    return " ".join(text.split())


def ranges_that_lie(text, blocks):
    """Blocks (and cells of tables) whose text is not what stands at their place, or that overlap."""
    at, wrong = 0, []
    for b in blocks:
        parts = [b] if "text" in b else [cell for row in b["rows"] for cell in row if "from" in cell]
        for part in parts:
            if one_space(part["text"]) not in one_space(text[part["from"]:part["to"]]):
                wrong.append(f"{part['text'][:40]!r} is not at {part['from']} to {part['to']}")
        if b["from"] < at or b["to"] < b["from"]:
            wrong.append(f"{b['from']} to {b['to']} after {at}")
        at = b["to"]
    return wrong


def test_every_block_says_where_it_stands(tmp_path):
    slow = ("archive", "image", "media", "ocr", "doc", "xls", "ppt", "xlsb")  # pictures, and what the office suite converts
    files = [f for f in files_of(None) if f.stat().st_size < 300_000 and f.relative_to(CORPUS).parts[0] not in slow]
    rows = {kind: batch("document.extract", files, tmp_path / kind, "--format", kind, "--comments", "--attachments", "read")
            for kind in ("text", "json")}
    wrong, checked, paged = [], 0, 0
    for file, text, blocks in zip(files, rows["text"], rows["json"], strict=True):
        assert text["status"] == blocks["status"], f"{file.name}: {text['reason']} as text, {blocks['reason']} as JSON"
        if text["status"] != "done":
            continue
        plain = Path(text["outputs"][0]["path"]).read_bytes().decode()
        document = json.loads(Path(blocks["outputs"][0]["path"]).read_bytes())
        wrong += [f"{file.relative_to(CORPUS)}: {w}" for w in ranges_that_lie(plain, document["blocks"])[:3]]
        if document["pages"] > 0:
            lost = sum(b.get("page", 0) < 1 for b in document["blocks"])
            wrong += [f"{file.relative_to(CORPUS)}: {lost} blocks without a page"] if lost else []
            paged += 1
        checked += 1
    print(f"\n{checked} files checked, {paged} of them with pages")
    assert wrong == []
    assert checked > 150


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
