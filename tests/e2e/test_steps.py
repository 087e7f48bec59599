"""Steps over HTTP: the registry, running one in every form, validation, waiting, idempotency."""

import json

import pytest

from platen import SAMPLES

STATS = "/api/v1/steps/text.stats"
DETECT = "/api/v1/steps/file.detect"
BUNDLE = (SAMPLES / "bundle.zip").read_bytes()


def faults(answer):
    assert (answer.status, answer.json()["reason"]) == (422, "bad_param"), answer
    return {f["param"]: f["detail"] for f in answer.json()["errors"]}


# --- the registry ---

def test_the_list_names_every_step_for_users(client):
    steps = client.get("/api/v1/steps").json()["steps"]
    names = [s["name"] for s in steps]
    assert names == sorted(names)
    assert {"text.stats", "document.extract", "image.convert", "archive.list", "file.detect"} <= set(names)
    assert not any(n.startswith("test.") for n in names)


def test_one_contract_is_the_same_as_in_the_list(client):
    for step in client.get("/api/v1/steps").json()["steps"]:
        assert client.get(f"/api/v1/steps/{step['name']}").json() == step


def test_an_unknown_step_suggests_the_nearest(client):
    for answer in (client.get("/api/v1/steps/text.stat"), client.post("/api/v1/steps/text.stat", json={})):
        problem = answer.json()
        assert (answer.status, problem["reason"]) == (404, "unknown_step")
        assert "text.stat" in problem["detail"] and "text.stats" in problem["hint"]


# --- three forms, one result ---

def test_a_file_arrives_in_every_form(client):
    want = client.run("archive.list", files=["bundle.zip"])
    assert want["state"] == "done" and want["data"]["files"] == 5
    blob = client.post("/api/v1/blobs", body=BUNDLE, headers={"Content-Type": "application/zip"}).json()["blob"]
    document = client.post("/api/v1/documents", files=["bundle.zip"]).json()["documents"][0]["id"]
    path = "/api/v1/steps/archive.list"
    answers = {
        "multipart": client.post(path, form={"wait": 30}, files=[("bundle.zip", BUNDLE, "application/zip")]),
        "raw": client.post(path, {"wait": 30}, body=BUNDLE, headers={"Content-Type": "application/zip"}),
        "raw, chunked": client.post(path, {"wait": 30}, body=iter([BUNDLE[:100], BUNDLE[100:]]), chunked=True,
                                    headers={"Content-Type": "application/zip", "Transfer-Encoding": "chunked"}),
        "blob": client.post(path, json={"wait": 30, "inputs": [{"blob": blob, "name": "bundle.zip"}]}),
        "document": client.post(path, json={"wait": 30, "inputs": [{"document": document}]}),
    }
    for form, answer in answers.items():
        job = answer.json()
        assert (answer.status, job["state"]) == (200, "done"), (form, answer)
        assert job["data"] == want["data"], form
        assert [o["blob"] for o in job["outputs"]] == [o["blob"] for o in want["outputs"]], form
        assert job["inputs"][0]["bytes"] == len(BUNDLE) and job["inputs"][0]["blob"] == blob, form
        assert job["inputs"][0]["name"] == ("bundle.zip" if not form.startswith("raw") else "input"), form


def test_parameters_arrive_in_every_form(client):
    path = "/api/v1/steps/archive.extract"
    form = client.post(path, form=[("wait", 30), ("match", "*.md"), ("match", "*.csv"), ("flatten", "true")],
                       files=["bundle.zip"]).json()
    query = client.post(path, [("wait", 30), ("match", "*.md,*.csv"), ("flatten", "")], body=BUNDLE,
                        headers={"Content-Type": "application/zip"}).json()
    blob = client.post("/api/v1/blobs", body=BUNDLE).json()["blob"]
    body = client.post(path, json={"wait": 30, "params": {"match": ["*.md", "*.csv"], "flatten": True},
                                   "inputs": [{"blob": blob}]}).json()
    assert form["state"] == query["state"] == body["state"] == "done"
    assert form["params"] == query["params"] == body["params"]
    assert form["params"]["match"] == ["*.md", "*.csv"] and form["params"]["flatten"] is True
    assert form["data"] == query["data"] == body["data"]


def test_a_job_shows_its_parameters_with_defaults(client):
    job = client.run("test.sleep")
    assert job["params"] == {"ms": 100} and job["data"]["slept_ms"] >= 100
    assert job["step"] == "test.sleep" and job["queue"] == "default" and job["inputs"] == job["outputs"] == []


def test_secrets_are_never_shown(client, server):
    job = client.run("archive.list", {"password": "tell-nobody"}, files=["bundle.zip"])
    assert job["state"] == "done" and job["params"]["password"] is None
    for path in ("", "/events", "/diagnosis"):
        assert b"tell-nobody" not in client.get(f"/api/v1/jobs/{job['id']}{path}").body
    assert b"tell-nobody" not in client.get("/api/v1/jobs").body and "tell-nobody" not in server.log_text()


def test_unicode_survives(client):
    text = "Größe 中文 🦆 \u0001 \u001f \"\\ end"
    job = client.run("text.stats", {"text": text})
    assert job["params"]["text"] == text and job["data"]["characters"] == len(text)
    job = client.run("file.detect", files=[("Übersicht – größer 🦆.txt", b"plain text\n")])
    assert job["inputs"][0]["name"] == "Übersicht – größer 🦆.txt"


# --- waiting ---

def test_without_wait_the_answer_is_202_and_the_job_is_on_disk(client):
    answer = client.post("/api/v1/steps/test.noop", json={})
    job = answer.json()
    assert answer.status == 202 and job["state"] == "queued" and job["started"] is None
    assert client.wait(job["id"])["state"] == "done"


def test_wait_answers_200_with_the_result(client):
    for wait in (1, 30, 60):
        answer = client.post("/api/v1/steps/test.noop", {"wait": wait})
        assert (answer.status, answer.json()["state"]) == (200, "done")


def test_wait_answers_202_when_the_job_takes_longer(client):
    answer = client.post("/api/v1/steps/test.sleep", json={"params": {"ms": 3600000}, "wait": 1})
    job = answer.json()
    assert answer.status == 202 and job["state"] in ("queued", "running")
    answer = client.get(f"/api/v1/jobs/{job['id']}", {"wait": 1})
    assert (answer.status, answer.json()["state"]) == (202, "running")
    assert client.post(f"/api/v1/jobs/{job['id']}/cancel").json()["state"] == "canceled"


def test_a_failed_job_is_a_200_with_its_reason(client):
    job = client.run("test.fail", {"reason": "input_damaged", "message": "broken at byte 7"})
    assert (job["state"], job["reason"], job["detail"]) == ("failed", "input_damaged", "broken at byte 7")
    assert job["hint"] and job["data"] == {} and job["attempts"] == 1  # such a failure is not tried again


def test_a_delayed_job_waits_for_its_time(client):
    job = client.start("test.noop", delay_ms=3600000).json()
    shown = client.job(job["id"])
    assert shown["state"] == "queued" and shown["run_at"] > shown["created"]
    assert client.post(f"/api/v1/jobs/{job['id']}/cancel").json()["state"] == "canceled"


def test_timeout_ms_limits_an_attempt(client):
    job = client.run("test.sleep", {"ms": 3600000}, timeout_ms=200)
    assert (job["state"], job["reason"]) == ("failed", "limit_time")


# --- validation ---

def test_every_fault_is_named_at_once(client):
    answer = client.post("/api/v1/steps/image.convert", files=["picture.png"], form={
        "width": "wide", "height": "-4", "fit": "squeeze", "quality": "1000", "enlarge": "perhaps", "widht": "3", "wait": "soon"})
    found = faults(answer)
    assert set(found) == {"width", "height", "fit", "quality", "enlarge", "widht", "wait"}
    assert "width" in found["widht"], found          # a suggestion
    assert "crop" in found["fit"], found             # the choices
    assert "-4" in found["height"], found            # the value


def test_wrong_types_in_json(client):
    blob = client.post("/api/v1/blobs", body=BUNDLE).json()["blob"]
    answer = client.post("/api/v1/steps/image.convert", json={
        "inputs": [{"blob": blob}], "attempts": "many", "priority": 1.5, "unknown_option": 1,
        "params": {"width": "100", "quality": 80.5, "enlarge": "yes", "fit": 3, "background": ["red"]}})
    assert set(faults(answer)) >= {"quality", "enlarge", "fit", "background", "attempts", "priority", "unknown_option"}


@pytest.mark.parametrize("params, param", [
    ({}, "text"),                       # required
    ({"text": None}, "text"),           # null counts as not given
    ({"text": "a", "txet": "b"}, "txet"),
    ({"text": 7}, "text"),
])
def test_one_fault(client, params, param):
    problem = client.post(STATS, json={"params": params})
    assert list(faults(problem)) == [param]
    assert problem.json()["param"] == param


@pytest.mark.parametrize("option, value", [
    ("wait", -1), ("wait", 61), ("priority", 101), ("priority", -101), ("attempts", 0), ("attempts", 101), ("delay_ms", -1),
    ("timeout_ms", 0), ("concurrency_key", "k" * 201),
])
def test_options_have_ranges(client, option, value):
    assert list(faults(client.post("/api/v1/steps/test.noop", json={option: value}))) == [option]
    assert list(faults(client.post("/api/v1/steps/test.noop", {option: value}))) == [option]


def test_a_missing_file_is_said(client):
    for answer in (client.post(DETECT, json={}), client.post(DETECT), client.post(DETECT, form={"wait": 1})):
        assert (answer.status, answer.json()["reason"]) == (422, "input_missing"), answer
        assert "multipart" in answer.json()["hint"]


def test_more_files_than_the_step_takes(client):
    answer = client.post(DETECT, files=["words.txt", "bundle.zip"])
    assert answer.status == 400 and "at most 1" in answer.json()["detail"]
    for answer in (client.post("/api/v1/steps/test.noop", files=["words.txt"]),
                   client.post(STATS, body=b'{"params": {"text": "x"}}'),  # and no Content-Type
                   client.post(STATS, body=b"text=x", headers={"Content-Type": "application/x-www-form-urlencoded"})):
        assert answer.status == 400 and "at most 0" in answer.json()["detail"] and "application/json" in answer.json()["hint"]


@pytest.mark.parametrize("body, place", [
    (b'{"params": {"text": "a" "b"}}', "1:25"), (b'{\n "params": {\n  "text": tru }}', "3:11"), (b'{"params": {}', None),
    (b"[1, 2", None), (b"nonsense", "1:1"), (b'{"a": "\xff"}', None),
    (b"[" * 2000, None),
])
def test_malformed_json_is_placed(client, body, place):
    answer = client.post(STATS, body=body, headers={"Content-Type": "application/json"})
    problem = answer.json()
    assert answer.status == 400 and problem["reason"] == "bad_json", answer
    assert "line" in problem["detail"] and "column" in problem["detail"], problem
    if place:
        line, column = place.split(":")
        assert f"line {line}" in problem["detail"] and f"column {column}" in problem["detail"], problem


@pytest.mark.parametrize("body", [[], 7, "text", {"params": []}, {"inputs": {}}, {"inputs": [7]}, {"inputs": [{"file": "x"}]},
                                  {"inputs": [{"document": "job_0000000000000"}]}, {"inputs": [{"blob": "0" * 64}]},
                                  {"inputs": [{"blob": "../../etc/passwd"}]}, {"inputs": [{"document": 5}]}])
def test_json_of_the_wrong_shape(client, body):
    answer = client.post(DETECT, json=body)
    assert answer.status in (400, 404, 422), answer


# --- idempotency ---

def test_the_same_idempotency_key_gives_the_same_job(client):
    head = {"Idempotency-Key": "order-1"}
    first = client.post(STATS, json={"params": {"text": "once"}}, headers=head).json()
    again = client.post(STATS, json={"params": {"text": "once"}, "wait": 30}, headers=head)
    assert (again.status, again.json()["id"], again.json()["state"]) == (200, first["id"], "done")
    # The form does not matter, what is asked does.
    again = client.post(STATS, {"text": "once"}, headers=head)
    assert again.json()["id"] == first["id"]


def test_another_request_under_the_same_key_is_refused(client):
    head = {"Idempotency-Key": "order-2"}
    client.post(STATS, json={"params": {"text": "once"}}, headers=head)
    for answer in (client.post(STATS, json={"params": {"text": "twice"}}, headers=head),
                   client.post("/api/v1/steps/test.noop", json={}, headers=head)):
        assert (answer.status, answer.json()["reason"]) == (422, "idempotency_mismatch")


def test_a_key_of_a_document_is_not_one_of_a_job(client):
    for name, first, second in (("order-5", "/api/v1/documents", DETECT), ("order-6", DETECT, "/api/v1/documents")):
        head = {"Idempotency-Key": name}
        assert client.post(first, files=["words.txt"], headers=head).status in (201, 202)
        for _ in range(2):
            answer = client.post(second, files=["words.txt"], headers=head)
            assert (answer.status, answer.json()["reason"]) == (422, "idempotency_mismatch"), answer


def test_a_key_has_a_longest(client):
    for path in (DETECT, "/api/v1/documents"):
        assert client.post(path, files=["words.txt"], headers={"Idempotency-Key": path[-1] * 255}).status in (201, 202)
        answer = client.post(path, files=["words.txt"], headers={"Idempotency-Key": path[-1] * 256})
        assert (answer.status, answer.json()["param"]) == (422, "Idempotency-Key"), answer


def test_files_belong_to_the_request(client):
    head = {"Idempotency-Key": "order-3"}
    first = client.post(DETECT, files=[("a.txt", b"one\n")], headers=head).json()
    assert client.post(DETECT, files=[("a.txt", b"one\n")], headers=head).json()["id"] == first["id"]
    assert client.post(DETECT, files=[("a.txt", b"two\n")], headers=head).status == 422


def test_without_a_key_every_request_is_a_job(client):
    ids = {client.post("/api/v1/steps/test.noop", json={}).json()["id"] for _ in range(5)}
    assert len(ids) == 5


def test_many_at_once_with_one_key_make_one_job(client):
    import concurrent.futures
    head = {"Idempotency-Key": "order-4"}

    def one(_):
        return client.post("/api/v1/steps/test.sleep", json={"params": {"ms": 50}, "wait": 30}, headers=head).json()["id"]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(one, range(16)))) == 1


def test_what_every_answer_of_a_job_says(client):
    job = client.run("text.stats", {"text": json.dumps({"a": 1})})
    assert job["id"].startswith("job_") and len(job["trace"]) == 32
    assert job["created"] <= job["started"] <= job["finished"]
    assert job["attempts"] == 1 and job["max_attempts"] >= 1
