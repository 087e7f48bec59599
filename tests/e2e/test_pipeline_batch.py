"""Many files, a pipeline for each: one job, one item per file, one archive of results."""

import io
import json
import secrets
import zipfile

import platen
import pytest
from platen import until

LOOK = """\
name: {name}
inputs:
  source: {{type: file, required: true, help: What to look at.}}
  logo: {{type: file, help: The same for all.}}
  label: {{type: text, default: none}}
steps:
  look: {{uses: file.detect, with: {{file: "${{{{ inputs.source }}}}"}}}}
  say: {{uses: test.echo, with: {{value: "${{{{ inputs.label }}}}"}}}}
outputs: {{type: "${{{{ steps.look.type }}}}", label: "${{{{ steps.say.value }}}}"}}
"""

SMALL = """\
name: {name}
inputs:
  photos: {{type: files, required: true}}
steps:
  small:
    uses: image.convert
    foreach: "${{{{ inputs.photos }}}}"
    with: {{file: "${{{{ item }}}}", width: 40, format: webp}}
outputs: {{files: "${{{{ steps.small }}}}"}}
"""

INFO = """\
name: {name}
inputs: {{source: {{type: file, required: true}}}}
steps: {{what: {{uses: image.info, with: {{file: "${{{{ inputs.source }}}}"}}}}}}
"""

ASK = """\
name: {name}
inputs: {{source: {{type: file, required: true}}}}
steps:
  review: {{wait: approval}}
  after: {{uses: test.echo, needs: [review], with: {{value: done}}}}
"""

TWO = """\
name: {name}
inputs:
  first: {{type: file, required: true}}
  second: {{type: file, required: true}}
steps:
  look: {{uses: file.detect, with: {{file: "${{{{ inputs.first }}}}"}}}}
  see: {{uses: file.detect, with: {{file: "${{{{ inputs.second }}}}"}}}}
"""

FILES = ["report.pdf", "photo.jpg", "plain.txt", "people.csv"]


@pytest.fixture
def store(client):
    def make(text):
        name = f"many-{secrets.token_hex(4)}"
        answer = client.post("/api/v1/pipelines", body=text.format(name=name).encode())
        assert answer.status == 201, answer
        return name

    return make


def start(client, name, query=None, **more):
    return client.post(f"/api/v1/pipelines/{name}/batch", query, **more)


def items_of(client, job, **query):
    return client.get(f"/api/v1/jobs/{job['id']}/items", {"limit": 200, **query}).json()["items"]


def archive_of(client, job):
    answer = client.get(f"/api/v1/jobs/{job['id']}/archive")
    assert answer.status == 200, answer
    return zipfile.ZipFile(io.BytesIO(answer.body))


def some_texts(n):
    return [(f"note-{i:04}.txt", f"note {i}".encode(), "text/plain") for i in range(n)]


def test_each_file_is_a_job_of_the_pipeline(client, store):
    name = store(LOOK)
    batch = start(client, name, form={"label": "all"}, files=FILES).json()
    assert (batch["items"]["total"], batch["pipeline"], batch["version"]) == (4, name, 1), batch
    batch = client.wait(batch["id"])
    assert (batch["state"], batch["data"]) == ("done", {"items": 4, "done": 4, "failed": 0, "canceled": 0})
    items = items_of(client, batch)
    assert [i["inputs"][0]["name"] for i in items] == FILES
    assert {(i["pipeline"], i["batch"], i["state"], i["data"]["label"]) for i in items} == {(name, batch["id"], "done", "all")}
    assert items[0]["data"]["type"] == "application/pdf"
    assert [n["state"] for n in client.get(f"/api/v1/jobs/{items[0]['id']}/nodes").json()["nodes"]] == ["done", "done"]
    assert client.event_types(batch["id"]) == ["job.added"] + ["job.item"] * 4 + ["job.done"]
    listed = [j["id"] for j in client.get("/api/v1/jobs", {"pipeline": name}).json()["jobs"]]
    assert listed == [batch["id"]]
    assert client.get("/api/v1/jobs", {"batches": "true", "limit": 1}).json()["jobs"][0]["id"] == batch["id"]
    assert batch["id"] not in [j["id"] for j in client.get("/api/v1/jobs", {"batches": "true", "state": "failed"}).json()["jobs"]]
    assert client.get(f"/api/v1/jobs/{batch['id']}/nodes").status == 409


def test_the_archive_has_a_folder_for_each_file(client, store):
    photo = (platen.SAMPLES / "photo.jpg").read_bytes()
    files = [("a/photo.jpg", photo), ("b.jpg", photo), ("b.jpg", photo), ("../../c.jpg", photo)]
    batch = start(client, store(SMALL), {"wait": 60}, files=files).json()
    assert batch["state"] == "done", batch
    names = archive_of(client, batch).namelist()
    folders = [n.rpartition("/")[0] for n in names if n.endswith(".webp")]
    assert len(folders) == len(set(folders)) == 4 and {"b.jpg", "b-2.jpg"} <= set(folders), names
    assert not [n for n in names if ".." in n or n.startswith("/")]
    assert archive_of(client, batch).namelist() == names
    item = items_of(client, batch)[1]
    single = archive_of(client, item)
    assert sorted(n.rpartition(".")[2] for n in single.namelist()) == ["json", "webp"]
    assert json.loads(single.read("result.json"))["files"]


def test_what_is_the_same_for_all_and_json(client, store):
    blobs = [client.post("/api/v1/blobs", files=[f]).json()["blob"] for f in FILES[:2]]
    body = {"inputs": {"source": [{"blob": b, "name": f"{i}.bin"} for i, b in enumerate(blobs)], "logo": blobs[1], "label": "x"}}
    batch = start(client, store(LOOK), {"wait": 60, "input": "source"}, json=body).json()
    assert batch["state"] == "done", batch
    items = items_of(client, batch)
    assert [i["params"]["source"]["name"] for i in items] == ["0.bin", "1.bin"]
    assert {i["params"]["logo"]["blob"] for i in items} == {blobs[1]}
    assert [len(i["inputs"]) for i in items] == [2, 2]


def test_an_archive_becomes_its_files(client, store):
    batch = start(client, store(LOOK), {"wait": 60, "concurrency": 2}, files=["bundle.zip", "plain.txt"]).json()
    assert batch["state"] == "done", batch
    items = items_of(client, batch)
    assert sorted({i["step"] for i in items}) == ["archive.extract", "flow.run"]
    assert len(items) == batch["items"]["total"] > 2 and batch["items"]["done"] == len(items)


def test_which_input_takes_the_files(client, store):
    name = store(TWO)
    answer = start(client, name, files=["plain.txt"])
    assert answer.status == 422 and answer.json()["param"] == "input" and "first, second" in answer.json()["detail"]
    photo = client.post("/api/v1/blobs", files=["photo.jpg"]).json()["blob"]
    batch = start(client, name, {"input": "second", "first": photo, "wait": 60}, files=FILES).json()
    assert (batch["state"], batch["items"]["done"]) == ("done", 4), batch
    assert start(client, name, {"input": "third"}, files=FILES).json()["param"] == "input"
    nothing = start(client, store(LOOK), {"label": "x"})
    assert (nothing.status, nothing.json()["reason"]) == (422, "input_missing")
    assert start(client, "no-such", files=FILES).status == 404


def test_a_dry_run_says_what_would_happen(client, store):
    name = store(LOOK)
    would = start(client, name, {"dry_run": "true"}, files=["bundle.zip", "plain.txt"])
    assert would.status == 200 and would.json()["items"] == {
        "total": 2, "queued": 2, "running": 0, "done": 0, "failed": 0, "canceled": 0, "archives": 1}
    assert client.get("/api/v1/jobs", {"pipeline": name}).json()["jobs"] == []
    wrong = start(client, name, {"label": "x", "no_such": 1, "dry_run": "true"}, files=["plain.txt"])
    assert wrong.status == 422 and wrong.json()["param"] == "no_such"


def test_a_key_makes_one_batch(client, store):
    name, head = store(LOOK), {"Idempotency-Key": secrets.token_hex(8)}
    first = start(client, name, files=FILES, headers=head).json()
    again = start(client, name, files=FILES, headers=head).json()
    assert first["id"] == again["id"]
    assert start(client, name, files=FILES[:1], headers=head).status == 422
    client.wait(first["id"])


def test_only_so_many_run_at_once_and_cancel_reaches_all(client, store):
    batch = start(client, store(ASK), {"concurrency": 2}, files=some_texts(7)).json()
    counts = client.job(batch["id"])["items"]
    assert (counts["running"], counts["queued"]) == (2, 5)
    running = items_of(client, batch, state="running")
    assert [i["inputs"][0]["name"] for i in running] == ["note-0000.txt", "note-0001.txt"]
    held = items_of(client, batch, state="queued")
    assert len(held) == 5 and held[0]["started"] is None
    assert client.post(f"/api/v1/jobs/{running[0]['id']}/approvals/review", json={"approved": True}).status == 200
    client.wait(running[0]["id"])
    assert [i["inputs"][0]["name"] for i in items_of(client, batch, state="running")] == ["note-0001.txt", "note-0002.txt"]
    assert client.post(f"/api/v1/jobs/{held[-1]['id']}/cancel").status == 200
    assert client.job(batch["id"])["items"]["running"] == 2
    assert [j["id"] for j in client.get("/api/v1/jobs", {"state": "running"}).json()["jobs"]] == [batch["id"]]
    assert client.post(f"/api/v1/jobs/{batch['id']}/cancel").json()["state"] == "canceled"
    counts = client.job(batch["id"])["items"]
    assert counts == {"total": 7, "queued": 0, "running": 0, "done": 1, "failed": 0, "canceled": 6}


def test_pause_holds_what_has_not_begun(client, store):
    batch = start(client, store(ASK), {"concurrency": 1}, files=some_texts(3)).json()
    first = items_of(client, batch)[0]
    assert client.post(f"/api/v1/jobs/{batch['id']}/pause").json()["paused"]
    client.post(f"/api/v1/jobs/{first['id']}/cancel")
    assert client.job(batch["id"])["items"] == {"total": 3, "queued": 2, "running": 0, "done": 0, "failed": 0, "canceled": 1}
    client.post(f"/api/v1/jobs/{batch['id']}/resume")
    assert client.job(batch["id"])["items"]["running"] == 1
    client.post(f"/api/v1/jobs/{batch['id']}/cancel")


def test_retry_runs_what_failed(client, store):
    batch = start(client, store(INFO), {"wait": 60}, files=["photo.jpg", "plain.txt", "picture.png"]).json()
    assert (batch["state"], batch["reason"]) == ("failed", "items_failed")
    before = items_of(client, batch)
    assert [i["state"] for i in before] == ["done", "failed", "done"] and before[1]["reason"] == "unsupported_type"
    assert client.post(f"/api/v1/jobs/{batch['id']}/retry").status == 202
    again = client.wait(batch["id"])
    after = items_of(client, batch)
    assert again["state"] == "failed" and [i["state"] for i in after] == ["done", "failed", "done"]
    assert [a["finished"] == b["finished"] for a, b in zip(before, after)] == [True, False, True]
    assert client.post(f"/api/v1/jobs/{before[1]['id']}/retry").status == 202
    assert client.wait(batch["id"])["items"]["failed"] == 1


def test_kill_9_in_the_middle_loses_nothing(new_server):
    server = new_server("pipeline-batch", args=["--log-level", "warn"])
    client = server.client()
    client.post("/api/v1/pipelines", body=LOOK.format(name="many").encode())
    batch = start(client, "many", {"concurrency": 8}, files=some_texts(60)).json()
    until(lambda: client.job(batch["id"])["items"]["done"] >= 5, 60, "some items are done")
    server.kill()
    server.start()
    client = server.client()
    ended = client.wait(batch["id"])
    assert ended["items"]["done"] == 60, ended
    assert len(archive_of(client, batch).namelist()) == 60


def test_the_command_line_keeps_what_each_gave(client, server, store, tmp_path):
    env = {"PLATEN_SERVER": server.url, "PLATEN_KEY": server.key}
    name, out = store(INFO), tmp_path / "out"
    files = [str(platen.SAMPLES / f) for f in ("photo.jpg", "plain.txt")]
    ran = platen.cli("flow", "batch", name, *files, "-o", out, env=env)
    assert ran.returncode == 1 and "1 of 2 done, 1 failed" in ran.stderr and "plain.txt  failed: unsupported_type" in ran.stderr, ran
    assert [p.name for p in out.iterdir()] == ["photo.jpg"]
    assert json.loads((out / "photo.jpg" / "result.json").read_text())
    started = platen.cli("flow", "batch", name, files[0], env=env, check=0)
    assert client.wait(started.stdout.strip())["state"] == "done"
    assert platen.cli("flow", "batch", store(TWO), *files, env=env).returncode == 2
    assert "--label" in platen.cli("flow", "batch", store(LOOK), "--help", env=env, check=0).stdout
