"""security.scan with a real ClamAV daemon, and over the corpus: what is bad is found, what is ordinary is not."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import platen

CORPUS = Path(os.environ.get("PLATEN_CORPUS") or platen.ROOT.parent / "shared" / "corpus")
CLAMD = shutil.which("clamd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
ORDINARY = "archive csv doc docx eml epub html image markdown media msg ocr odf odt pdf ppt pptx rtf txt xls xlsb xlsx".split()
# The smallest sound file of its format, kept for being odd: nothing in them does anything.
HARMLESS = {"pocs--gif89.gif", "pocs--gzip.gz", "pocs--rich.rtf"}
# Ordinary by folder, an entity bomb by content: POI's own sample of its bug 54764.
BAD = {"poi--54764.xlsx"}
SIGNATURE = "Platen.Test.Eicar.UNOFFICIAL"  # as the daemon calls one that is not from its makers


def eicar():
    """In two halves, so that no scanner takes this file for the test file."""
    return ("X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STAND" + "ARD-ANTIVIRUS-TEST-FILE!$H+H*").encode()


@pytest.fixture(scope="module")
def clamd(tmp_path_factory):
    """A daemon with a database of one signature, that of the test file; gives its socket."""
    if CLAMD is None:
        pytest.skip("needs clamav-daemon")
    folder = tmp_path_factory.mktemp("clamd")
    (folder / "db").mkdir()
    bytes_ = eicar()
    (folder / "db" / "platen.hdb").write_text(f"{hashlib.md5(bytes_).hexdigest()}:{len(bytes_)}:Platen.Test.Eicar\n")
    socket = folder / "clamd.sock"
    user = "User root\n" if os.geteuid() == 0 else ""
    (folder / "clamd.conf").write_text(f"LocalSocket {socket}\nDatabaseDirectory {folder / 'db'}\nForeground yes\n{user}"
                                       f"LogFile {folder / 'log'}\nMaxThreads 2\nConcurrentDatabaseReload no\n")
    process = subprocess.Popen([CLAMD, "--config-file", folder / "clamd.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    platen.until(lambda: socket.exists() or process.poll() is not None, 60, "clamd listens")
    if process.poll() is not None:
        pytest.skip(f"clamd does not start here: {(folder / 'log').read_text()[-300:] if (folder / 'log').exists() else ''}")
    yield socket
    process.terminate()
    process.wait(30)


def test_clamav_names_what_it_knows(clamd, new_server):
    client = new_server(env={"PLATEN_CLAMD": clamd}).client()
    job = client.run("security.scan", {"clamav": "required"}, files=[("report.bin", eicar())])
    data = job["data"]
    assert (data["verdict"], data["clamav"]) == ("malicious", {"asked": True, "signature": SIGNATURE}), job
    assert {"signature", "eicar"} <= set(data["codes"])
    assert next(f["text"] for f in data["findings"] if f["code"] == "signature") == SIGNATURE
    big = os.urandom(3 << 20)  # more than one piece of the stream
    data = client.run("security.scan", {"clamav": "required"}, files=[("big.bin", big)])["data"]
    assert (data["verdict"], data["clamav"]) == ("clean", {"asked": True})


def test_without_a_daemon(new_server, tmp_path):
    client = new_server(env={"PLATEN_CLAMD": tmp_path / "nothing"}).client()
    data = client.run("security.scan", files=["report.pdf"])["data"]
    assert data["verdict"] == "clean" and not data["clamav"]["asked"] and "no daemon" in data["clamav"]["message"]
    job = client.run("security.scan", {"clamav": "required"}, files=["report.pdf"], attempts=1)
    assert (job["state"], job["reason"]) == ("failed", "unreachable") and "PLATEN_CLAMD" in job["hint"]


def scan(files, tmp_path):
    done = platen.cli("run", "security.scan", *files, "--json", "-o", tmp_path / "out", "--clamav", "off", timeout=300)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == len(files), done.stderr[-2000:]
    return {r["input"]: r for r in rows}


def files_of(folder):
    return sorted(f for f in (CORPUS / folder).iterdir() if f.is_file() and ".expected." not in f.name)


needs_corpus = pytest.mark.skipif(not (CORPUS / "MANIFEST.tsv").exists(), reason=f"there is no {CORPUS}")


@needs_corpus
def test_what_is_malicious_is_found(tmp_path):
    rows = scan(files_of("malicious"), tmp_path)
    found = {name for name, row in rows.items() if row["data"]["verdict"] != "clean"}
    assert set(rows) - found == HARMLESS


@needs_corpus
def test_what_is_ordinary_is_not(tmp_path):
    files = [f for folder in ORDINARY for f in files_of(folder)]
    wrong = {name: row["data"]["codes"] for name, row in scan(files, tmp_path).items() if row["data"]["verdict"] != "clean"}
    assert set(wrong) == BAD, wrong


@needs_corpus
def test_damaged_and_encrypted_files_get_a_verdict(tmp_path):
    files = files_of("malformed") + files_of("encrypted")
    assert all(row["status"] == "done" and row["data"]["verdict"] for row in scan(files, tmp_path).values())
