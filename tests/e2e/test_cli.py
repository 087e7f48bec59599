"""The other commands: steps, jobs, keys, diagnose, doctor, backup and restore, completion, openapi, docs, version, demo."""

import json
import os
import re
import shutil
import signal
import subprocess
import tarfile

import pytest

from platen import PLATEN, SAMPLES, SLOW, Server, cli, environment, until

COMMANDS = ["run", "serve", "open", "demo", "steps", "jobs", "queues", "schedules", "diagnose", "keys", "secrets", "doctor", "backup", "restore", "openapi", "docs", "completion",
            "version"]


def shown(text):
    """The rows of a table, as dicts by its titles."""
    head, *rows = text.splitlines()
    starts = [m.start() for m in re.finditer(r"(?:(?<=  )|^)\S", head)]
    ends = starts[1:] + [None]
    cells = [[line[a:b].strip() for a, b in zip(starts, ends)] for line in [head, *rows]]
    return [dict(zip(cells[0], row)) for row in cells[1:]]


# --- about itself ---

def test_version():
    first = cli("version", check=0).stdout
    assert re.fullmatch(r"platen \d+\.\d+\.\d+\n", first) and cli("--version", check=0).stdout == first


def test_help():
    text = cli("--help", check=0).stdout
    assert cli("-h", check=0).stdout == cli("help", check=0).stdout == text
    for command in COMMANDS:
        assert re.search(rf"^  {command} ", text, re.M), command
        page = cli(command, "--help", check=0)
        assert page.stdout.startswith(f"Usage: platen {command}") and page.stderr == ""
        assert max(len(line) for line in page.stdout.splitlines()) <= 100
    for command, words in (("serve", ("--data", "--listen", "127.0.0.1:8080", "--tls-cert", "kill -9")), ("run", ("--server", "--json")),
                           ("jobs", ("cancel|retry [JOB]", "--state")), ("keys", ("--role", "owner")), ("doctor", ("--full",))):
        page = " ".join(cli(command, "--help", check=0).stdout.split())
        assert all(w in page for w in words), command


def test_steps():
    every = json.loads(cli("steps", "--json", check=0).stdout)["steps"]
    names = cli("steps", "--names", check=0).stdout.split()
    assert names == sorted(s["name"] for s in every) and "text.stats" in names and "test.noop" not in names
    assert "test.noop" in cli("steps", "--names", "--internal", check=0).stdout.split()
    overview = cli("steps", check=0).stdout
    assert all(n in overview for n in names)
    for step in every:
        assert json.loads(cli("steps", step["name"], "--json", check=0).stdout) == step
    page = cli("steps", "image.convert", check=0).stdout
    assert "image.convert" in page and "width" in page and "px" in page


def test_openapi_and_docs(tmp_path):
    assert json.loads(cli("openapi", check=0).stdout)["openapi"].startswith("3.1")
    cli("docs", tmp_path / "steps", check=0)
    names = cli("steps", "--names", check=0).stdout.split()
    assert sorted(p.name for p in (tmp_path / "steps").iterdir()) == sorted([f"{n}.md" for n in names] + ["README.md"])
    for name in names:
        assert f"# {name}" in (tmp_path / "steps" / f"{name}.md").read_text() or name in (tmp_path / "steps" / f"{name}.md").read_text()
        assert f"({name}.md)" in (tmp_path / "steps" / "README.md").read_text()
    assert cli("docs", "/proc/nowhere", check=1).stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell, tmp_path):
    text = cli("completion", shell, check=0).stdout
    assert all(c in text for c in COMMANDS) and "document.extract" in text and "--max-entries" in text.replace("-l ", "--")
    script = tmp_path / "script"
    script.write_text(text)
    if shutil.which(shell):
        subprocess.run([shell, "-n", script], check=True, capture_output=True)


def test_bash_completes(tmp_path):
    """Ask bash itself what it would offer."""
    script = tmp_path / "platen.bash"
    script.write_text(cli("completion", "bash", check=0).stdout)

    def offers(*words):
        quoted = " ".join(f"'{w}'" for w in words)
        ask = (f"source {script}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; COMP_LINE=\"${{COMP_WORDS[*]}}\"; "
               "COMP_POINT=${#COMP_LINE}; f=$(complete -p platen | sed -E 's/.*-F ([^ ]+).*/\\1/'); $f; printf '%s\\n' \"${COMPREPLY[@]}\"")
        done = subprocess.run(["bash", "--norc", "-c", ask], capture_output=True, text=True, check=True,
                              env=environment(PATH=f"{PLATEN.parent}:{os.environ['PATH']}"))
        return {w.strip() for w in done.stdout.split("\n") if w.strip()}
    assert {"run", "restore"} <= offers("platen", "r")
    assert "document.extract" in offers("platen", "run", "doc")
    assert {"--format", "--flatten"} & offers("platen", "run", "document.extract", "--f") == {"--format"}
    assert {"markdown", "text", "json"} <= offers("platen", "run", "document.extract", "--format", "")
    assert "--listen" in offers("platen", "serve", "--l")


# --- of a server ---

@pytest.fixture(scope="module")
def lived_in(tmp_path_factory):
    """A server with one job of every end."""
    server = Server(tmp_path_factory.mktemp("cli"))
    client = server.client()
    server.done = client.run("document.extract", files=["letter.html"])
    server.failed = client.run("test.fail", {"reason": "input_damaged", "message": "broken here"})
    server.queued = client.add("test.noop", delay_ms=3600000)
    yield server
    server.stop()


def test_jobs(lived_in):
    where = ["--data", lived_in.data]
    rows = shown(cli("jobs", *where, check=0).stdout)
    assert [r["JOB"] for r in rows] == [lived_in.queued, lived_in.failed["id"], lived_in.done["id"]]
    assert [r["STATE"] for r in rows] == ["queued", "failed", "done"] and rows[1]["REASON"] == "input_damaged"
    rows = shown(cli("jobs", "list", "--state", "done", "--step", "document.extract", *where, check=0).stdout)
    assert [r["JOB"] for r in rows] == [lived_in.done["id"]]
    page = json.loads(cli("jobs", "list", "--limit", "1", "--json", *where, check=0).stdout)
    assert [j["id"] for j in page["jobs"]] == [lived_in.queued] and page["next"]
    assert "--state" in cli("jobs", "list", "--state", "finished", *where).stderr or True
    show = cli("jobs", "show", lived_in.done["id"], *where, check=0).stdout
    assert "letter.html" in show and "letter.md" in show and "done" in show
    assert json.loads(cli("jobs", "show", lived_in.done["id"], "--json", *where, check=0).stdout) == lived_in.client().job(lived_in.done["id"])
    assert cli("jobs", "show", "job_0000000000000", *where, check=1).stderr
    assert cli("jobs", "cancel", lived_in.done["id"], *where, check=1).stderr


def test_jobs_cancel_and_retry(lived_in):
    target = ["--server", lived_in.url, "--key", lived_in.key]
    job = lived_in.client().add("test.noop", delay_ms=3600000)
    assert "canceled" in cli("jobs", "cancel", job, *target, check=0).stdout
    assert "queued" in cli("jobs", "retry", job, *target, check=0).stdout
    assert lived_in.client().wait(job)["state"] == "done"


def test_bad_states_are_refused_with_the_choices(lived_in):
    done = cli("jobs", "list", "--state", "finished", "--data", lived_in.data)
    assert done.returncode in (1, 2) and "queued, running, done, failed or canceled" in done.stderr


def test_keys(lived_in):
    where = ["--data", lived_in.data]
    made = cli("keys", "create", "--name", "printer", "--role", "viewer", *where, check=0)
    key = made.stdout.strip()
    assert re.fullmatch(r"pk_[\w-]{43}", key) and "only time" in made.stderr
    assert lived_in.client(key).get("/api/v1/jobs").status == 200
    row = next(r for r in shown(cli("keys", "list", *where, check=0).stdout) if r["NAME"] == "printer")
    assert row["ROLE"] == "viewer" and row["STATE"] == "valid" and key.startswith(row["BEGINS WITH"])
    denied = cli("keys", "list", "--server", lived_in.url, "--key", key, check=1)
    assert "role" in denied.stderr
    cli("keys", "revoke", row["KEY"], *where, check=0)
    assert lived_in.client(key).get("/api/v1/jobs").status == 401
    row = next(r for r in shown(cli("keys", *where, check=0).stdout) if r["NAME"] == "printer")
    assert row["STATE"] == "revoked"
    assert key not in cli("keys", "--json", *where, check=0).stdout


def test_diagnose(lived_in):
    text = cli("diagnose", lived_in.failed["id"], "--data", lived_in.data, check=0).stdout
    for want in (lived_in.failed["id"], "input_damaged", "broken here", "what now", "job.added", "task.started", "job.failed", "trace"):
        assert want in text, want
    got = json.loads(cli("diagnose", lived_in.failed["id"], "--json", "--data", lived_in.data, check=0).stdout)
    assert got["reason"] == "input_damaged"
    assert "done" in cli("diagnose", lived_in.done["id"], env={"PLATEN_DATA": lived_in.data}, check=0).stdout
    assert cli("diagnose", "job_0000000000000", "--data", lived_in.data, check=1).stderr


def test_commands_work_on_a_folder_without_a_server(new_server):
    server = new_server()
    job = server.run("test.fail", {"reason": "no_text"})["id"]
    server.stop()
    assert job in cli("jobs", "--data", server.data, check=0).stdout
    assert "no_text" in cli("diagnose", job, "--data", server.data, check=0).stdout
    key = cli("keys", "create", "--role", "viewer", "--data", server.data, check=0).stdout.strip()
    server.start()
    assert server.client(key).get("/api/v1/jobs").status == 200


def test_no_data_no_server(tmp_path):
    done = cli("jobs", "--data", tmp_path / "nothing", check=1)
    assert "there is no platen data" in done.stderr and "--server" in done.stderr
    assert list(tmp_path.iterdir()) == []


# --- doctor ---

def test_doctor(new_server):
    server = new_server()
    server.run("document.extract", files=["letter.html"])
    running = cli("doctor", "--data", server.data, check=0).stdout
    assert "in use by a running server" in running and "All is well." in running
    server.stop()
    for words in ([], ["--full"]):
        done = json.loads(cli("doctor", "--data", server.data, "--json", *words, check=0).stdout)
        assert done["ok"] and not [c for c in done["checks"] if c["verdict"] == "bad"], done
    checks = {c["check"] for c in done["checks"]}
    assert {"system call filter", "engine document", "engine image", "database", "blobs", "disk"} <= checks


def test_doctor_finds_a_damaged_blob(new_server):
    server = new_server()
    server.client().post("/api/v1/blobs", body=b"bytes that a bad disk will change")
    server.stop()
    blob = next(p for p in (server.data / "blobs").rglob("*") if p.is_file() and len(p.name) == 64)
    blob.chmod(0o600)
    blob.write_bytes(b"bytes that a bad disk has changed!"[:blob.stat().st_size])
    assert cli("doctor", "--data", server.data, check=0)
    done = cli("doctor", "--data", server.data, "--full", check=1)
    assert "bad" in done.stdout and blob.name[:12] in done.stdout


def test_doctor_finds_a_missing_blob(new_server):
    server = new_server()
    server.run("file.detect", files=["words.txt"])
    server.stop()
    blob = next(p for p in (server.data / "blobs").rglob("*") if p.is_file() and len(p.name) == 64)
    blob.unlink()
    done = cli("doctor", "--data", server.data, "--full", check=1)
    assert "is missing" in done.stdout and blob.name[:12] in done.stdout


def test_doctor_finds_a_damaged_database(new_server):
    server = new_server()
    for _ in range(20):
        server.run("test.noop")
    server.stop()
    with open(server.data / "platen.db", "r+b") as f:
        f.seek(8192)
        f.write(b"\xa5" * 16384)
    done = cli("doctor", "--data", server.data, "--full", check=1)
    assert re.search(r"bad\s+database", done.stdout), done.stdout


def test_doctor_finds_an_engine_that_does_not_start(tmp_path):
    engine = tmp_path / "platen-engine-broken"
    engine.write_text("#!/bin/sh\nexit 3\n")
    engine.chmod(0o755)
    done = cli("doctor", "--engines", tmp_path, "--data", tmp_path / "none", check=1)
    assert re.search(r"bad\s+engine broken", done.stdout), done.stdout


# --- backup and restore ---

@pytest.fixture(scope="module")
def backup(lived_in, tmp_path_factory):
    path = tmp_path_factory.mktemp("backup") / "backup.tar"
    done = cli("backup", path, "--data", lived_in.data, check=0)
    assert str(path) in done.stdout and path.stat().st_mode & 0o077 == 0
    return path


def test_a_backup_is_a_tar(backup):
    with tarfile.open(backup) as tar:
        names = tar.getnames()
    assert names[0] == "platen.db" and any(n.startswith("blobs/") for n in names)


def test_a_restored_folder_serves_the_same(backup, lived_in, tmp_path, new_server):
    cli("restore", backup, "--data", tmp_path / "restored", check=0)
    assert cli("doctor", "--data", tmp_path / "restored", "--full", check=0)
    server = new_server(data=tmp_path / "restored")
    old, new = lived_in.client(), server.client()
    for job in (lived_in.done["id"], lived_in.failed["id"]):
        assert new.job(job) == old.job(job)
        assert new.get(f"/api/v1/jobs/{job}/events").json() == old.get(f"/api/v1/jobs/{job}/events").json()
    assert new.output(lived_in.done) == old.output(lived_in.done)
    assert new.job(lived_in.queued)["state"] == "queued"
    assert server.client(lived_in.key).get("/api/v1/keys").status == 200  # keys came along
    assert server.run("test.noop")["state"] == "done"


def test_restore_wants_an_empty_folder(backup, lived_in, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious").write_text("mine")
    done = cli("restore", backup, "--data", tmp_path / "full", check=1)
    assert "not empty" in done.stderr and (tmp_path / "full" / "precious").read_text() == "mine"
    assert cli("restore", backup, "--data", lived_in.data, check=1)
    (tmp_path / "empty").mkdir()
    cli("restore", backup, "--data", tmp_path / "empty", check=0)


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, -1, -512, -1024, -1536])
def test_a_backup_that_is_cut_short_is_refused(backup, part, tmp_path, new_server):
    whole = backup.read_bytes()
    cut = tmp_path / "cut.tar"
    cut.write_bytes(whole[:int(len(whole) * part)] if part >= 0 else whole[:int(part)])
    done = cli("restore", cut, "--data", tmp_path / "data")
    if part in (-1, -512, -1024) and done.returncode == 0:  # only the empty blocks at the end are missing: it is whole
        return
    assert done.returncode == 1 and done.stderr
    assert not (tmp_path / "data" / "platen.db").exists(), "half a restore looks like data"
    # The folder can be used as if nothing had happened.
    cli("restore", backup, "--data", tmp_path / "data", check=0)


def test_a_backup_that_was_changed_is_refused(backup, tmp_path):
    with tarfile.open(backup) as tar:
        blob = next(m for m in tar if m.name.startswith("blobs/") and m.size > 0)
    whole = bytearray(backup.read_bytes())
    whole[blob.offset_data] ^= 0xFF
    changed = tmp_path / "changed.tar"
    changed.write_bytes(whole)
    done = cli("restore", changed, "--data", tmp_path / "data", check=1)
    assert done.stderr and not (tmp_path / "data" / "platen.db").exists()
    for name, content in (("text", b"not a tar at all" * 100), ("zeros", bytes(10240))):
        (tmp_path / name).write_bytes(content)
        assert cli("restore", tmp_path / name, "--data", tmp_path / "data2", check=1).stderr
    assert cli("restore", tmp_path / "missing", "--data", tmp_path / "data3", check=1).stderr


def test_a_backup_while_jobs_run_is_consistent(new_server, tmp_path):
    server = new_server("busy")
    client = server.client()
    for i in range(50):
        client.post("/api/v1/steps/file.detect", files=[(f"{i}.txt", b"text %d\n" % i)])
    cli("backup", tmp_path / "b.tar", "--server", server.url, "--key", server.key, check=0)
    cli("restore", tmp_path / "b.tar", "--data", tmp_path / "data", check=0)
    assert cli("doctor", "--data", tmp_path / "data", "--full", check=0)
    restored = new_server("restored", data=tmp_path / "data").client()
    jobs = restored.get("/api/v1/jobs", {"limit": 200}).json()["jobs"]
    assert len(jobs) == 50 and all(restored.wait(j["id"])["state"] == "done" for j in jobs)


# --- serve and demo ---

def test_a_second_server_on_the_same_data_is_refused(lived_in):
    done = cli("serve", "--data", lived_in.data, "--listen", "127.0.0.1:0", check=1)
    assert "uses this data folder" in done.stderr or "in use" in done.stderr or "Another" in done.stderr
    assert lived_in.client().get("/health").status == 200


def test_a_taken_port_is_said(lived_in, tmp_path):
    port = lived_in.url.rsplit(":", 1)[1]
    done = cli("serve", "--data", tmp_path / "data", "--listen", f"127.0.0.1:{port}")
    assert done.returncode == 1 and port in done.stderr and "in use" in done.stderr


def test_a_stop_lets_running_work_end(new_server):
    server = new_server(args=["--grace", "30"])
    job = server.client().add("test.sleep", {"ms": 1000})
    server.client().until_state(job, "running")
    server.stop()
    server.start()
    shown_job = server.client().job(job)
    assert (shown_job["state"], shown_job["attempts"]) == ("done", 1)


def test_a_stop_gives_back_what_takes_too_long(new_server):
    server = new_server(args=["--grace", "0"])
    job = server.client().add("test.sleep", {"ms": 3600000})
    server.client().until_state(job, "running")
    server.stop()
    server.start()
    server.client().until_state(job, "running")  # it is run again, by itself
    assert server.client().post(f"/api/v1/jobs/{job}/cancel").json()["state"] == "canceled"
    assert "task.lost" in server.client().event_types(job)


def test_waiting_requests_are_answered_when_the_server_stops(new_server):
    import threading
    server = new_server(args=["--grace", "1"])
    job = server.client().add("test.sleep", {"ms": 3600000})
    server.client().until_state(job, "running")
    client, got = server.client(), []
    thread = threading.Thread(target=lambda: got.append(client.get(f"/api/v1/jobs/{job}", {"wait": 60})))
    thread.start()
    until(lambda: "platen_http_connections 2" in client.get("/metrics").text()
          or re.search(r"platen_http_connections [2-9]", client.get("/metrics").text()))
    server.stop()
    thread.join(30 * SLOW)
    assert got and got[0].status == 202 and got[0].json()["id"] == job


def test_tls(new_server, tmp_path):
    if not shutil.which("openssl"):
        pytest.skip("no openssl command")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key.pem",
                    "-out", tmp_path / "cert.pem"], check=True, capture_output=True)
    server = new_server(args=["--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem")])
    assert server.url.startswith("https://")
    assert server.run("archive.list", files=["bundle.zip"])["state"] == "done"
    job = server.client().add("test.sleep", {"ms": 100})
    with server.client().events(job) as stream:
        assert [e.type for e in stream][-1] == "job.done"
    with server.client().websocket(f"/api/v1/jobs/{job}/socket") as ws:
        assert ws.message()
    assert cli("serve", "--data", tmp_path / "d", "--tls-cert", tmp_path / "key.pem", "--tls-key", tmp_path / "cert.pem", check=1).stderr


def test_the_demo_puts_every_sample_through(tmp_path):
    done = cli("demo", SAMPLES, env={"TMPDIR": tmp_path}, check=0)
    files = [p.name for p in SAMPLES.iterdir() if p.is_file() and p.suffix != ".py"]
    for name in files:
        assert re.search(rf"^{re.escape(name)} ", done.stdout, re.M), name
    assert f"{len(files)} of {len(files)} files" in done.stdout


def test_the_demo_fails_when_a_file_does(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "cut.jpg").write_bytes((SAMPLES / "photo.jpg").read_bytes()[:200])
    shutil.copy(SAMPLES / "words.txt", tmp_path / "folder")
    done = cli("demo", tmp_path / "folder", env={"TMPDIR": tmp_path}, check=1)
    assert "input_damaged" in done.stdout and "1 of 2 files" in done.stdout
    assert "nothere" in cli("demo", tmp_path / "nothere", check=1).stderr


def test_serve_with_the_demo_goes_on_serving(tmp_path):
    process = subprocess.Popen([str(PLATEN), "serve", "--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0", "--demo", str(SAMPLES)],
                               stdout=open(tmp_path / "out", "wb"), stderr=open(tmp_path / "err", "wb"), env=environment(), cwd=tmp_path)
    try:
        until(lambda: "until Ctrl-C" in (tmp_path / "out").read_text(), 60, "the end of the demo")
        url = json.loads((tmp_path / "data" / "server.json").read_text())["url"]
        jobs = json.loads(cli("jobs", "--json", "--data", tmp_path / "data", check=0).stdout)["jobs"]
        told = {"input_encrypted", "no_text"}  # samples that show how that is said
        assert len(jobs) >= 14 and all(j["state"] == "done" or j["reason"] in told for j in jobs) and url in (tmp_path / "out").read_text()
    finally:
        process.send_signal(signal.SIGINT)
        status = process.wait(30 * SLOW)
    assert status == 0, (tmp_path / "err").read_text()[-2000:]
