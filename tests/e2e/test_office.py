"""Office files and web pages through LibreOffice and Chromium: results, reasons, and nothing left behind.

Skipped where the program is not installed; `platen doctor` says so there.
"""

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from platen import ROOT, SAMPLES, cli, until

CORPUS = Path(os.environ.get("PLATEN_CORPUS") or ROOT.parent / "shared" / "corpus")
LIBREOFFICE = Path("/usr/lib/libreoffice/program/libmergedlo.so").exists()
CHROMIUM = any(Path("/usr/lib/chromium", name).exists() for name in ("chromium", "chromium-headless-shell"))
office = pytest.mark.skipif(not LIBREOFFICE, reason="LibreOffice is not installed")
browser = pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed")


def pdf_text(data):
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    return subprocess.run(["pdftotext", "-layout", "-", "-"], input=data, capture_output=True, check=True).stdout.decode()


def convert(server, path, **params):
    job = server.run("office.convert", params, [path], wait=60)
    return job, (server.client().output(job) if job["state"] == "done" else None)


def printed(server, html, **params):
    job = server.run("browser.print", params, [("page.html", html.encode() if isinstance(html, str) else html, "text/html")], wait=60)
    assert job["state"] == "done", job
    return job["data"], server.client().output(job)


@office
@pytest.mark.parametrize("name, to, kind, magic", [
    ("report.docx", "pdf", "text document", b"%PDF-"), ("budget.xlsx", "pdf", "spreadsheet", b"%PDF-"),
    ("slides.pptx", "pdf", "presentation", b"%PDF-"), ("letter.odt", "docx", "text document", b"PK"),
    ("budget.xlsx", "ods", "spreadsheet", b"PK"), ("slides.pptx", "odp", "presentation", b"PK"),
    ("memo.rtf", "txt", "text document", b""), ("people.csv", "xlsx", "spreadsheet", b"PK"),
    ("report.docx", "html", "text document", b"<!DOCTYPE html"), ("slides.pptx", "png", "presentation", b"\x89PNG"),
    ("report.docx", "doc", "text document", b"\xd0\xcf\x11\xe0"),
])
def test_each_kind_becomes_what_it_can(server, name, to, kind, magic):
    job, data = convert(server, name, to=to)
    assert job["state"] == "done", job
    assert job["data"]["kind"] == kind and job["data"]["bytes"] == len(data) > 0
    assert data.startswith(magic)


@office
def test_text_arrives_on_paper(server):
    _, data = convert(server, "report.docx")
    assert "report" in pdf_text(data).lower()


@office
@pytest.mark.parametrize("level, part", [("1b", b"1"), ("2b", b"2"), ("3b", b"3")])
def test_pdf_for_archives_says_which(server, level, part):
    _, data = convert(server, "report.docx", pdf_a=True, pdf_a_level=level)
    assert re.search(rb"pdfaid:part>" + part + rb"<", data)


@office
def test_what_cannot_be_is_a_reason_with_a_way_out(server):
    job, _ = convert(server, "budget.xlsx", to="docx")
    assert (job["state"], job["reason"]) == ("failed", "unsupported_type")
    assert "spreadsheet" in job["detail"] and "xlsx" in job["hint"]
    job, _ = convert(server, "report.docx", to="txt", pdf_a=True)
    assert (job["reason"], job["state"]) == ("bad_param", "failed")


@office
@pytest.mark.skipif(not (CORPUS / "MANIFEST.tsv").exists(), reason=f"there is no {CORPUS}")
def test_passwords_damage_and_macros(server):
    def file(name):
        found = CORPUS / name
        return (found.name, found.read_bytes(), "application/octet-stream")
    protected = "encrypted/tika--testEXCEL_protected_passtika.xlsx"
    for params, reason in (({}, "input_encrypted"), ({"password": "wrong"}, "input_encrypted"), ({"password": "tika"}, None)):
        job = server.run("office.convert", params, [file(protected)], wait=60)
        assert job.get("reason") == reason, job
    for name in ("malformed/poi--xlsx-corrupted.xlsx",
                 "malformed/poi--clusterfuzz-testcase-minimized-POIXWPFFuzzer-6120975439364096.docx"):
        job = server.run("office.convert", {}, [file(name)], wait=60)
        assert job["reason"] == "input_damaged" and job["hint"], job
    job = server.run("office.convert", {}, [file("malicious/officeparser--oversized_archive.docx")], wait=60)
    assert job["reason"] == "limit_ratio", job
    for name in ("malicious/oletools--excel4_sample_macro.xlsm", "malicious/poi--SimpleMacro.ppt", "malicious/pocs--rich.rtf",
                 "docx/pandoc--comments.docx"):
        job = server.run("office.convert", {}, [file(name)], wait=60)
        assert job["state"] == "done", (name, job)


HOSTILE = """<!doctype html><meta charset=utf-8><link rel=stylesheet href="http://127.0.0.1:1/x.css">
<h1>Grüße</h1><img src="http://127.0.0.1:1/a.png"><iframe src="file:///etc/passwd"></iframe>
<iframe src="file:///proc/self/environ"></iframe><object data="file:///etc/hostname"></object>
<img width=40 src="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>">
<p id=x>quiet</p><script>document.getElementById('x').textContent = 'loud ';
fetch('file:///etc/passwd').then(r => r.text()).then(t => document.getElementById('x').textContent += t)</script>"""


@browser
def test_a_page_shows_itself_and_nothing_else(server):
    data, pdf = printed(server, HOSTILE)
    assert data["complete"] and data["refused"] >= 4
    text = pdf_text(pdf)
    assert "Grüße" in text and "quiet" in text and "root:" not in text
    _, pdf = printed(server, HOSTILE, javascript=True)
    text = pdf_text(pdf)
    assert "loud" in text and "root:" not in text


@browser
def test_the_paper_is_what_was_asked_for(server):
    long = "<p>line</p>" * 300
    size = lambda pdf: [float(v) for v in re.search(rb"/MediaBox \[\s*0 0 ([\d.]+) ([\d.]+)", pdf).groups()]
    _, a4 = printed(server, long, footer="<b class=pageNumber style='font-size:9px'></b>")
    assert [round(v) for v in size(a4)] == [596, 842]
    pages = a4.count(b"/Type /Page\n")
    _, wide = printed(server, long, paper="letter", landscape=True, page_ranges="1-2")
    assert [round(v) for v in size(wide)] == [792, 612]
    assert pages > 3 and wide.count(b"/Type /Page\n") == 2
    job = server.run("browser.print", {"page_ranges": "99"}, [("p.html", b"<p>x", "text/html")], wait=60)
    assert job["reason"] == "bad_param" and "page" in job["detail"], job


@browser
def test_a_page_that_never_ends_is_stopped_and_the_next_one_works(server):
    forever = b"<p>x<script>for(;;);</script>"
    job = server.run("browser.print", {"javascript": True, "until_ms": 100}, [("f.html", forever, "text/html")], wait=60, timeout_ms=3000)
    assert job["reason"] == "limit_time", job
    printed(server, "<p>next")


def processes(word):
    """Ids of processes whose command line has the word."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and word in (entry / "cmdline").read_bytes().decode(errors="replace"):
                found.append(int(entry.name))
        except OSError:
            pass
    return found


@office
@browser
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_platen_ends(new_server, tmp_path, how):
    temp = tmp_path / "t"
    temp.mkdir(mode=0o755)
    if len(str(temp)) > 31:  # workers' folders have short names
        temp = Path("/tmp") / f"pl-{os.getpid()}-{how}"
        temp.mkdir(mode=0o755)
    server = new_server(env={"TMPDIR": str(temp)})
    convert(server, "report.docx")
    printed(server, "<p>x")
    assert processes(f"--user-data-dir={temp}") and list(temp.iterdir())
    if how == signal.SIGTERM:
        server.stop()
    else:
        server.kill()
    until(lambda: not processes(f"--user-data-dir={temp}"), 20, "the end of Chromium")
    if how == signal.SIGTERM:
        assert list(temp.iterdir()) == []
    shutil.rmtree(temp, ignore_errors=True)


def test_what_is_not_installed_is_said(tmp_path):
    for variable, step, name in (("PLATEN_ENGINE_OFFICE", "office.convert", "report.docx"),
                                 ("PLATEN_ENGINE_BROWSER", "browser.print", "letter.html")):
        done = cli("run", step, SAMPLES / name, "-o", tmp_path, "--json", env={variable: "/nonexistent"})
        line = json.loads(done.stdout.splitlines()[0])
        assert line["reason"] == "engine_missing" and "apt install" in line["detail"], line
