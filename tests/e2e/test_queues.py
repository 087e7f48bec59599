"""Queues: settings, pause, drain, purge, keys, deadlines, and verbs for many jobs."""

import json
import time

import pytest

from platen import cli, until


def queue(client, name):
    return client.get(f"/api/v1/queues/{name}").json()


def put(client, name, scope="project", **settings):
    return client.request("PUT", f"/api/v1/queues/{name}", query={"scope": scope}, json=settings)


def act(client, name, verb, **query):
    answer = client.post(f"/api/v1/queues/{name}/{verb}", query)
    assert answer.status == 200, answer
    return answer.json()


def states(client, jobs):
    return [client.job(j)["state"] for j in jobs]


def most_running(client, name, jobs):
    """How many tasks of the queue ran at once, at most, until all jobs had ended: one look is one snapshot."""
    most = 0
    while True:
        most = max(most, queue(client, name)["leased"])
        if not {"queued", "running"} & set(states(client, jobs)):
            return most


def test_a_queue_that_nobody_has_used(client):
    assert queue(client, "never") == {"name": "never", "ready": 0, "delayed": 0, "blocked": 0, "leased": 0, "dead": 0,
                                      "oldest_ms": 0, "paused": False, "draining": False}
    assert client.get("/api/v1/queues/Never").status == 404


def test_settings_are_replaced_and_read(client):
    answer = put(client, "set-me", concurrency=4, rate=100, retention_ms=-1)
    assert answer.status == 200, answer
    wanted = {"paused": False, "draining": False, "concurrency": 4, "rate": 100, "key_rate": 0, "rate_window_ms": 1000,
              "weight": 1, "retention_ms": -1, "runners": 0}
    assert answer.json()["settings"] == queue(client, "set-me")["settings"] == wanted
    act(client, "set-me", "pause")
    changed = put(client, "set-me", weight=3).json()
    assert changed["settings"] == {**wanted, "paused": True, "concurrency": 0, "rate": 0, "retention_ms": 0, "weight": 3}
    assert "set-me" in [q["name"] for q in client.get("/api/v1/queues").json()["queues"]]
    assert "settings_for_all" not in changed
    for_all = put(client, "set-me", scope="all", runners=2).json()
    assert for_all["settings_for_all"]["runners"] == 2 and for_all["settings"]["weight"] == 3


@pytest.mark.parametrize("scope, body, param", [
    ("project", {"concurrency": -1}, "concurrency"), ("project", {"weight": 0}, "weight"), ("project", {"runners": 2}, "runners"),
    ("all", {"weight": 2}, "weight"), ("project", {"speed": 1}, "speed"), ("some", {}, "scope")])
def test_settings_that_cannot_be(client, scope, body, param):
    answer = put(client, "bad", scope=scope, **body)
    assert answer.status == 422 and param in answer.text(), answer


def test_pause_and_resume(client):
    act(client, "halted", "pause")
    job = client.add("test.noop", queue="halted")
    other = client.run("test.noop", queue="not-halted")
    assert other["state"] == "done" and other["queue"] == "not-halted"
    assert client.job(job)["state"] == "queued"
    assert "paused" in client.get(f"/api/v1/jobs/{job}/diagnosis").json()["verdict"]
    shown = queue(client, "halted")
    assert shown["paused"] and shown["ready"] == 1
    act(client, "halted", "resume")
    assert client.wait(job)["state"] == "done"


def test_drain(client):
    act(client, "drained", "pause")
    before = client.add("test.noop", queue="drained")
    act(client, "drained", "drain")
    refused = client.request("POST", "/api/v1/steps/test.noop", query={"queue": "drained"})
    assert (refused.status, refused.json()["reason"]) == (503, "queue_draining")
    act(client, "drained", "resume")
    assert client.wait(before)["state"] == "done"
    assert client.run("test.noop", queue="drained")["state"] == "done"


def test_purge_cancels_what_waits(client):
    act(client, "purged", "pause")
    jobs = [client.add("test.noop", queue="purged", **({"delay_ms": 100000} if n % 2 else {})) for n in range(6)]
    assert act(client, "purged", "purge") == {"count": 6}
    assert states(client, jobs) == ["canceled"] * 6
    act(client, "purged", "resume")


def test_a_limit_of_what_runs_at_once(client):
    put(client, "tight", concurrency=2)
    jobs = [client.add("test.sleep", {"ms": 150}, queue="tight") for _ in range(6)]
    assert most_running(client, "tight", jobs) == 2 and states(client, jobs) == ["done"] * 6


def test_a_queue_of_outside_workers_takes_no_ordinary_steps(client):
    assert client.request("POST", "/api/v1/queues/elsewhere/tasks", json={"payload": 1}).status == 202
    refused = client.request("POST", "/api/v1/steps/test.noop", query={"queue": "elsewhere"})
    assert (refused.status, refused.json()["param"]) == (422, "queue"), refused


def test_a_concurrency_key(client):
    jobs = [client.add("test.sleep", {"ms": 100}, queue="keyed", concurrency_key="customer-7") for _ in range(5)]
    assert most_running(client, "keyed", jobs) == 1 and states(client, jobs) == ["done"] * 5
    started = [client.job(j)["started"] for j in jobs]
    assert started == sorted(started)


def test_a_unique_key(client):
    first = client.start("test.sleep", {"ms": 60000}, unique_key="report")
    again = client.start("test.sleep", {"ms": 1}, unique_key="report")
    assert again.json()["id"] == first.json()["id"] and again.json()["params"] == first.json()["params"]
    client.post(f"/api/v1/jobs/{first.json()['id']}/cancel")
    third = client.run("test.sleep", {"ms": 1}, unique_key="report")
    assert third["state"] == "done" and third["id"] != first.json()["id"]


def test_a_deadline_stops_running_work(client):
    job = client.add("test.sleep", {"ms": 60000}, deadline_ms=300)
    ended = client.wait(job)
    assert (ended["state"], ended["reason"]) == ("failed", "deadline_passed")
    assert client.event_types(job) [-1] == "job.failed"
    until(lambda: queue(client, "default")["leased"] == 0, 10, "the work that was stopped")


def test_a_job_that_may_not_wait(client):
    act(client, "too-late", "pause")
    job = client.add("test.noop", queue="too-late", start_within_ms=100)
    ended = client.wait(job)
    assert (ended["state"], ended["reason"]) == ("failed", "start_too_late")
    act(client, "too-late", "resume")


def test_many_jobs(client):
    act(client, "many-jobs", "pause")
    jobs = [client.add("test.noop", queue="many-jobs") for _ in range(7)]
    assert client.post("/api/v1/jobs/cancel", json={"queue": "many-jobs", "dry_run": True}).json() == {"count": 7}
    assert states(client, jobs) == ["queued"] * 7
    assert client.post("/api/v1/jobs/cancel", json={"queue": "many-jobs", "step": "test.other"}).json() == {"count": 0}
    assert client.post("/api/v1/jobs/cancel", json={"queue": "many-jobs"}).json() == {"count": 7}
    act(client, "many-jobs", "resume")
    assert client.post("/api/v1/jobs/retry", json={"queue": "many-jobs", "state": "canceled"}).json() == {"count": 7}
    until(lambda: states(client, jobs) == ["done"] * 7, 10, "the jobs that ran again")
    assert client.post("/api/v1/jobs/delete", json={"queue": "many-jobs", "state": "failed"}).json() == {"count": 0}
    assert client.post("/api/v1/jobs/delete", json={"queue": "many-jobs"}).json() == {"count": 7}
    assert [client.get(f"/api/v1/jobs/{j}").status for j in jobs] == [404] * 7
    wrong = client.post("/api/v1/jobs/cancel", json={"state": "done"})
    assert wrong.status == 422, wrong


def test_letters_of_a_reason(client):
    act(client, "letters-of", "resume")
    for reason in ("no_text", "no_text", "input_damaged"):
        client.run("test.fail", {"reason": reason}, queue="letters-of")
    redrive = "/api/v1/dead-letters/redrive"
    assert client.post(redrive, json={"queue": "letters-of", "reason": "no_text", "dry_run": True}).json() == {"count": 2}
    assert client.post(redrive, json={"queue": "letters-of", "reason": "no_text"}).json() == {"count": 2}


def test_an_old_job_goes(new_server):
    server = new_server(args=["--retention", "1s"])
    job = server.client().run("test.noop")["id"]
    server.stop()
    ended = time.time()
    until(lambda: time.time() > ended + 1.5)  # old now: the next start looks
    server.start()
    until(lambda: server.client().get(f"/api/v1/jobs/{job}").status == 404, 10, "the end of an old job")


def test_slots_and_settings_survive_a_kill(new_server, tmp_path):
    server = new_server()
    client = server.client()
    put(client, "kept", concurrency=1)
    jobs = [client.add("test.sleep", {"ms": 200}, concurrency_key="k") for _ in range(4)]
    until(lambda: "running" in states(client, jobs))
    server.kill()
    server.start()
    client = server.client()
    assert queue(client, "kept")["settings"]["concurrency"] == 1
    for job in jobs:
        assert client.wait(job)["state"] == "done"
    server.stop()
    report = json.loads(cli("doctor", "--full", "--json", "--engines", str(tmp_path), "--data", str(server.data)).stdout)
    assert [c["found"] for c in report["checks"] if c["check"] == "slots"] == ["every concurrency key counts right"], report


def test_the_command(new_server):
    server = new_server()
    where = ["--data", str(server.data)]
    assert "4 at once" in cli("queues", "set", "document", "--concurrency", "4", "--retention", "30d", *where, check=0).stdout
    shown = json.loads(cli("queues", "show", "document", "--json", *where, check=0).stdout)
    assert shown["settings"]["concurrency"] == 4 and shown["settings"]["retention_ms"] == 30 * 86400 * 1000
    cli("queues", "set", "document", "--rate", "9", *where, check=0)
    shown = json.loads(cli("queues", "show", "document", "--json", *where, check=0).stdout)
    assert (shown["settings"]["concurrency"], shown["settings"]["rate"]) == (4, 9)
    assert "paused" in cli("queues", "pause", "document", *where, check=0).stdout
    assert "paused" in cli("queues", *where, check=0).stdout
    assert "open" in cli("queues", "resume", "document", *where, check=0).stdout
    assert cli("queues", "purge", "document", *where, check=0).stdout == "0 cancelled\n"
    assert cli("queues", "stop", "document", *where).returncode == 2
    assert cli("queues", "set", "document", "--retention", "soon", *where).returncode == 2


def test_many_jobs_by_command(new_server):
    server = new_server()
    client, where = server.client(), ["--data", str(server.data)]
    act(client, "many-here", "pause")
    jobs = [client.add("test.noop", queue="many-here") for _ in range(3)]
    assert cli("jobs", "cancel", "--queue", "many-here", "--dry-run", *where, check=0).stdout == "3 jobs would change\n"
    assert cli("jobs", "cancel", "--queue", "many-here", *where, check=0).stdout == "3 jobs changed\n"
    assert states(client, jobs) == ["canceled"] * 3
    assert json.loads(cli("jobs", "delete", "--state", "canceled", "--json", *where, check=0).stdout) == {"count": 3}
    assert cli("jobs", "delete", *where).returncode == 2  # not all of them by leaving something out
    assert cli("jobs", "delete", jobs[0], *where).returncode == 2


def test_dead_letters_are_listed_and_removed_by_filter(new_server):
    client = new_server().client()
    jobs = {reason: [client.run("test.fail", {"reason": reason}, attempts=1, queue=q)["id"] for q in ("one", "two")]
            for reason in ("internal", "input_damaged")}
    def letters(**query):
        return sorted(d["job"] for d in client.get("/api/v1/dead-letters", query).json()["dead_letters"])
    assert letters(reason="internal") == sorted(jobs["internal"]) and letters(step="no.such") == []
    assert letters(queue="one", reason="input_damaged") == jobs["input_damaged"][:1] and len(letters(step="test.fail")) == 4

    def remove(**body):
        answer = client.post("/api/v1/dead-letters/delete", json=body)
        assert answer.status == 200, answer
        return answer.json()["count"]
    assert remove(reason="internal", dry_run=True) == 2 and len(letters()) == 4
    assert remove(reason="internal", queue="two") == 1 and remove(until_ms=1) == 0
    assert letters() == sorted(jobs["input_damaged"] + jobs["internal"][:1])
    assert states(client, jobs["internal"]) == ["failed", "failed"]  # the jobs stay
    assert remove() == 3 and letters() == []


def test_purge_says_first_what_it_would_cancel(client):
    act(client, "purge-me", "pause")
    jobs = [client.add("test.noop", queue="purge-me") for _ in range(3)]
    assert act(client, "purge-me", "purge", dry_run="true")["count"] == 3
    assert states(client, jobs) == ["queued"] * 3
    assert act(client, "purge-me", "purge")["count"] == 3 and states(client, jobs) == ["canceled"] * 3


def test_what_a_queue_did_lately(new_server):
    client = new_server().client()
    for _ in range(3):
        client.run("test.sleep", {"ms": 40}, queue="busy")
    client.run("test.fail", {"reason": "internal"}, attempts=1, queue="busy")
    got = client.get("/api/v1/queues/busy/history").json()
    assert got["span"] == "hour" and got["bucket_ms"] == 60000 and 1 <= len(got["points"]) <= 2
    assert sum(p["started"] for p in got["points"]) == sum(p["ended"] for p in got["points"]) == 4
    assert sum(p["failed"] for p in got["points"]) == 1
    busy = max(got["points"], key=lambda p: p["ended"])
    assert 30 <= busy["run_p95_ms"] <= 1000 and busy["wait_p50_ms"] >= 0
    day = client.get("/api/v1/queues/busy/history", {"span": "day"}).json()
    assert sum(p["ended"] for p in day["points"]) == 4 and day["bucket_ms"] == 1800000
    never = client.get("/api/v1/queues/never/history").json()["points"]
    assert never and all(p["ended"] == 0 and p["wait_p50_ms"] is None for p in never)
    assert client.get("/api/v1/queues/busy/history", {"span": "week"}).status == 422
