"""document.convert as people use it: names, what other programs say of the results, and refusals."""

import shutil
import subprocess
import zipfile

import pytest

from platen import ROOT, cli

SAMPLES = ROOT / "samples"

STRESS = """---
title: Everything & more
---
# First \u4e2d\u6587 heading

Text with **bold**, *italic*, `code`, ~~struck~~ and [a link](https://example.org/?a=1&b=2).

1. one
   - nested
     - deeper
2. two

| A | B |
|---|---|
| 1 | `x|y` |

```
code <tag> & "quotes"
```

> quoted

## \u0627\u0644\u0639\u0631\u0628\u064a\u0629

\u0646\u0635 \u0645\u0646 \u0627\u0644\u064a\u0645\u064a\u0646 \u0625\u0644\u0649 \u0627\u0644\u064a\u0633\u0627\u0631
"""


def convert(path, folder, *words):
    cli("run", "document.convert", str(path), *words, "-o", str(folder) + "/", "--quiet", check=0)
    return sorted(p for p in folder.iterdir() if p.is_file())


def said(*words):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def stress(tmp_path_factory):
    path = tmp_path_factory.mktemp("convert") / "stress.md"
    path.write_text(STRESS, encoding="utf-8")
    return path


@pytest.mark.skipif(not shutil.which("pandoc"), reason="pandoc is not installed")
@pytest.mark.parametrize("to", ["docx", "epub", "html"])
def test_pandoc_reads_it(stress, tmp_path, to):
    [made] = convert(stress, tmp_path / "out", "--to", to)
    assert made.name == f"stress.{to}"
    text = said("pandoc", made, "-t", "markdown", "--wrap=none")
    for piece in ("# First", "**bold**", "~~struck~~", "https://example.org/?a=1&b=2", "-   ", "> quoted", "\u0627\u0644\u0639\u0631\u0628\u064a\u0629",
                  'code <tag> & "quotes"'):
        assert piece in text, f"{piece} is not in\n{text}"


@pytest.mark.skipif(not shutil.which("qpdf") or not shutil.which("pdftotext"), reason="needs qpdf and poppler-utils")
@pytest.mark.parametrize("words", [(), ("--pdf-a", "1b"), ("--pdf-a", "2b", "--style", "book", "--paper", "letter", "--landscape")])
def test_pdf_is_whole(stress, tmp_path, words):
    [made] = convert(stress, tmp_path / "out", *words)
    assert "No syntax or stream encoding errors" in said("qpdf", "--check", made)
    text = said("pdftotext", "-layout", made, "-")
    assert "First \u4e2d\u6587 heading" in text and 'code <tag> & "quotes"' in text
    assert "Title:           Everything & more" in said("pdfinfo", made)
    fonts = said("pdffonts", made).splitlines()[2:]
    assert fonts and all(" yes yes yes " in line for line in fonts), fonts  # embedded, a subset, with characters


@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not installed")
def test_libreoffice_opens_the_word_document(stress, tmp_path):
    [made] = convert(stress, tmp_path / "out", "--to", "docx")
    said("soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile", "--convert-to", "txt:Text (encoded):UTF8",
         "--outdir", tmp_path, made)
    text = (tmp_path / "stress.txt").read_text(encoding="utf-8-sig")
    assert "First \u4e2d\u6587 heading" in text and "deeper" in text and "quoted" in text


def test_pages_are_numbered(tmp_path):
    made = convert(SAMPLES / "report.pdf", tmp_path / "out", "--to", "jpeg", "--dpi", "40")
    assert [p.name for p in made] == ["report-1.jpg", "report-2.jpg", "report-3.jpg"]
    assert all(p.read_bytes().startswith(b"\xff\xd8\xff") for p in made)


def test_pictures_become_one_pdf(shared):
    files = [(name, (SAMPLES / name).read_bytes(), "") for name in ("photo.jpg", "picture.png")]
    job = shared.run("document.combine", {"title": "Album"}, files)
    assert job["data"]["pages"] == 2 and [o["name"] for o in job["outputs"]] == ["photo.pdf"]


def test_texts_become_one_book(tmp_path):
    for n in (1, 2):
        (tmp_path / f"{n}.md").write_text(f"# Chapter {n}\n\ntext {n}\n")
    cli("run", "document.combine", tmp_path / "1.md", tmp_path / "2.md", "--to", "epub", "-o", tmp_path / "book.epub", check=0)
    names = zipfile.ZipFile(tmp_path / "book.epub").namelist()
    assert {"EPUB/c0001.xhtml", "EPUB/c0002.xhtml"} <= set(names)


def test_what_does_not_combine_is_named(shared):
    files = [(name, (SAMPLES / name).read_bytes(), "") for name in ("notes.md", "photo.jpg")]
    job = shared.run("document.combine", {}, files)
    assert job["reason"] == "unsupported_type" and "photo.jpg" in job["detail"]


def test_refusal_names_what_can_be_had(shared):
    job = shared.run("document.convert", {"to": "pptx"}, [("notes.md", b"# Notes", "text/markdown")])
    assert job["reason"] == "unsupported_type"
    assert "pdf, docx, html, epub, markdown, text, png, jpeg, webp" in job["hint"]
