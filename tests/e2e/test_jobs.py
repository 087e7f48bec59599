"""Jobs: lists, cancel, retry, diagnosis, dead letters, queues."""

import concurrent.futures

import pytest

from platen import SAMPLES, until


def pages(client, path, name, **query):
    """All items of a list, by its cursors; also how many pages there were."""
    items, count = [], 0
    while True:
        answer = client.get(path, query)
        assert answer.status == 200, answer
        page = answer.json()
        count += 1
        items += page[name]
        if "next" not in page:
            return items, count
        query["cursor"] = page["next"]


# --- lists ---

def test_pages_show_every_job_once_newest_first(new_server):
    client = new_server().client()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: client.add("test.noop"), range(230)))
    for limit in (200, 50, 7):
        jobs, count = pages(client, "/api/v1/jobs", "jobs", limit=limit)
        ids = [j["id"] for j in jobs]
        assert sorted(ids) == sorted(made) and ids == sorted(ids, reverse=True)
        assert count == -(-230 // limit)
    # New jobs do not disturb a walk that is under way.
    page = client.get("/api/v1/jobs", {"limit": 10}).json()
    client.run("test.noop")
    more = client.get("/api/v1/jobs", {"limit": 10, "cursor": page["next"]}).json()
    assert [j["id"] for j in page["jobs"] + more["jobs"]] == sorted(made, reverse=True)[:20]
    # A filtered walk is complete, too.
    until(lambda: client.get("/api/v1/jobs", {"state": "queued"}).json()["jobs"] == [], 20)
    failed = [client.run("test.fail", {"reason": "no_text"})["id"] for _ in range(5)]
    jobs, count = pages(client, "/api/v1/jobs", "jobs", limit=2, state="failed")
    assert [j["id"] for j in jobs] == failed[::-1] and count == 3
    jobs, _ = pages(client, "/api/v1/jobs", "jobs", limit=100, state="done", step="test.noop")
    assert len(jobs) == 231


def test_many_by_their_ids(client):
    ids = [client.add("test.noop", delay_ms=3600000) for _ in range(4)]
    named = {"ids": ids[:3]}
    assert client.post("/api/v1/jobs/cancel", json={**named, "dry_run": True}).json() == {"count": 3}
    assert client.post("/api/v1/jobs/cancel", json=named).json() == {"count": 3}
    assert client.job(ids[3])["state"] == "queued"
    assert client.post("/api/v1/jobs/retry", json={"ids": ids[1:]}).json() == {"count": 2}
    assert [client.wait(job)["state"] for job in ids[1:3]] == ["done", "done"]
    assert client.post("/api/v1/jobs/delete", json={"ids": ids[:1]}).json() == {"count": 1}
    assert client.get(f"/api/v1/jobs/{ids[0]}").status == 404
    problem = client.post("/api/v1/jobs/cancel", json={"ids": ["job_x"]}).json()
    assert (problem["param"], problem["reason"]) == ("ids", "bad_param")


def test_what_a_job_has_used_and_who_asked(client):
    job = client.run("text.tokens", files=[SAMPLES / "notes.md"])
    read = client.job(job["id"])
    assert read["usage"] and all(u["amount"] > 0 for u in read["usage"]), read
    assert read["key"].startswith("key_") and read["input"] == "notes.md"
    listed = client.get("/api/v1/jobs", {"q": job["id"]}).json()["jobs"][0]
    assert listed["input"] == "notes.md" and "usage" not in listed


def test_filters(client):
    done = client.run("text.stats", {"text": "filter"})
    failed = client.run("test.fail", {"reason": "no_text"})
    queued = client.add("test.noop", delay_ms=3600000)
    canceled = client.add("test.noop", delay_ms=3600000)
    client.post(f"/api/v1/jobs/{canceled}/cancel")
    running = client.add("test.sleep", {"ms": 3600000})
    client.until_state(running, "running")
    for state, job in (("done", done["id"]), ("failed", failed["id"]), ("queued", queued), ("canceled", canceled), ("running", running)):
        listed = client.get("/api/v1/jobs", {"state": state, "limit": 200}).json()["jobs"]
        assert job in [j["id"] for j in listed] and {j["state"] for j in listed} == {state}
    listed = client.get("/api/v1/jobs", {"state": "queued,running", "limit": 200}).json()["jobs"]
    assert {queued, running} <= {j["id"] for j in listed} and {j["state"] for j in listed} == {"queued", "running"}
    assert client.get("/api/v1/jobs", {"state": "queued,over"}).json()["param"] == "state"
    listed = client.get("/api/v1/jobs", {"queue": "default", "q": queued}).json()["jobs"]
    assert [j["id"] for j in listed] == [queued]
    assert queued in [j["id"] for j in client.get("/api/v1/jobs", {"q": queued[:12], "limit": 200}).json()["jobs"]]
    assert client.get("/api/v1/jobs", {"queue": "nowhere"}).json()["jobs"] == []
    assert client.get("/api/v1/jobs", {"q": "queued"}).json()["param"] == "q"
    key = client.job(queued)["key"]
    assert queued in [j["id"] for j in client.get("/api/v1/jobs", {"key": key, "limit": 200}).json()["jobs"]]
    assert client.get("/api/v1/jobs", {"key": "key_0000000000001"}).json()["jobs"] == []
    assert client.get("/api/v1/jobs", {"key": "mine"}).json()["param"] == "key"
    listed = client.get("/api/v1/jobs", {"step": "text.stats", "limit": 200}).json()["jobs"]
    assert done["id"] in [j["id"] for j in listed] and {j["step"] for j in listed} == {"text.stats"}
    for job in (queued, running):
        assert client.post(f"/api/v1/jobs/{job}/cancel").status == 200


def test_times_of_creation_filter(client):
    import calendar
    import time
    first, second = client.run("test.noop"), client.run("test.noop")
    whole, milli = second["created"].removesuffix("Z").split(".")
    at = calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 1000 + int(milli)
    since = [j["id"] for j in client.get("/api/v1/jobs", {"since_ms": at, "limit": 200}).json()["jobs"]]
    before = [j["id"] for j in client.get("/api/v1/jobs", {"until_ms": at, "limit": 200}).json()["jobs"]]
    assert second["id"] in since and second["id"] not in before and first["id"] not in since and first["id"] in before


@pytest.mark.parametrize("query, status", [
    ({"limit": 0}, 422), ({"limit": 201}, 422), ({"limit": "ten"}, 422), ({"state": "finished"}, 422), ({"colour": "red"}, 422),
    ({"cursor": "nonsense"}, 400), ({"cursor": "doc_06y3vvspw0000"}, 400),
])
def test_bad_queries(client, query, status):
    answer = client.get("/api/v1/jobs", query)
    assert answer.status == status, answer


@pytest.mark.parametrize("job", ["job_0000000000000", "job_", "nonsense", "doc_06y3vvspw0000", "..%2f..%2fetc", "job_" + "z" * 300,
                                 "job_zzzzzzzzzzzzz", "JOB_0000000000000", "%00", "%F0%9F%A6%86"])
def test_no_such_job(client, job):
    for method, path in (("GET", ""), ("POST", "/cancel"), ("POST", "/retry"), ("GET", "/events"), ("GET", "/diagnosis"),
                         ("GET", "/outputs/0")):
        answer = client.request(method, f"/api/v1/jobs/{job}{path}")
        assert answer.status in (400, 404), answer


# --- cancel and retry ---

def test_cancel_a_queued_job(client):
    job = client.add("test.noop", delay_ms=3600000)
    shown = client.post(f"/api/v1/jobs/{job}/cancel").json()
    assert shown["state"] == "canceled" and shown["finished"] and shown["started"] is None
    assert client.event_types(job) == ["job.added", "job.canceled"]


def test_cancel_a_running_job_stops_it(client):
    job = client.add("test.sleep", {"ms": 3600000})
    client.until_state(job, "running")
    shown = client.post(f"/api/v1/jobs/{job}/cancel").json()
    assert shown["state"] == "canceled"
    assert client.job(job)["state"] == "canceled"
    # Its thread is free again: as many as there are cores go on.
    assert all(client.run("test.sleep", {"ms": 1})["state"] == "done" for _ in range(4))


def test_cancel_twice_and_after_the_end(client):
    job = client.add("test.noop", delay_ms=3600000)
    assert client.post(f"/api/v1/jobs/{job}/cancel").status == 200
    answer = client.post(f"/api/v1/jobs/{job}/cancel")
    assert (answer.status, answer.json()["reason"]) == (409, "conflict")
    for job in (client.run("test.noop"), client.run("test.fail", {"reason": "no_text"})):
        answer = client.post(f"/api/v1/jobs/{job['id']}/cancel")
        assert (answer.status, answer.json()["reason"]) == (409, "conflict")


def test_waiting_for_a_job_ends_with_its_cancel(client):
    job = client.add("test.sleep", {"ms": 3600000})
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(client.get, f"/api/v1/jobs/{job}", {"wait": 60}) for _ in range(4)]
        client.until_state(job, "running")
        client.post(f"/api/v1/jobs/{job}/cancel")
        assert [w.result().json()["state"] for w in waiting] == ["canceled"] * 4


def test_retry_runs_a_failed_or_canceled_job_again(client):
    failed = client.run("test.fail", {"reason": "no_text"})
    canceled = client.add("test.sleep", {"ms": 300}, delay_ms=3600000)
    client.post(f"/api/v1/jobs/{canceled}/cancel")
    for job, end in ((failed["id"], "failed"), (canceled, "done")):
        answer = client.post(f"/api/v1/jobs/{job}/retry")
        assert (answer.status, answer.json()["id"]) == (202, job), answer  # queued, or already further
        assert client.wait(job)["state"] == end
    assert "job.retried" in client.event_types(canceled)


def test_retry_of_what_has_not_failed(client):
    done, queued = client.run("test.noop")["id"], client.add("test.noop", delay_ms=3600000)
    for job in (done, queued):
        answer = client.post(f"/api/v1/jobs/{job}/retry")
        assert (answer.status, answer.json()["reason"]) == (409, "conflict")
    client.post(f"/api/v1/jobs/{queued}/cancel")


def test_attempts_are_made_until_one_succeeds(client):
    job = client.run("test.fail", {"reason": "io", "until_attempt": 2}, attempts=3, wait=60)
    assert (job["state"], job["attempts"], job["max_attempts"], job["data"]) == ("done", 2, 3, {"attempt": 2})
    assert client.event_types(job["id"]) == ["job.added", "task.started", "task.retry", "task.started", "task.done", "job.done"]


def test_a_reason_that_never_gets_better_is_not_tried_again(client):
    job = client.run("test.fail", {"reason": "input_damaged"}, attempts=5)
    assert (job["state"], job["attempts"]) == ("failed", 1)


def test_priority_goes_first(new_server):
    client = new_server(args=["--threads", "1"]).client()
    picture = client.post("/api/v1/blobs", body=(SAMPLES / "photo.jpg").read_bytes()).json()["blob"]

    def add(priority):
        answer = client.post("/api/v1/steps/image.convert", json={"inputs": [{"blob": picture}], "priority": priority})
        return answer.json()["id"]
    low = [add(-5) for _ in range(20)]
    high = client.wait(add(50))
    assert (high["state"], high["priority"]) == ("done", 50)
    assert high["started"] < max(client.wait(job)["started"] for job in low)


# --- diagnosis ---

def diagnosis(client, job):
    answer = client.get(f"/api/v1/jobs/{job}/diagnosis")
    assert answer.status == 200, answer
    return answer.json()


def test_diagnosis_of_a_job_that_is_done(client):
    job = client.run("test.sleep", {"ms": 20})
    d = diagnosis(client, job["id"])
    assert (d["job"], d["step"], d["state"], d["trace"]) == (job["id"], "test.sleep", "done", job["trace"])
    assert "reason" not in d and "cause" not in d and d["verdict"] and d["ran_ms"] >= 20
    types = [e["type"] for e in d["timeline"]]
    assert types[0] == "job.added" and types[-1] == "job.done"
    assert all(e["meaning"] for e in d["timeline"])
    after = [e["after_ms"] for e in d["timeline"]]
    assert after[0] == 0 and after == sorted(after)


def test_diagnosis_of_a_job_that_failed(client):
    job = client.run("test.fail", {"reason": "input_encrypted", "message": "page tree is locked"})
    d = diagnosis(client, job["id"])
    assert (d["state"], d["reason"], d["detail"], d["retries"]) == ("failed", "input_encrypted", "page tree is locked", "never")
    assert "encrypted" in d["meaning"] and "password" in d["remedy"]
    assert d["cause"]["type"].startswith("task.") and d["cause"] in d["timeline"]


def test_diagnosis_of_a_job_that_needed_a_second_attempt(client):
    job = client.run("test.fail", {"reason": "io", "until_attempt": 2}, attempts=2, wait=60)
    d = diagnosis(client, job["id"])
    assert d["state"] == "done" and (d["attempts"], d["max_attempts"]) == (2, 2) and "failed" in d["verdict"]
    assert (d["cause"]["type"], d["cause"]["data"]["reason"]) == ("task.retry", "io")


def test_diagnosis_while_it_waits(client):
    job = client.add("test.noop", delay_ms=3600000)
    d = diagnosis(client, job)
    assert d["state"] == "queued" and "start time" in d["verdict"] and d["ran_ms"] == 0
    client.post(f"/api/v1/jobs/{job}/cancel")
    assert diagnosis(client, job)["state"] == "canceled"


# --- dead letters and queues ---

def test_dead_letters(new_server):
    client = new_server().client()
    assert client.get("/api/v1/dead-letters").json() == {"dead_letters": []}
    jobs = [client.run("test.fail", {"reason": "io", "message": f"number {i}"}, attempts=1) for i in range(5)]
    letters, count = pages(client, "/api/v1/dead-letters", "dead_letters", limit=2)
    assert count == 3 and [d["job"] for d in letters] == [j["id"] for j in jobs[::-1]]
    assert letters[0]["reason"] == "io" and letters[0]["detail"] == "number 4" and letters[0]["attempts"] == 1
    assert client.event_types(jobs[0]["id"])[-3:] == ["task.failed", "task.dead", "job.failed"]
    assert client.get("/api/v1/dead-letters", {"queue": "default"}).json()["dead_letters"][0] == letters[0]
    assert client.get("/api/v1/dead-letters", {"queue": "image"}).json()["dead_letters"] == []

    queue = next(q for q in client.get("/api/v1/queues").json()["queues"] if q["name"] == "default")
    assert queue["dead"] == 5 and queue["ready"] == queue["leased"] == 0

    one = letters[0]
    assert client.post(f"/api/v1/dead-letters/{one['id']}/redrive").json() == {"count": 1}
    job = client.wait(one["job"])
    assert job["state"] == "failed" and job["attempts"] == 2  # it ran again, and died again
    until(lambda: len(client.get("/api/v1/dead-letters").json()["dead_letters"]) == 5)

    gone = letters[1]
    assert client.delete(f"/api/v1/dead-letters/{gone['id']}").json() == {"count": 1}
    assert client.job(gone["job"])["state"] == "failed"
    for answer in (client.delete(f"/api/v1/dead-letters/{gone['id']}"), client.post(f"/api/v1/dead-letters/{gone['id']}/redrive")):
        assert answer.status == 404, answer

    assert client.post("/api/v1/dead-letters/redrive").json() == {"count": 4}
    until(lambda: len(client.get("/api/v1/dead-letters").json()["dead_letters"]) == 4)
    assert all(client.wait(j["id"])["state"] == "failed" for j in jobs)


def test_what_waits_is_in_its_queue(new_server):
    client = new_server().client()
    job = client.add("test.noop", delay_ms=3600000)
    queue = next(q for q in client.get("/api/v1/queues").json()["queues"] if q["name"] == "default")
    assert (queue["ready"], queue["delayed"], queue["leased"], queue["dead"]) == (0, 1, 0, 0)
    client.post(f"/api/v1/jobs/{job}/cancel")
    assert all(q["delayed"] == 0 for q in client.get("/api/v1/queues").json()["queues"])
