"""Whatever comes in: the answer is a reason with a remedy, and the server goes on as before.

`look` is asked after every test: health, a normal job, no process and no file left behind.
"""

import concurrent.futures
import json
import os
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path

import pytest

import hostile
import platen
from platen import SAMPLES, SLOW, multipart, until


def short(value):
    """What a case is called: bytes are long."""
    return value[:30] if isinstance(value, str) else value.__name__ if callable(value) else None if isinstance(value, int) else "-"


BOMB_S = 20 * SLOW  # they take well below a second; it is hours when a limit is missing

ENGINE = r'''#!/usr/bin/env python3
"""An engine that misbehaves as its parameter says."""
import json, os, signal, socket, sys, time

def step(name, **limits):
    return {"name": "test." + name, "title": "Misbehave: " + name, "since": "0.1", "version": 1, "internal": True, "attempts": 1,
            "summary": "Misbehave: " + name + ".", "input_optional": True, "accepts": "*/*", "returns": "text/plain",
            "limits": {"time_ms": 20000, "cpu_ms": 20000, "memory_bytes": 1 << 33, "output_bytes": 1 << 20, **limits}}

STEPS = ["crash", "abort", "silent", "status", "garbage", "array", "huge", "forged", "closed", "flood", "gigabyte", "open", "write",
         "connect", "fork", "server"]
if "--describe" in sys.argv:
    steps = [step(n) for n in STEPS] + [step("spin", cpu_ms=1000), step("hang", time_ms=700), step("deaf", time_ms=700),
                                       step("children", time_ms=700), step("memory", memory_bytes=1 << 27)]
    print(json.dumps({"platen": 1, "engine": "test", "version": "1", "steps": steps}))
    sys.exit()
host = socket.socket(fileno=3)
def send(kind, **body):
    host.send(json.dumps({kind: body}).encode())
def output(name="out.txt"):
    send("output", name=name, type="text/plain")
    return socket.recv_fds(host, 131072, 1)[1][0]
def told(attempt):
    """Try it; say what came of it as a failure that names the answer."""
    try:
        attempt()
    except OSError as e:
        send("error", reason="input_damaged", message="refused: " + os.strerror(e.errno))
    else:
        send("result", data={})
message, inputs, _, _ = socket.recv_fds(host, 131072, 16)
what = json.loads(message)["run"]["step"].partition(".")[2]
if what == "crash":
    os.kill(os.getpid(), signal.SIGSEGV)
elif what == "abort":
    os.abort()
elif what == "status":
    sys.exit(3)
elif what == "garbage":
    host.send(b"\0\xff not json")
elif what == "array":
    host.send(b"[1]")
elif what == "huge":
    host.send(b'{"result":{"data":' + b"[" * 60000 + b"]" * 60000 + b"}}")
elif what == "forged":
    send("output", name="../../../escape", type="text/plain")
    time.sleep(1)
elif what == "closed":
    host.close()
    time.sleep(60)
elif what == "flood":
    while True:
        send("note", text="again")
elif what == "gigabyte":
    with os.fdopen(output(), "wb") as out:
        for _ in range(1000):
            out.write(b"x" * (1 << 20))
            out.flush()
    send("result", data={})
elif what == "open":
    told(lambda: open("/etc/shadow").read())
elif what == "write":
    told(lambda: open(os.path.expanduser("/tmp/platen-was-here"), "w"))
elif what == "connect":
    told(lambda: socket.create_connection(("127.0.0.1", 80), 2))
elif what == "fork":
    told(lambda: [os.fork() or time.sleep(30) for _ in range(20)])
elif what == "server":
    told(lambda: os.kill(os.getppid(), signal.SIGKILL))
elif what == "spin":
    while True:
        pass
elif what == "hang":
    time.sleep(600)
elif what == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(1)
elif what == "children":
    if os.fork() == 0:
        os.setsid()
    time.sleep(600)
elif what == "memory":
    data = []
    while True:
        data.append(b"m" * (1 << 22))
'''


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with tempfile.TemporaryDirectory(prefix="platen-engines-") as folder:
        os.chmod(folder, 0o755)  # a server of root runs such engines as nobody
        engine = Path(folder) / "platen-engine-test"
        engine.write_text(ENGINE.replace("/usr/bin/env python3", sys.executable))
        engine.chmod(0o755)
        server = platen.Server(tmp_path_factory.mktemp("bad"), args=[
            "--engines", f"{folder}:{platen.BUILD}", "--internal-steps", "--upload-max", "64", "--log-level", "warn"])
        yield server
        server.stop()


def descendants(pid):
    """Every process below `pid`, by /proc."""
    found, todo = [], [pid]
    while todo:
        try:
            with open(f"/proc/{todo[0]}/task/{todo[0]}/children") as f:
                below = [int(p) for p in f.read().split()]
        except OSError:
            below = []
        for tid in _threads(todo[0]):
            try:
                with open(f"/proc/{todo[0]}/task/{tid}/children") as f:
                    below += [int(p) for p in f.read().split()]
            except OSError:
                continue
        todo = todo[1:] + below
        found += below
    return set(found)


def _threads(pid):
    try:
        return [t for t in os.listdir(f"/proc/{pid}/task") if t != str(pid)]
    except OSError:
        return []


def named(word):
    """Processes whose command line has this word in it."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if word.encode() in f.read():
                    found.append(int(pid))
        except OSError:
            continue
    return found


def command_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read().decode(errors="replace")
    except OSError:
        return ""


def tasks_below(pid):
    """Processes of tasks: below the server, but neither the one warm parent of each engine nor residents (office, browser)."""
    lasting = ("platen-engine-office", "platen-engine-browser", "chrom", "bwrap")
    engines, tasks = set(), []
    for below in sorted(descendants(pid)):
        command = command_of(below).replace("\0", " ")
        if not command or any(word in command for word in lasting):
            continue
        if command in engines:
            tasks.append(command)
        engines.add(command)
    return tasks


@pytest.fixture(autouse=True)
def look(shared):
    """After each test the server is as it was."""
    yield
    client = shared.client()
    assert client.get("/health").json()["status"] == "ok"
    job = client.run("document.extract", files=["notes.md"])
    assert job["state"] == "done" and b"#" in client.output(job)
    assert client.run("text.stats", {"text": "one two"})["data"]["words"] == 2
    until(lambda: not tasks_below(shared.pid), 10, "no task is left")
    until(lambda: not named("/platen-engine-test"), 10, "no test engine is left")
    until(lambda: not unfinished(shared), 10, f"no unfinished file is left: {unfinished(shared)}")


def unfinished(server):
    """Files in the blob folder that are no blobs."""
    return [str(p) for p in (server.data / "blobs").rglob("*") if p.is_file() and len(p.name) != 64]


def fails(server, step, reasons, params=None, files=None, seconds=None, **options):
    """The job fails for one of these reasons, and everybody who asks is told why and what to do."""
    client, start = server.client(), time.monotonic()
    job = client.run(step, params, files, **options)
    took = time.monotonic() - start
    reasons = {reasons} if isinstance(reasons, str) else set(reasons)
    assert job["state"] == "failed" and job["reason"] in reasons, {**job, "data": 0, "params": 0}
    assert job["detail"] and job["hint"] and job["outputs"] == [], job
    assert seconds is None or took < seconds, f"{took} s"
    diagnosis = client.get(f"/api/v1/jobs/{job['id']}/diagnosis").json()
    assert diagnosis["reason"] == job["reason"] and diagnosis["verdict"] and diagnosis["meaning"] and diagnosis["remedy"]
    said = platen.cli("diagnose", job["id"], "--data", server.data, check=0).stdout
    assert job["reason"] in said and job["detail"][:40] in said, said
    return job


def refused(answer, status, *reasons):
    assert (answer.status, answer.json()["reason"] in reasons) == (status, True), answer
    problem = answer.json()
    assert problem["detail"] and problem["hint"] and problem["trace"], problem
    return problem


# --- files ---

@pytest.mark.parametrize("step, name, body, reason", [
    ("document.extract", "a.pdf", hostile.encrypted_pdf(), "input_encrypted"),
    ("document.extract", "a.docx", hostile.encrypted_office(), "input_encrypted"),
    ("archive.extract", "a.zip", hostile.encrypted_zip(), "input_encrypted"),
], ids=short)
def test_encrypted(server, step, name, body, reason):
    fails(server, step, reason, files=[(name, body)])
    assert server.run("file.detect", files=[(name, body)])["data"]["encrypted"] is True


def test_a_wrong_password(server):
    for step, name, body in (("document.extract", "a.pdf", hostile.encrypted_pdf()), ("archive.extract", "a.zip", hostile.encrypted_zip())):
        fails(server, step, {"input_encrypted", "input_damaged"}, {"password": "guess"}, files=[(name, body)])


@pytest.mark.parametrize("name, step", [
    ("report.docx", "document.extract"), ("slides.pptx", "document.extract"), ("budget.xlsx", "document.extract"),
    ("letter.odt", "document.extract"), ("book.epub", "document.extract"), ("report.pdf", "document.extract"),
    ("bundle.zip", "archive.extract"), ("nested.7z", "archive.extract"), ("backup.tar.gz", "archive.extract"),
    ("picture.png", "image.convert"), ("photo.jpg", "image.convert"), ("animated.gif", "image.convert")], ids=short)
def test_cut_short(server, name, step):
    """Cut anywhere, a file is refused with a reason or gives what was whole: never nothing, never a crash."""
    whole, client = (SAMPLES / name).read_bytes(), server.client()

    def cut(at):
        return at, client.run(step, files=[(name, whole[:at])])
    points = sorted({1, 4, 30, 100, *(len(whole) * i // 8 for i in range(1, 8)), len(whole) - 100, len(whole) - 30, len(whole) - 1})
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for at, job in pool.map(cut, [p for p in points if 0 < p < len(whole)]):
            if job["state"] == "done":
                assert job["outputs"] and all(o["bytes"] > 0 for o in job["outputs"]), (at, job)
                events = client.get(f"/api/v1/jobs/{job['id']}/events").json()["events"]
                told = [e["data"] for e in events if e["type"] == "task.note"]
                assert told or step != "document.extract" or at > len(whole) - 200, f"cut at {at} of {len(whole)}, and nobody is told"
            else:
                assert job["reason"] in ("input_damaged", "unsupported_type", "no_text", "input_empty"), (at, job)
                assert job["detail"] and job["hint"], (at, job)
    if name == "report.docx":
        fails(server, step, "input_damaged", files=[(name, whole[:1000])])


@pytest.mark.parametrize("sample, lie, step", [
    ("picture.png", "picture.docx", "image.info"), ("report.pdf", "report.txt", "document.extract"),
    ("report.docx", "report.pdf", "document.extract"), ("bundle.zip", "bundle.png", "archive.list"),
    ("notes.md", "notes.docx", "document.extract"), ("letter.html", "letter.xlsx", "document.extract")], ids=short)
def test_a_name_that_lies(server, sample, lie, step):
    body = (SAMPLES / sample).read_bytes()
    liar, honest = server.run(step, files=[(lie, body)]), server.run(step, files=[(sample, body)])
    assert liar["state"] == honest["state"] == "done", liar
    found, truth = (server.run("file.detect", files=[(n, body)])["data"] for n in (lie, sample))
    assert truth["name_matches"] is True and found["name_matches"] is False
    if step != "image.info" and sample != "notes.md":  # what plain text is called says what it is
        assert {**liar["data"], "format": 0} == {**honest["data"], "format": 0} and found["type"] == truth["type"]
    claimed = server.run(step, files=[(lie, body, "application/x-nonsense")])
    assert claimed["state"] == "done" and claimed["data"] == liar["data"]


def test_a_picture_is_not_a_document(server):
    job = fails(server, "document.extract", "no_text", {"ocr": "never"},
                files=[("report.docx", (SAMPLES / "picture.png").read_bytes())])
    assert "picture" in job["detail"], job


@pytest.mark.parametrize("kind", ["docx", "xlsx", "pptx", "doc", "xls", "ppt", "odt", "ods", "odp", "epub", "pdf", "rtf", "msg", "eml"], ids=short)
def test_text_that_claims_to_be_office(server, kind):
    job = server.run("document.extract", files=[(f"claim.{kind}", b"Only some words, nothing else.\n")])
    if job["state"] == "done":
        assert b"Only some words" in server.client().output(job), job
    else:
        assert job["reason"] in ("unsupported_type", "input_damaged") and job["hint"], job


@pytest.mark.parametrize("name, make", [("bomb.zip", hostile.zip_bomb), ("wide.zip", hostile.wide_bomb),
                                        ("overlap.zip", hostile.overlapping_bomb)], ids=short)
def test_archive_bombs(server, name, make):
    body = make()
    assert len(body) < 32 * hostile.MIB
    limits = {"limit_ratio", "limit_output", "limit_count", "limit_depth", "input_damaged"}
    if name != "wide.zip":  # its outer layer is small
        fails(server, "archive.extract", limits, files=[(name, body)], seconds=BOMB_S)
    else:
        fails(server, "archive.extract", limits, {"depth": 5}, files=[(name, body)], seconds=BOMB_S)
    start = time.monotonic()
    listed = server.run("archive.list", files=[(name, body)])
    assert time.monotonic() - start < BOMB_S
    assert listed["state"] == "done" or listed["reason"] in limits, listed


def test_archives_in_archives(server):
    deep = hostile.nested(hostile.zip_of({"end.txt": b"the end"}), 40)
    step = server.client().get("/api/v1/steps/archive.extract").json()
    assert "depth" in [p["name"] for p in step["params"]]
    for step in ("archive.list", "archive.extract"):
        job = server.run(step, {"depth": 5}, files=[("deep.zip", deep)])
        assert job["state"] == "done" or (job["reason"] == "limit_depth" and job["hint"]), job


@pytest.mark.parametrize("name, body", [
    ("bomb.docx", hostile.docx_bomb), ("laughs.docx", lambda: hostile.docx_text("&k;", hostile.LAUGHS)),
    ("laughs.odt", hostile.odt_laughs)], ids=short)
def test_document_bombs(server, name, body):
    fails(server, "document.extract", {"limit_ratio", "limit_output", "limit_memory", "input_damaged"}, files=[(name, body())],
          seconds=BOMB_S)


def test_an_external_entity_is_not_read(server):
    doctype = '<!DOCTYPE x [<!ENTITY out SYSTEM "file:///etc/passwd">]>'
    job = server.run("document.extract", files=[("out.docx", hostile.docx_text("before &out; after", doctype))])
    if job["state"] == "done":
        assert b"root:" not in server.client().output(job)
    else:
        assert job["reason"] in ("limit_ratio", "input_damaged"), job


@pytest.mark.parametrize("name, body, states", [
    ("laughs.html", f"{hostile.LAUGHS}<html><body><p>&k; and text</p></body></html>".encode(), {"done"}),
    ("deep.html", b"<div>" * 200000 + b"text", {"done", "limit_depth"}),
    ("deep.docx", hostile.docx_deep(), {"input_damaged", "limit_depth", "limit_ratio", "no_text"}),
    ("deep.md", b"> " * 50000 + b"text", {"done", "limit_depth"}),
    ("brackets.md", b"[" * 200000, {"done", "limit_depth"}),
    ("deep.rtf", b"{\\rtf1 " + b"{" * 200000 + b"text", {"done", "input_damaged", "limit_depth"}),
    ("deep.json.txt", b"[" * 100000, {"done"}),
    ("loop.pdf", hostile.pdf_loop(), {"input_damaged", "no_text", "done"}),
    ("wide.csv", b"," * 1000000 + b"x", {"done", "limit_count", "limit_output"}),
    ("zeros.txt", bytes(1000000), {"unsupported_type", "no_text"}),
], ids=short)
def test_documents_out_of_shape(server, name, body, states):
    start = time.monotonic()
    job = server.run("document.extract", files=[(name, body)], wait=60)
    assert time.monotonic() - start < BOMB_S
    assert job.get("reason", "done") in states, job
    assert job["state"] == "done" or (job["detail"] and job["hint"]), job


@pytest.mark.parametrize("name", hostile.ESCAPES, ids=short)
def test_archives_that_want_out(server, name):
    client = server.client()
    job = client.run("archive.extract", files=[(name, hostile.ESCAPES[name])])
    listed = client.run("archive.list", files=[(name, hostile.ESCAPES[name])])
    assert listed["state"] == "done" or listed["reason"] == "path_escape", listed
    if job["state"] == "failed":
        assert job["reason"] == "path_escape" and job["detail"] and job["hint"], job
    else:  # then the bad entry was left out, and it is said
        assert not any(".." in o["name"] or o["name"].startswith("/") or b"root:" in client.output(job, i)
                       for i, o in enumerate(job["outputs"])), job


def test_escapes_do_not_reach_the_disk(server, tmp_path):
    for name, body in hostile.ESCAPES.items():
        (tmp_path / name).write_bytes(body)
    done = platen.cli("run", "archive.extract", *[tmp_path / n for n in hostile.ESCAPES], "-o", tmp_path / "a/b/out", "--json", cwd=tmp_path)
    assert len(done.stdout.splitlines()) == len(hostile.ESCAPES), done
    outside = [p for p in tmp_path.rglob("*") if (p.is_symlink() or p.name == "outside.txt") and tmp_path / "a/b/out" not in p.parents]
    assert outside == [] and not any(p.is_symlink() for p in (tmp_path / "a").rglob("*"))


@pytest.mark.parametrize("name, body", [
    ("huge.png", hostile.png(100000, 100000)), ("huge.jpg", hostile.jpeg(65500, 65500)), ("huge.tif", hostile.tiff(100000, 100000)),
    ("huge.gif", hostile.gif(65535, 65535)), ("largest.png", hostile.png(0x7FFFFFFF, 0x7FFFFFFF)),
    ("none.png", hostile.png(0, 0)), ("huge.svg", hostile.svg(size=100000))], ids=short)
def test_huge_pictures(server, name, body):
    reasons = {"limit_pixels", "input_damaged", "unsupported_type"}
    job = fails(server, "image.convert", reasons, {"format": "png"}, files=[(name, body)], seconds=BOMB_S)
    assert job["reason"] == "limit_pixels" or name in ("none.png", "largest.png", "huge.svg"), job
    info = server.run("image.info", files=[(name, body)])
    assert info["state"] == "done" or info["reason"] in reasons, info


@pytest.mark.parametrize("body", [
    hostile.svg('<text y="50">&k;</text>', hostile.LAUGHS),
    hostile.svg('<image xlink:href="file:///etc/passwd" width="9" height="9"/><image xlink:href="http://127.0.0.1:9/x.png" width="9" height="9"/>'),
    hostile.svg('<g id="a"><use xlink:href="#a"/><use xlink:href="#a"/></g>'),
    hostile.svg("<g>" * 100000),
    hostile.svg('<script>while(true){}</script><rect width="5" height="5"/>')], ids=short)
def test_drawings(server, body):
    start = time.monotonic()
    job = server.run("image.convert", {"format": "png"}, files=[("bad.svg", body)])
    assert time.monotonic() - start < BOMB_S
    if job["state"] == "failed":
        assert job["reason"] in ("input_damaged", "unsupported_type", "limit_memory", "limit_depth", "limit_ratio") and job["hint"], job
    else:
        assert job["outputs"][0]["bytes"] > 0


def test_an_empty_file_in_every_step_that_takes_files(server):
    steps = [s for s in server.client().get("/api/v1/steps").json()["steps"] if s.get("accepts")]
    assert len(steps) >= 5
    packs = {"archive.create"}  # takes any file, empty ones too
    first = {"text.classify": "input_missing", "text.compare": "input_missing",  # what else they want is said first
             **{s: "bad_param" for s in ("image.crop", "image.filter", "image.watermark", "pdf.encrypt", "pdf.watermark")}}
    for step in steps:
        if step["name"] in packs or any(p.get("required") for p in step.get("params", [])):
            continue
        if step["name"] == "file.detect":
            job = server.run(step["name"], files=[("empty.pdf", b"")])
            assert job["reason"] == "input_empty" or (job["state"] == "done" and job["data"]["type"]), job
        else:
            fails(server, step["name"], first.get(step["name"], "input_empty"), files=[("empty.pdf", b"")])


# --- engines that misbehave ---

@pytest.mark.parametrize("what, reasons", [
    ("crash", "engine_crashed"), ("abort", "engine_crashed"), ("silent", "engine_crashed"), ("status", "engine_crashed"),
    ("garbage", "engine_protocol"), ("array", "engine_protocol"), ("huge", "engine_protocol"), ("closed", "engine_protocol"),
    ("flood", "engine_protocol"), ("gigabyte", "limit_output"), ("open", "input_damaged"), ("write", "input_damaged"),
    ("connect", {"input_damaged", "engine_forbidden"}), 
    ("server", {"input_damaged", "engine_forbidden"}), ("spin", "limit_cpu"), ("hang", "limit_time"), ("deaf", "limit_time"),
    ("children", {"limit_time", "engine_crashed", "engine_forbidden"}), ("forged", {"engine_crashed", "engine_protocol"}),
    pytest.param("memory", "limit_memory", marks=pytest.mark.memory_limits)], ids=short)
def test_engines_that_misbehave(server, what, reasons):
    job = fails(server, f"test.{what}", reasons, seconds=30 * SLOW)
    assert what not in ("open", "write", "connect", "server") or job["reason"] == "engine_forbidden" or "refused" in job["detail"], job
    assert not os.path.exists("/tmp/platen-was-here")


def test_an_engine_that_forks_leaves_nobody(server):
    job = server.run("test.fork")  # whatever becomes of it: `look` sees that its children are gone
    assert job["state"] == "done" or job["reason"] in ("input_damaged", "engine_forbidden"), job


def test_bad_engines_do_not_disturb_others(server):
    """While engines crash, hang and spin, other work goes on, and all is told apart."""
    client = server.client()
    bad = [client.add(f"test.{what}") for what in ("crash", "hang", "garbage", "deaf", "status") * 4]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        good = list(pool.map(lambda i: client.run("document.extract", {"format": "text"}, [(f"{i}.md", b"# Text %d\n" % i)]), range(40)))
    assert all(j["state"] == "done" for j in good)
    assert {client.wait(j)["reason"] for j in bad} == {"engine_crashed", "limit_time", "engine_protocol"}


def test_the_warm_parent_is_killed(server):
    """Somebody kills an engine's parent process: what ran in it is tried again, what comes later works."""
    client = server.client()
    client.run("image.info", files=["picture.png"])
    for pid in named("platen-engine-image"):
        if pid in descendants(server.pid):
            os.kill(pid, signal.SIGKILL)
    job = client.run("image.info", files=[("other.png", hostile.png(3, 3, bytes(30)))])
    assert job["state"] == "done", job


# --- uploads ---

def test_a_declared_5_gb_is_refused_before_it_is_sent(new_server):
    server = new_server("default")  # 1 GB
    for path in ("/api/v1/blobs", "/api/v1/documents", "/api/v1/steps/file.detect"):
        for expect in ("", "Expect: 100-continue\r\n"):
            with server.client().connect(timeout=10 * SLOW) as sock:
                sock.sendall((f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.key}\r\n{expect}"
                              f"Content-Length: {5 * hostile.GIB}\r\n\r\n").encode())
                got = sock.recv(65536)
            assert got.startswith(b"HTTP/1.1 413") and b"input_too_large" in got, got
    assert not unfinished(server)


@pytest.mark.parametrize("form", ["raw", "multipart"])
def test_an_upload_without_length_is_cut_at_the_limit(server, form):
    head = "multipart/form-data; boundary=cut" if form == "multipart" else "application/octet-stream"
    sent = 0
    with server.client().connect(timeout=20 * SLOW) as sock:
        sock.sendall((f"POST /api/v1/blobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.key}\r\nContent-Type: {head}\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n").encode())
        if form == "multipart":
            part = b'--cut\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
            sock.sendall(b"%x\r\n%s\r\n" % (len(part), part))
        piece = b"100000\r\n" + b"x" * hostile.MIB + b"\r\n"
        got = b""
        try:
            while sent < 200:
                sock.sendall(piece)
                sent += 1
        except OSError:
            pass  # it was closed: the answer may be there still
        try:
            got = sock.recv(65536)
        except OSError:
            assert sent < 200
    assert got.startswith(b"HTTP/1.1 413") or (got == b"" and sent < 200), (got, sent)


def test_a_length_just_above_the_limit(server):
    with server.client().connect(timeout=20 * SLOW) as sock:
        sock.sendall((f"POST /api/v1/blobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.key}\r\n"
                      f"Content-Length: {64000001}\r\n\r\nbegun").encode())
        got = sock.recv(65536)
    assert got.startswith(b"HTTP/1.1 413") and b"input_too_large" in got, got
    whole = server.client().post("/api/v1/blobs", body=b"x" * 64000000)
    assert (whole.status, whole.json()["bytes"]) == (201, 64000000)


@pytest.mark.parametrize("form", ["raw", "chunked", "multipart"])
def test_a_client_that_leaves_in_the_middle(server, form):
    kind = {"raw": "Content-Length: 30000000", "chunked": "Transfer-Encoding: chunked",
            "multipart": "Content-Type: multipart/form-data; boundary=cut\r\nContent-Length: 30000000"}[form]
    body = {"raw": b"x" * 3000000, "chunked": b"200000\r\n" + b"x" * 1000000,
            "multipart": b'--cut\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n' + b"x" * 3000000}[form]
    blobs = {p.name for p in (server.data / "blobs").rglob("*") if p.is_file()}
    before = len(server.client().get("/api/v1/documents", {"limit": 200}).json()["documents"])
    for _ in range(10):
        with server.client().connect() as sock:
            sock.sendall(f"POST /api/v1/documents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.key}\r\n{kind}\r\n\r\n".encode() + body)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # RST
    until(lambda: not unfinished(server), 10, "the unfinished files are gone")
    assert {p.name for p in (server.data / "blobs").rglob("*") if p.is_file()} == blobs
    assert len(server.client().get("/api/v1/documents", {"limit": 200}).json()["documents"]) == before


def test_slow_senders_do_not_block_others(server):
    """A hundred connections that send a byte now and then; the others do not notice."""
    slow = [server.client().connect() for _ in range(100)]
    try:
        for i, sock in enumerate(slow):
            sock.sendall(b"POST /api/v1/blobs HTTP/1.1\r\nHost: x\r\n" if i % 2 else
                         f"POST /api/v1/blobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.key}\r\nContent-Length: 1000\r\n\r\nx".encode())
        start = time.monotonic()
        for n in range(20):
            assert server.run("text.stats", {"text": f"quick {n}"})["state"] == "done"
            slow[n].sendall(b"x")
        assert time.monotonic() - start < 15 * SLOW
    finally:
        for sock in slow:
            sock.close()


# --- multipart ---

def upload(client, disposition, body=b"text\n", path="/api/v1/documents", end=b"--cut--\r\n"):
    data = b"--cut\r\nContent-Disposition: " + disposition + b"\r\n\r\n" + body + b"\r\n" + end
    return client.post(path, body=data, headers={"Content-Type": "multipart/form-data; boundary=cut"})


@pytest.mark.parametrize("name, shown", [
    (b'../../etc/passwd', "passwd"), (b'/etc/passwd', "passwd"), (b'C:\\\\Users\\\\x\\\\a.txt', "a.txt"), (b'..', None), (b'.', None),
    (b'', None), (b'a\x01b\x7f.txt', None), (b'\xff\xfe.txt', None), (b'\xed\xa0\x80.txt', None), (b'a\x00.txt', None),
    ("\u202etxt.exe".encode(), None), (b'x' * 5000, None), (b'%2e%2e%2fa', None), (b'a\tb', None), (b'-rf', None), (b'CON', None)], ids=short)
def test_file_names_are_only_names(server, name, shown):
    client = server.client()
    answer = upload(client, b'form-data; name="file"; filename="' + name + b'"')
    if answer.status >= 400:
        refused(answer, answer.status, "bad_request", "head_too_large", "input_missing", "bad_param")
        assert answer.status < 500
        return
    got = answer.json()["documents"][0]["name"]
    assert got and "/" not in got and "\\" not in got and got not in (".", "..") and len(got.encode()) <= 255, got
    assert not any(ord(c) < 32 or ord(c) == 127 for c in got), got
    assert shown is None or got == shown
    job = client.run("document.extract", files=[("x.txt", b"text\n")])
    assert job["state"] == "done"


def test_a_name_does_not_break_a_header(server):
    client = server.client()
    doc = upload(client, 'form-data; name="file"; filename="a%0d%0aSet-Cookie: x=1; %22;é.txt"'.encode()).json()["documents"][0]
    answer = client.get(f"/api/v1/documents/{doc['id']}/content")
    assert answer.status == 200 and "set-cookie" not in answer.headers


def test_form_fields_that_are_no_text(server):
    client = server.client()
    for value in (b"\xff\xfe", b"\xed\xa0\x80", b"\0"):
        answer = upload(client, b'form-data; name="format"', value, "/api/v1/steps/document.extract")
        assert 400 <= answer.status < 500 and answer.json()["hint"], answer
    job = client.wait(client.post("/api/v1/steps/text.stats?text=%ff%fe").json()["id"])
    assert job["state"] == "done" and job["params"]["text"] == "\ufffd\ufffd", job


@pytest.mark.parametrize("parts, status", [(100, 201), (1000, 201), (1001, 422), (5000, 422)], ids=short)
def test_many_parts(server, parts, status):
    body, head = multipart([], [("file", f"{i}.txt", "", b"part %d" % (i % 7)) for i in range(parts)])
    answer = server.client().post("/api/v1/documents", body=body, headers={"Content-Type": head})
    if status == 201 and answer.status == 201:
        assert [d["name"] for d in answer.json()["documents"]] == [f"{i}.txt" for i in range(parts)]
    else:
        assert parts > 100
        refused(answer, answer.status, "limit_count", "bad_request", "input_too_large")
        assert 400 <= answer.status < 500


def test_many_fields(server):
    body, head = multipart([(f"field{i}", "x") for i in range(1001)], [])
    answer = server.client().post("/api/v1/steps/text.stats", body=body, headers={"Content-Type": head})
    assert 400 <= answer.status < 500 and answer.json()["hint"], answer


@pytest.mark.parametrize("kind, body", [
    ("boundary=cut", b'--cut\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\ntext'),   # no end
    ("boundary=cut", b'--cut\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\ntext\r\n--cut'),
    ("boundary=cut", b'--other\r\n\r\n'), ("boundary=cut", b""), ("boundary=cut", b"--cut"), ("boundary=cut", b"--cut\r\n\r\n"),
    ("boundary=cut", b"--cut\r\nContent-Disposition: form-data\r\n\r\nx\r\n--cut--\r\n"),
    ("boundary=cut", b"--cut\r\nX: " + b"y" * 100000 + b"\r\n\r\nx\r\n--cut--\r\n"),
    ("boundary=cut", b"--cut--\r\n"), ("boundary=", b"x"), ("", b"x"), ("boundary=" + "b" * 300, b"x"), ('boundary="cut', b"--cut--\r\n")], ids=short)
def test_broken_multipart(server, kind, body):
    before = server.client().get("/api/v1/jobs", {"limit": 200}).json()["jobs"]
    answer = server.client().post("/api/v1/steps/file.detect", body=body, headers={"Content-Type": f"multipart/form-data; {kind}"})
    refused(answer, answer.status, "bad_request", "input_missing", "unsupported_type", "head_too_large")
    assert 400 <= answer.status < 500
    assert server.client().get("/api/v1/jobs", {"limit": 200}).json()["jobs"] == before


# --- requests ---

def test_json_that_is_not(server):
    client = server.client()
    for body, place in ((b'{"params": {"text": "a" "b"}}', "line 1, column 25"), (b'{\n\n "params" {}}', "line 3, column 11")):
        problem = refused(client.post("/api/v1/steps/text.stats", body=body, headers={"Content-Type": "application/json"}), 400, "bad_json")
        assert place in problem["detail"], problem
    for body in (b"[" * 100000, b'{"a":' * 100000, b'{"params":{"text":' + b"[" * 500 + b"]" * 500 + b"}}", b'{"a":1' * 2, b"\xff\xfe{}\0",
                 b'{"params":{"text":"\\ud800"}}', b'{"params":{"text":1e999999}}', b"9" * 100000, b'{"a":1,"a":2}', b"nul", b"\0"):
        answer = client.post("/api/v1/steps/text.stats", body=body, headers={"Content-Type": "application/json"})
        assert 400 <= answer.status < 500 and answer.json()["hint"], (body[:40], answer)


def test_all_faults_at_once(server):
    answer = server.client().post("/api/v1/steps/image.convert", {"wait": "long", "attempts": 0}, files=["picture.png"], form={
        "width": "-1", "quality": "999999999999999999999", "fit": "round", "colour": "red"})
    problem = refused(answer, 422, "bad_param")
    assert {e["param"] for e in problem["errors"]} == {"width", "quality", "fit", "colour", "wait", "attempts"}, problem
    assert all(e["detail"] for e in problem["errors"])


def test_nobody_knows_this(server):
    client = server.client()
    refused(client.post("/api/v1/steps/document.extrakt", json={}), 404, "unknown_step")
    for key in ("pk_" + "x" * 43, "pk_", "x" * 4000, "' OR 1=1 --", "\xff\xfe"):
        answer = server.client(key).get("/api/v1/jobs")
        refused(answer, 401, "unauthorized")


def test_too_large_a_head(server):
    client = server.client()
    refused(client.get("/health", headers={"X-Large": "x" * 100000}, check=False), 431, "head_too_large")
    refused(client.get("/health", headers={f"X-{i}": "x" for i in range(500)}, check=False), 431, "head_too_large")
    answer = client.get("/api/v1/jobs?" + "a=b&" * 25000, check=False)
    assert answer.status in (414, 431) and answer.json()["hint"], answer
    answer = client.get("/api/v1/jobs?" + "a=b&" * 200, check=False)
    assert 400 <= answer.status < 500 and answer.json()["hint"], answer


@pytest.mark.parametrize("raw", [
    b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET / HTTP/1.1\r\n\r\n",
    b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", b"A" * 20000, b"GET / HTTP/1.1\nHost: x\n\n",
    b"POST /api/v1/blobs HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"POST /api/v1/blobs HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /api/v1/blobs HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /api/v1/blobs HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    b"POST /api/v1/blobs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\n X-Folded: y\r\n\r\n", b"GET /health HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n",
    b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], ids=short)
def test_what_is_hardly_http(server, raw):
    got = server.client(None).raw(raw, timeout=3)
    assert got == b"" or got.startswith(b"HTTP/1.1 ") and int(got[9:12]) < 600 and not got.startswith(b"HTTP/1.1 5") or \
        got[9:12] in (b"501", b"505"), got[:300]


def test_chunks_that_lie(server):
    head = f"POST /api/v1/blobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.key}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    for body in (b"zz\r\nhello\r\n", b"-5\r\nhello\r\n", b"fffffffffffffffff\r\nx", b"5\r\nhelloXX", b"5;" + b"x" * 100000 + b"\r\nhello\r\n0\r\n\r\n",
                 b"5\r\nhello\r\n0\r\n" + b"T: x\r\n" * 20000):
        got = server.client().raw(head + body, timeout=3)
        assert got.startswith(b"HTTP/1.1 4"), (body[:30], got[:200])


def test_a_failure_over_the_command_line(tmp_path):
    """The same without a server: exit codes, one line per file, the good ones done."""
    (tmp_path / "bomb.docx").write_bytes(hostile.docx_text("&k;", hostile.LAUGHS))
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "good.md").write_bytes(b"# Good\n")
    done = platen.cli("run", "document.extract", tmp_path / "bomb.docx", tmp_path / "empty.txt", tmp_path / "good.md",
                      tmp_path / "missing.txt", "--json", "-o", tmp_path / "out")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode not in (0, None) and {r["input"]: r["reason"] for r in rows if r["input"] != "missing.txt"} == {
        "bomb.docx": "limit_ratio", "empty.txt": "input_empty", "good.md": None}, done
