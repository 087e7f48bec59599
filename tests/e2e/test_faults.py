"""The world fails: a full disk while the server runs, and every place that can fail at its start.

Needs the build with faults (`-Dfaults=true`); only the real full disk needs a mount instead.
"""

import http.client
import json
import os
import re
import signal
import subprocess
import time

import pytest

import platen
from platen import PLATEN, ROOT, SLOW, Server, until

FAULTS = PLATEN.exists() and b"PLATEN_FAULT_FILE" in PLATEN.read_bytes()
needs_faults = pytest.mark.skipif(not FAULTS, reason="this build has no faults (-Dfaults=true)")

# What fills up, by the sites that then fail.
DISKS = {"blobs": ["blob.write"], "blob files": ["blob.create"], "blob links": ["blob.link"], "blob sync": ["blob.sync"],
         "database": ["db.commit"], "transactions": ["db.begin"], "all": ["blob.write", "blob.create", "db.commit", "fd.write"]}


def sites():
    """Every fault site of the server, by its source."""
    found = set()
    for path in (ROOT / "src").rglob("*.c"):
        found |= set(re.findall(r'fault_hit\("([a-z.]+)"\)', path.read_text()))
    return sorted(found - {"site"})


def attempt(call):
    """An answer, or None where the connection broke: that is no acceptance either."""
    try:
        return call()
    except (OSError, http.client.HTTPException):
        return None


def accepted(client, number):
    """Try what writes; the ids of what the server took."""
    answers = {
        "blob": attempt(lambda: client.post("/api/v1/blobs", body=b"blob %d" % number)),
        "document": attempt(lambda: client.post("/api/v1/documents", files=[(f"{number}.txt", b"document %d" % number)])),
        "job": attempt(lambda: client.post("/api/v1/steps/text.stats", json={"params": {"text": f"job {number}"}})),
        "file": attempt(lambda: client.post("/api/v1/steps/document.extract", files=[(f"{number}.md", b"# File %d\n" % number)])),
    }
    taken = {}
    for name, answer in answers.items():
        if answer is not None and answer.status < 300:
            taken[name] = answer.json()
        elif answer is not None:
            problem = answer.json()
            assert answer.status >= 500 and problem["reason"] in ("disk_full", "io", "db", "db_busy", "internal", "overloaded"), answer
            assert problem["detail"] and problem["hint"], problem
    return taken, answers


@needs_faults
@pytest.mark.parametrize("disk", DISKS)
def test_a_disk_that_fills_up_and_is_freed(new_server, tmp_path, disk):
    full = tmp_path / "full-disk"
    server = new_server("full", args=["--internal-steps"], env={"PLATEN_FAULT_FILE": full})
    server.expect_error(*everything_logged())
    client = server.client()
    before, _ = accepted(client, 0)
    assert set(before) == {"blob", "document", "job", "file"}
    running = [client.add("test.sleep", {"ms": 700}, attempts=20) for _ in range(3)]
    until(lambda: client.job(running[0])["state"] == "running")
    full.write_text("\n".join(DISKS[disk]) + "\n")
    taken, refused = [], 0
    for number in range(1, 6):
        got, answers = accepted(client, number)
        taken.append(got)
        refused += sum(a is None or a.status >= 500 for a in answers.values())
    assert refused > 0, "the fault is never met"
    assert client.get("/health/liveness").status == 200
    time.sleep(1.2)  # the running jobs end while the disk is full
    for job in running:
        answer = client.get(f"/api/v1/jobs/{job}")
        assert answer.status == 200 or answer.json()["reason"], answer
    full.unlink()
    after, answers = accepted(client, 99)
    assert set(after) == {"blob", "document", "job", "file"}, answers
    for got in [before, *taken, after]:  # what was accepted is there
        for name in ("job", "file"):
            if name in got:
                job = client.wait(got[name]["id"])
                assert job["state"] == "done" or (job["reason"] and job["detail"] and job["hint"]), job
        if "document" in got:
            for d in got["document"]["documents"]:
                assert client.get(f"/api/v1/documents/{d['id']}/content").body.startswith(b"document")
        if "blob" in got:
            assert client.get(f"/api/v1/blobs/{got['blob']['blob']}").body.startswith(b"blob")
    for job in running:
        shown = client.wait(job)
        assert shown["state"] == "done" or (shown["state"] == "failed" and shown["reason"] and shown["hint"]), shown
    assert client.get("/health").json()["status"] == "ok"
    server.stop()
    doctor = platen.cli("doctor", "--data", server.data, "--full", check=0)
    assert "sound" in doctor.stdout
    assert [p for p in (server.data / "blobs").rglob("*") if p.is_file() and len(p.name) != 64] == []


def everything_logged():
    """Names of all events: when everything fails the log may say any of them."""
    names = re.findall(r"EVENT\((\w+),", (ROOT / "src/base/events.def").read_text())
    return [n.lower().replace("_", ".", 1) for n in names if n != "NAME"]


@needs_faults
@pytest.mark.parametrize("site", sites() if FAULTS else [])
def test_every_site_fails_at_the_start(tmp_path, site):
    """The n-th time a site is met it fails: the server starts all the same and stops cleanly, or ends with a message."""
    for nth in (1, 2, 3) if site not in ("arena.open", "arena.chunk") else (1, 2, 3, 5, 8, 13):
        start_with_fault(tmp_path / f"data{nth}", f"{site}:{nth}")
    if os.environ.get("PLATEN_FAULTS_ALWAYS"):
        start_with_fault(tmp_path / "always", f"{site}:1+")


def start_with_fault(data, fault):
    process = subprocess.Popen([str(PLATEN), "serve", "--data", str(data), "--listen", "127.0.0.1:0"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=platen.environment(PLATEN_FAULT=fault))
    try:
        url = until(lambda: process.poll() is not None or address(data), 10, f"start or end with {fault}")
        if url is not True and process.poll() is None:
            for _ in range(3):
                answer = attempt(lambda: platen.Client(url, timeout=10 * SLOW).get("/health/liveness"))
                assert answer is None or answer.status in (200, 500, 503), (fault, answer)
            process.send_signal(signal.SIGTERM)
        log = process.communicate(timeout=20 * SLOW)[1]
    except (AssertionError, subprocess.TimeoutExpired):
        process.kill()
        process.communicate()
        raise
    assert not platen.SANITIZER_REPORT.search(log), f"{fault}: {log.decode(errors='replace')[:5000]}"
    assert process.returncode >= 0, f"{fault}: died of signal {-process.returncode}: {log[-2000:]!r}"
    if process.returncode != 0:
        assert log.strip(), f"{fault}: ended with {process.returncode} without a word"


def address(data):
    try:
        return json.loads((data / "server.json").read_text())["url"]
    except (OSError, ValueError):
        return None


def test_a_real_full_disk(tmp_path):
    """A data folder of 12 MB, filled by somebody else, then freed."""
    data = tmp_path / "data"
    data.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(data)], capture_output=True,
                                           check=False).returncode != 0:
        pytest.skip("this user may not mount")
    server = None
    try:
        server = Server(tmp_path / "server", data=data)
        server.expect_error(*everything_logged())
        client = server.client()
        client.contract = None
        ballast = data / "ballast"
        with open(ballast, "wb", buffering=0) as f:
            try:
                while True:
                    f.write(b"x" * 4096)
            except OSError:
                pass
        answer = client.post("/api/v1/blobs", body=b"y" * 5000000)
        assert (answer.status, answer.json()["reason"]) == (507, "disk_full"), answer
        assert answer.json()["detail"] and answer.json()["hint"]
        taken, refused = [], 0
        for n in range(200):
            got, answers = accepted(client, n)
            taken.append(got)
            refused += sum(a is None or a.status >= 500 for a in answers.values())
        assert refused > 0
        assert client.get("/health/liveness").status == 200
        ballast.unlink()

        def works():
            got, _ = accepted(client, 1000)
            return got if len(got) == 4 else None
        taken.append(until(works, 10, "everything works again"))
        for got in taken:
            for name in ("job", "file"):
                if name in got:
                    job = client.wait(got[name]["id"])
                    assert job["state"] == "done" or (job["reason"] and job["hint"]), job
        server.stop()
        doctor = platen.cli("doctor", "--data", data, "--full")
        assert "sound" in doctor.stdout and "damaged" not in doctor.stdout, doctor.stdout
    finally:
        if server is not None:
            server.kill()
        subprocess.run(["umount", "-l", str(data)], check=False)
