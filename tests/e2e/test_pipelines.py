"""Pipelines over HTTP: stored and versioned, run with values and files, waited for, repeated."""

import secrets

import pytest

from platen import SAMPLES, until

SIZES = """\
name: {name}
title: Sizes of a picture
inputs:
  photo: {{type: file, required: true, accepts: "image/*", help: The picture.}}
  format: {{type: choice, choices: [webp, png], default: webp}}
  widths: {{type: list, default: ["64", "128"]}}
steps:
  what:
    uses: image.info
    with: {{file: "${{{{ inputs.photo }}}}"}}
  sizes:
    uses: image.convert
    matrix: {{width: [64, 128], format: ["${{{{ inputs.format }}}}"]}}
    needs: [what]
    with: {{file: "${{{{ inputs.photo }}}}", width: "${{{{ matrix.width }}}}", format: "${{{{ matrix.format }}}}"}}
outputs:
  width: "${{{{ steps.what.width }}}}"
  files: "${{{{ steps.sizes }}}}"
"""

REVIEW = """\
name: {name}
inputs:
  title: {{type: text, default: draft}}
steps:
  first: {{uses: test.echo, with: {{value: "${{{{ inputs.title }}}}"}}}}
  review: {{wait: approval, who: {who}, needs: [first]}}
  after:
    uses: test.echo
    if: "${{{{ steps.review.approved }}}}"
    with: {{value: "${{{{ steps.first.value }}}}!"}}
outputs: {{said: "${{{{ steps.after.value }}}}"}}
"""


@pytest.fixture
def store(client):
    """store(text): a pipeline under a name of its own, gone after the test; returns the name."""
    names = []

    def make(text, **more):
        name = f"t-{secrets.token_hex(4)}"
        answer = put(client, text.format(name=name, **more))
        assert answer.status == 201, answer
        names.append(name)
        return name
    yield make
    for name in names:
        client.delete(f"/api/v1/pipelines/{name}")


def put(client, text, path="/api/v1/pipelines", method="POST", params=None):
    return client.request(method, path, params, body=text.encode(), headers={"Content-Type": "application/yaml"})


def run(client, name, inputs=None, wait=30, **options):
    answer = client.post(f"/api/v1/pipelines/{name}/run", json={"inputs": inputs or {}, "wait": wait, **options})
    assert answer.status in (200, 202), answer
    return answer.json()


def nodes(client, job, **query):
    answer = client.get(f"/api/v1/jobs/{job}/nodes", query)
    assert answer.status == 200, answer
    return {n["id"]: n for n in answer.json()["nodes"]}


def waits_for(client, job, node):
    return until(lambda: any(w["node"] == node for w in client.job(job).get("waits", [])), why=f"{job} waits for {node}")


# --- stored ---

def test_a_pipeline_from_its_first_version_to_its_end(client, store):
    name = store(SIZES)
    text = SIZES.format(name=name)
    same = put(client, text)
    assert same.status == 200 and same.json()["version"] == 1
    newer = put(client, text.replace("default: webp", "default: png"), f"/api/v1/pipelines/{name}", "PUT")
    assert newer.status == 201 and (newer.json()["version"], newer.json()["versions"]) == (2, 2)
    assert client.get(f"/api/v1/pipelines/{name}/source", {"version": 1}).text() == text
    assert client.get(f"/api/v1/pipelines/{name}/source").type == "application/yaml"
    versions = client.get(f"/api/v1/pipelines/{name}/versions").json()["versions"]
    assert [v["version"] for v in versions] == [2, 1]
    diff = client.get(f"/api/v1/pipelines/{name}/diff").json()
    assert (diff["from"], diff["to"]) == (1, 2)
    assert [(c["kind"], c["from"], c["to"]) for c in diff["changes"]] == [("changed", "webp", "png")]
    assert client.get(f"/api/v1/pipelines/{name}/diff", {"from": 2, "to": 2}).json()["changes"] == []
    listed = {p["name"]: p for p in client.get("/api/v1/pipelines").json()["pipelines"]}
    assert listed[name]["version"] == 2 and not listed[name]["built_in"]
    assert client.delete(f"/api/v1/pipelines/{name}").status == 204
    gone = client.get(f"/api/v1/pipelines/{name}")
    assert (gone.status, gone.json()["reason"]) == (404, "unknown_pipeline")


def test_what_a_form_needs_to_know(client, store):
    p = client.get(f"/api/v1/pipelines/{store(SIZES)}").json()
    assert [f["name"] for f in p["files"]] == ["photo"] and p["files"][0]["required"]
    params = {q["name"]: q for q in p["contract"]["params"]}
    assert params["format"]["default"] == "webp" and [c["name"] for c in params["format"]["choices"]] == ["webp", "png"]
    assert set(p["schema"]["properties"]) == {"photo", "format", "widths"}
    assert p["definition"]["steps"]["what"]["uses"] == "image.info"


def test_every_fault_is_named_at_once_with_its_line(client):
    answer = put(client, "name: bad\ninputs:\n  a: {type: wrong}\nsteps:\n"
                         "  x: {uses: image.convertt}\n  y: {uses: test.echo, with: {value: \"${{ inputs.b }}\"}, needs: [z]}\n")
    assert (answer.status, answer.json()["reason"]) == (422, "bad_pipeline")
    found = {(e["param"], e.get("line")) for e in answer.json()["errors"]}
    assert {("inputs.a.type", 3), ("steps.x.uses", 5), ("steps.y.needs[0]", 6)} <= found
    assert any("image.convert" in e["detail"] for e in answer.json()["errors"])


@pytest.mark.parametrize("text", ["", "  \n", "name: [", "- a\n- b\n", "{\"name\":", "\x00", "name: x\nname: y\nsteps: {}\n", "&a [*a]"])
def test_what_is_no_pipeline_is_refused(client, text):
    answer = put(client, text)
    assert (answer.status, answer.json()["reason"]) == (422, "bad_pipeline"), answer
    assert answer.json()["errors"]


def test_a_change_of_somebody_else_is_not_lost(client, store):
    name = store(SIZES)
    text = SIZES.format(name=name)
    mine, theirs = text.replace("Sizes of", "My sizes of"), text.replace("Sizes of", "Their sizes of")
    assert put(client, text, params={"base_version": 0}).status == 200  # it equals the newest
    assert put(client, theirs, params={"base_version": 1}).json()["version"] == 2
    answer = put(client, mine, params={"base_version": 1})
    assert (answer.status, answer.json()["reason"]) == (409, "conflict")
    assert "version 2" in answer.json()["detail"] and "base_version=2" in answer.json()["hint"]
    assert put(client, mine, params={"base_version": 0}).status == 409
    assert client.get(f"/api/v1/pipelines/{name}").json()["title"] == "Their sizes of a picture"
    assert put(client, mine, params={"base_version": 2}).json()["version"] == 3


def test_the_language_is_what_the_checker_knows(client):
    language = client.get("/api/v1/language").json()
    top = [k["name"] for k in language["keys"] if "pipeline" in k["in"]]
    assert {"name", "steps", "on", "outputs"} <= set(top)
    for key in (k for k in top if len(k) > 4):
        faults = put(client, f"name: x\n{key}s-: 1\n", params={"dry_run": "true"}).json()["errors"]
        assert any(key in f["detail"] for f in faults if f["param"] == f"{key}s-"), faults
    who = next(k for k in language["keys"] if k["name"] == "who")
    assert who["in"] == ["wait"] and who["only"] == "approval" and who["values"][0] == "reviewer"
    assert all(k["help"].endswith(".") for k in language["keys"] + language["functions"])
    assert [t["name"] for t in language["triggers"]].count("webhook") == 1


def test_a_dry_run_stores_nothing(client):
    name = f"t-{secrets.token_hex(4)}"
    answer = put(client, SIZES.format(name=name), params={"dry_run": "true"})
    assert answer.status == 200 and answer.json()["version"] == 0
    assert client.get(f"/api/v1/pipelines/{name}").status == 404
    assert put(client, "name: bad", params={"dry_run": "true"}).status == 422


def test_the_name_in_the_path_is_the_name(client):
    answer = put(client, SIZES.format(name="one"), "/api/v1/pipelines/other", "PUT")
    assert answer.status == 422 and [e["param"] for e in answer.json()["errors"]] == ["name"]


def test_json_is_as_good_as_yaml(client):
    name = f"t-{secrets.token_hex(4)}"
    answer = client.post("/api/v1/pipelines", json={"name": name, "steps": {"a": {"uses": "test.echo", "with": {"value": 7}}}})
    assert answer.status == 201, answer
    assert client.get(f"/api/v1/pipelines/{name}/source").type == "application/json"
    assert nodes(client, run(client, name)["id"])["a"]["state"] == "done"
    client.delete(f"/api/v1/pipelines/{name}")


def test_drawings(client, store):
    name = store(SIZES)
    text = client.get(f"/api/v1/pipelines/{name}/graph").text()
    assert text.splitlines()[1:] == ["└─ what  image.info", "   └─ sizes  image.convert × matrix"]
    assert "n0 --> n1" in client.get(f"/api/v1/pipelines/{name}/graph", {"format": "mermaid"}).text()
    assert client.get(f"/api/v1/pipelines/{name}/graph", {"format": "dot"}).text().startswith(f'digraph "{name}"')


# --- run ---

@pytest.mark.parametrize("how", ["multipart", "raw", "blob", "document"])
def test_a_picture_in_two_sizes(client, store, how):
    name, photo = store(SIZES), SAMPLES / "photo.jpg"
    path = f"/api/v1/pipelines/{name}/run"
    if how == "multipart":
        answer = client.post(path, {"wait": 30}, form=[("format", "png")], files={"photo": photo})
    elif how == "raw":
        answer = client.post(path, {"wait": 30, "format": "png"}, body=photo.read_bytes(), headers={"Content-Type": "image/jpeg"})
    elif how == "blob":
        blob = client.post("/api/v1/blobs", body=photo.read_bytes()).json()["blob"]
        client.post("/api/v1/documents", files=[photo])  # so that the project has seen it
        answer = client.post(path, json={"wait": 30, "inputs": {"format": "png", "photo": {"blob": blob, "name": "photo.jpg"}}})
    else:
        document = client.post("/api/v1/documents", files=[photo]).json()["documents"][0]["id"]
        answer = client.post(path, json={"wait": 30, "inputs": {"format": "png", "photo": {"document": document}}})
    assert answer.status in (200, 202), answer
    job = client.wait(answer.json()["id"])
    assert job["state"] == "done", job
    assert (job["pipeline"], job["version"]) == (name, 1) and job["data"]["width"] > 128
    assert [o["type"] for o in job["outputs"]].count("image/png") == len(job["outputs"]) >= 2
    seen = nodes(client, job["id"])
    assert (seen["sizes"]["many"], seen["sizes"]["total"], seen["sizes"]["ended"]) == (True, 2, 2)
    assert seen["sizes"]["needs"] == ["what"]
    items = client.get(f"/api/v1/jobs/{job['id']}/items", {"node": "sizes"}).json()["items"]
    assert len(items) == 2 and all(i["step"] == "image.convert" and i["parent"] == job["id"] for i in items)
    assert client.get(f"/api/v1/jobs/{job['id']}/items", {"node": "nothing"}).status == 404
    assert job["id"] in {j["id"] for j in client.get("/api/v1/jobs", {"pipeline": name}).json()["jobs"]}
    assert client.get("/api/v1/jobs", {"pipeline": name, "state": "failed"}).json()["jobs"] == []
    assert client.get("/api/v1/jobs", {"pipeline": "no-such"}).json()["jobs"] == []


def test_all_faults_of_the_inputs_at_once(client, store):
    path = f"/api/v1/pipelines/{store(SIZES)}/run"
    answer = client.post(path, json={"inputs": {"format": "gif", "nope": 1}, "wait": -1})
    assert (answer.status, answer.json()["reason"]) == (422, "bad_param")
    assert {e["param"] for e in answer.json()["errors"]} == {"format", "nope", "photo", "wait"}
    answer = client.post(path, files={"other": SAMPLES / "photo.jpg"})
    assert {e["param"] for e in answer.json()["errors"]} == {"other", "photo"}
    answer = client.post(path, files={"photo": [SAMPLES / "photo.jpg"] * 2})
    assert {e["param"] for e in answer.json()["errors"]} == {"photo"}
    for photo in ({"blob": "0" * 64}, {"document": "doc_06y3vvspw0000"}):
        assert client.post(path, json={"inputs": {"photo": photo}}).status == 404
    assert client.post(path, json={"inputs": []}).status == 400
    assert client.post("/api/v1/pipelines/no-such/run", json={}).json()["reason"] == "unknown_pipeline"


def test_a_run_that_is_only_checked(client, store):
    name = store(REVIEW, who="reviewer")
    answer = client.post(f"/api/v1/pipelines/{name}/run", json={"dry_run": True, "inputs": {"title": "x"}})
    assert answer.status == 200 and answer.json()["params"] == {"title": "x"}
    assert client.get(f"/api/v1/jobs/{answer.json()['id']}").status == 404


def test_the_same_key_is_the_same_job(client, store):
    name, key = store(REVIEW, who="reviewer"), {"Idempotency-Key": secrets.token_hex(8)}
    path = f"/api/v1/pipelines/{name}/run"
    first = client.post(path, json={"inputs": {"title": "a"}}, headers=key).json()
    assert client.post(path, json={"inputs": {"title": "a"}}, headers=key).json()["id"] == first["id"]
    other = client.post(path, json={"inputs": {"title": "b"}}, headers=key)
    assert (other.status, other.json()["reason"]) == (422, "idempotency_mismatch") or other.status == 409
    assert client.post(f"/api/v1/jobs/{first['id']}/cancel").status == 200


def test_a_job_stays_on_its_version(client, store):
    name = store(REVIEW, who="reviewer")
    job = run(client, name, wait=0)["id"]
    waits_for(client, job, "review")
    put(client, REVIEW.format(name=name, who="owner").replace("!", "?"))
    assert client.post(f"/api/v1/jobs/{job}/approvals/review", json={"approved": True}).status == 200
    done = client.wait(job)
    assert (done["version"], done["data"]["said"]) == (1, "draft!")


# --- waits ---

def test_approval_by_role(client, key_of, store):
    job = run(client, store(REVIEW, who="editor"), {"title": "news"}, wait=0)["id"]
    waits_for(client, job, "review")
    listed = [a for a in client.get("/api/v1/approvals", {"limit": 200}).json()["approvals"] if a["job"] == job]
    assert [(a["node"], a["who"]) for a in listed] == [("review", "editor")]
    path = f"/api/v1/jobs/{job}/approvals/review"
    assert key_of("runner").post(path, json={"approved": True}).status == 403   # of the route
    assert key_of("reviewer").post(path, json={"approved": True}).status == 403  # of the wait
    assert client.post(path, json={}).json()["errors"] == [{"param": "approved", "detail": "is required"}]
    assert client.post(f"/api/v1/jobs/{job}/approvals/first", json={"approved": True}).status == 404
    answer = key_of("editor").post(path, json={"approved": True, "comment": "Good."})
    assert answer.status == 200, answer
    assert client.post(path, json={"approved": True}).status == 409
    done = client.wait(job)
    assert (done["state"], done["data"]["said"]) == ("done", "news!")
    data = nodes(client, job)["review"]["data"]
    assert data["approved"] is True and data["comment"] == "Good." and data["by"].startswith("key_")


def test_rejected(client, store):
    job = run(client, store(REVIEW, who="reviewer"), wait=0)["id"]
    waits_for(client, job, "review")
    client.post(f"/api/v1/jobs/{job}/approvals/review", json={"approved": False})
    client.wait(job)
    assert nodes(client, job)["after"]["state"] in ("skipped", "omitted")


SIGNAL = """\
name: {name}
steps:
  paid: {{wait: signal, signal: payment}}
  after: {{uses: test.echo, with: {{value: "${{{{ steps.paid.payload.amount }}}}"}}}}
outputs: {{amount: "${{{{ steps.after.value }}}}"}}
"""


def test_a_signal_that_comes_before_its_wait_is_kept(client, store):
    name = store(SIGNAL)
    for early in (False, True):
        job = run(client, name, wait=0, delay_ms=300 if early else 0)["id"]
        if not early:
            waits_for(client, job, "paid")
        answer = client.post(f"/api/v1/jobs/{job}/signals/payment", json={"amount": 12})
        assert answer.status == 200, answer
        done = client.wait(job)
        assert (done["state"], done["data"]) == ("done", {"amount": 12})
        assert client.post(f"/api/v1/jobs/{job}/signals/payment", json={}).status == 409
    assert client.post("/api/v1/jobs/job_06y3vvspw0000/signals/x", json={}).status == 404


CALLBACK = """\
name: {name}
steps:
  ask: {{uses: test.echo, with: {{value: "${{{{ waits.answer.url }}}}"}}}}
  answer: {{wait: callback, needs: [ask]}}
outputs: {{got: "${{{{ steps.answer }}}}"}}
"""


def test_a_callback_is_public_and_needs_its_token(client, server, store):
    job = run(client, store(CALLBACK), wait=0)["id"]
    waits_for(client, job, "answer")
    url = client.job(nodes(client, job)["ask"]["child"])["data"]["value"]
    path = url[url.index("/api/v1/callbacks/"):]
    nobody = server.client(None)
    assert nobody.post(path[:-1] + ("0" if path[-1] != "0" else "1"), json={}).status == 404
    assert nobody.post(path, json={"text": "hello"}).status == 204
    done = client.wait(job)
    assert done["state"] == "done" and done["data"]["got"]["payload"] == {"text": "hello"}, done


def test_pause_and_resume(client, store):
    job = run(client, store(REVIEW, who="reviewer"), wait=0)["id"]
    waits_for(client, job, "review")
    assert client.post(f"/api/v1/jobs/{job}/pause").json()["paused"] is True
    assert client.post(f"/api/v1/jobs/{job}/approvals/review", json={"approved": True}).status == 200
    assert nodes(client, job)["after"]["state"] == "pending" and client.job(job)["state"] == "running"
    assert client.post(f"/api/v1/jobs/{job}/resume").json()["paused"] is False
    assert client.wait(job)["state"] == "done"
    assert client.post(f"/api/v1/jobs/{job}/pause").status == 409


# --- again ---

def test_replay_and_fork(client, store):
    name = store(SIZES)
    first = client.post(f"/api/v1/pipelines/{name}/run", {"wait": 30, "no_memo": "true"}, files={"photo": SAMPLES / "photo.jpg"}).json()
    assert client.wait(first["id"])["state"] == "done"
    answer = client.post(f"/api/v1/jobs/{first['id']}/replay", json={"from": "sizes", "wait": 30})
    assert answer.status in (200, 202), answer
    again = client.wait(answer.json()["id"])
    assert (again["state"], again["origin"]) == ("done", first["id"])
    assert nodes(client, again["id"])["what"]["reused"] is True
    fork = client.post(f"/api/v1/jobs/{first['id']}/replay", json={"inputs": {"format": "png"}, "wait": 30})
    assert fork.status in (200, 202), fork
    forked = client.wait(fork.json()["id"])
    assert forked["params"]["format"] == "png" and forked["params"]["photo"] == client.job(first["id"])["params"]["photo"]
    assert {o["type"] for o in forked["outputs"]} == {"image/png"}
    assert nodes(client, forked["id"])["what"]["reused"] is True
    assert client.post(f"/api/v1/jobs/{first['id']}/replay", json={"from": "nothing"}).status in (400, 404, 409, 422)
    bad = client.post(f"/api/v1/jobs/{first['id']}/replay", json={"inputs": {"format": "gif"}})
    assert [e["param"] for e in bad.json()["errors"]] == ["format"]
    step = client.run("test.noop")["id"]
    assert client.post(f"/api/v1/jobs/{step}/replay", json={}).status == 409
    assert client.get(f"/api/v1/jobs/{step}/nodes").status == 409


# --- failures ---

FAILING = """\
name: {name}
steps:
  text: {{uses: test.echo, with: {{value: 1, fail: true, reason: no_text}}, retry: 1}}
  next: {{uses: test.echo, needs: [text]}}
  aside: {{uses: test.echo}}
on-failure:
  tell: {{uses: test.echo, with: {{value: "${{{{ failure.step }}}} ${{{{ failure.reason }}}}"}}}}
finally:
  tidy: {{uses: test.echo}}
"""


def test_a_failure_is_explained_down_to_the_step(client, store):
    job = run(client, store(FAILING))
    job = client.wait(job["id"])
    assert (job["state"], job["reason"]) == ("failed", "no_text"), job
    seen = nodes(client, job["id"])
    assert {k: n["state"] for k, n in seen.items()} == {
        "text": "failed", "next": "omitted", "aside": "done", "tell": "done", "tidy": "done"}
    assert {n["section"] for n in seen.values()} == {"steps", "on-failure", "finally"}
    told = client.job(seen["tell"]["child"])["data"]["value"]
    assert told == "text no_text"
    diagnosis = client.get(f"/api/v1/jobs/{job['id']}/diagnosis").json()
    assert diagnosis["node"] == "text" and diagnosis["below"]["job"] == seen["text"]["child"]
    assert diagnosis["below"]["reason"] == "no_text" and diagnosis["below"]["cause"]["type"].startswith("task.")


INNER = """\
name: {name}
inputs: {{word: {{type: text, required: true}}}}
steps:
  say: {{uses: test.echo, with: {{value: "${{{{ inputs.word }}}}", fail: "${{{{ inputs.word == 'bad' }}}}"}}, retry: 1}}
outputs: {{word: "${{{{ steps.say.value }}}}"}}
"""
OUTER = """\
name: {name}
inputs: {{words: {{type: list, default: [a, b]}}}}
steps:
  one: {{call: {inner}, with: {{word: hello}}}}
  each: {{call: {inner}, foreach: "${{{{ inputs.words }}}}", with: {{word: "${{{{ item }}}}"}}, needs: [one]}}
outputs: {{first: "${{{{ steps.one.word }}}}"}}
"""


def test_a_pipeline_calls_another(client, store):
    name = store(OUTER, inner=store(INNER))
    job = client.wait(run(client, name)["id"])
    assert job["data"] == {"first": "hello"}
    seen = nodes(client, job["id"], deep="true")
    assert [n["id"] for n in seen["one"]["nodes"]] == ["say"] and "nodes" not in nodes(client, job["id"])["one"]
    failed = client.wait(run(client, name, {"words": ["a", "bad"]})["id"])
    assert failed["state"] == "failed"
    diagnosis = client.get(f"/api/v1/jobs/{failed['id']}/diagnosis").json()
    assert diagnosis["node"] == "each" and diagnosis["below"]["node"] == "say"
    assert diagnosis["below"]["below"]["reason"] == "input_damaged"


def test_documents_to_text(client, store):
    name = store("""\
name: {name}
inputs: {{papers: {{type: files, required: true}}}}
steps:
  text: {{uses: document.extract, foreach: "${{{{ inputs.papers }}}}", with: {{file: "${{{{ item }}}}", format: text}}}}
outputs: {{count: "${{{{ length(steps.text) }}}}"}}
""")
    files = [SAMPLES / "report.docx", SAMPLES / "plain.txt"]
    answer = client.post(f"/api/v1/pipelines/{name}/run", {"wait": 30}, files={"papers": files})
    job = client.wait(answer.json()["id"])
    assert job["state"] == "done" and job["data"] == {"count": len(files)}, job
    events = client.event_types(job["id"])
    assert events[0] == "job.added" and events[-1] == "job.done" and "step.done" in events


def test_its_events_are_a_stream(client, store):
    job = run(client, store(REVIEW, who="reviewer"), wait=0)["id"]
    waits_for(client, job, "review")
    stream = client.events(job)
    client.post(f"/api/v1/jobs/{job}/approvals/review", json={"approved": True})
    events = list(stream)  # ends with the job
    assert [e.id for e in events] == list(range(1, len(events) + 1))
    assert events[0].type == "job.added" and events[-1].type == "job.done"
    assert [e.data["data"]["step"] for e in events if e.type == "step.waiting"] == ["review"]


def test_cancel_ends_what_runs_and_tidies_up(client, store):
    name = store("""\
name: {name}
steps:
  long: {{uses: test.sleep, with: {{ms: 60000}}}}
  next: {{uses: test.echo, needs: [long]}}
finally:
  tidy: {{uses: test.echo}}
""")
    job = run(client, name, wait=0)["id"]
    until(lambda: nodes(client, job)["long"]["state"] == "running")
    assert client.post(f"/api/v1/jobs/{job}/cancel").status == 200
    assert client.wait(job)["state"] == "canceled"
    seen = nodes(client, job)
    assert (seen["long"]["state"], seen["next"]["state"], seen["tidy"]["state"]) == ("canceled", "canceled", "done")


def test_one_that_comes_with_platen(client):
    listed = {p["name"]: p for p in client.get("/api/v1/pipelines").json()["pipelines"]}
    assert listed["documents"]["built_in"] is True and list(listed) == sorted(listed)
    for _ in range(2):  # the first run stores it
        answer = client.post("/api/v1/pipelines/documents/run", {"wait": 30}, files={"file": SAMPLES / "notes.md"})
        assert answer.status in (200, 202), answer
        job = client.wait(answer.json()["id"])
        assert (job["state"], job["pipeline"], job["version"]) == ("done", "documents", 1), job
    listed = [p["name"] for p in client.get("/api/v1/pipelines").json()["pipelines"]]
    assert listed == sorted(listed)
    assert client.delete("/api/v1/pipelines/documents").status == 409
    assert client.get("/api/v1/pipelines/documents/source").status == 200
