"""Schedules: over HTTP and on the command line, fired by a real clock, through kills."""

import json
import time
from datetime import datetime, timedelta, timezone

import pytest

from platen import cli, until

PATH = "/api/v1/schedules"


def parse(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@pytest.fixture
def schedule(client):
    """schedule(name, **fields): makes one that is gone after the test."""
    made = []

    def make(name, **fields):
        fields = {"step": "test.noop", **fields} if "pipeline" not in fields else fields
        answer = client.post(PATH, json={"name": name, **fields})
        assert answer.status == 201, answer
        made.append(name)
        return answer.json()

    yield make
    for name in made:
        client.delete(f"{PATH}/{name}")


def test_a_schedule_from_its_making_to_its_end(client, schedule):
    made = schedule("report", cron="0 9 * * mon-fri", zone="Europe/Berlin", step="text.stats", params={"text": "hello"},
                    missed="all", overlap="skip", jitter_ms=5000)
    assert made["words"] == "At 09:00 on weekdays, Europe/Berlin"
    assert (made["missed"], made["make_up_max"], made["overlap"], made["fired"]) == ("all", 100, "skip", 0)
    assert parse(made["next"]) > datetime.now(timezone.utc)
    assert client.get(f"{PATH}/report").json() == made
    assert made in client.get(PATH).json()["schedules"]

    again = client.post(PATH, json={"name": "report", "cron": "@daily", "step": "test.noop"})
    assert (again.status, again.json()["reason"]) == (409, "conflict")
    changed = client.request("PUT", f"{PATH}/report", json={"every": "1h30m", "step": "test.noop"})
    assert changed.status == 200 and changed.json()["cron"] == "@every 1h30m"
    assert changed.json()["created"] == made["created"]
    renamed = client.request("PUT", f"{PATH}/report", json={"name": "other", "every": "1h", "step": "test.noop"})
    assert (renamed.status, renamed.json()["param"]) == (422, "name")

    assert client.post(f"{PATH}/report/pause").json()["next"] is None
    job = client.post(f"{PATH}/report/run", headers={"Idempotency-Key": "once"})
    assert job.status == 202 and job.json()["step"] == "test.noop"
    same = client.post(f"{PATH}/report/run", headers={"Idempotency-Key": "once"})
    assert same.json()["id"] == job.json()["id"]
    now = client.get(f"{PATH}/report").json()
    assert (now["last_job"], now["fired"], now["paused"]) == (job.json()["id"], 1, True)
    assert client.wait(job.json()["id"])["state"] == "done"
    assert client.post(f"{PATH}/report/resume").json()["next"] is not None

    assert client.delete(f"{PATH}/report").status == 204
    for method, path in [("GET", ""), ("DELETE", ""), ("POST", "/run"), ("POST", "/pause"), ("GET", "/preview")]:
        answer = client.request(method, f"{PATH}/report{path}")
        assert (answer.status, answer.json()["reason"]) == (404, "not_found")


@pytest.mark.parametrize("fields, param", [
    ({"cron": "0 99 * * *"}, "cron"), ({"cron": "0 0 30 2 *"}, "cron"), ({}, "cron"), ({"cron": "@daily", "every": "1s"}, "cron"),
    ({"every": "10ms"}, "cron"), ({"cron": "@daily", "zone": "Mars/Base"}, "zone"), ({"cron": "@daily", "zone": "../etc"}, "zone"),
    ({"cron": "@daily", "pipeline": "p"}, "step"), ({"cron": "@daily", "step": "text.stats"}, "text"),
    ({"cron": "@daily", "start": "tomorrow"}, "start"), ({"cron": "@daily", "missed": "never"}, "missed"),
    ({"cron": "@daily", "params": {"x": 1}}, "x"), ({"cron": "@daily", "inputs": {"x": 1}}, "inputs"),
    ({"cron": "@daily", "priority": 1000}, "priority"), ({"cron": "@daily", "name": "Not This"}, "name"),
    ({"cron": "@daily", "queue": "No Queue"}, "queue"), ({"cron": "@daily", "jitter_ms": -1}, "jitter_ms"),
])
def test_what_is_wrong_is_named(client, fields, param):
    answer = client.post(PATH, json={"name": "wrong", "step": "test.noop", **fields})
    assert (answer.status, answer.json()["reason"], answer.json()["param"]) == (422, "bad_param", param), answer.json()
    assert client.get(f"{PATH}/wrong").status == 404


def test_other_refusals(client):
    unknown = client.post(PATH, json={"name": "wrong", "step": "no.step", "cron": "@daily"})
    assert unknown.json()["reason"] == "unknown_step"
    file = client.post(PATH, json={"name": "wrong", "step": "document.extract", "cron": "@daily"})
    assert file.json()["reason"] == "input_missing"


def test_previews(client, schedule):
    body = {"cron": "30 2 * * *", "zone": "Europe/Berlin", "start": "2027-03-27T00:00:00Z", "count": 3}
    spring = client.post(f"{PATH}/preview", json=body).json()
    assert [t["local"] for t in spring["times"]] == [
        "2027-03-27T02:30:00+01:00", "2027-03-28T03:00:00+02:00", "2027-03-29T02:30:00+02:00"]
    autumn = client.post(f"{PATH}/preview", json={**body, "cron": "*/30 2 * * *", "start": "2027-10-31T00:00:00Z", "count": 4})
    assert [t["time"][11:16] for t in autumn.json()["times"]] == ["00:00", "00:30", "01:00", "01:30"]
    over = client.post(f"{PATH}/preview", json={**body, "end": "2027-03-28T00:00:00Z"}).json()
    assert len(over["times"]) == 1

    made = schedule("shown", every="1h")
    times = client.get(f"{PATH}/shown/preview", {"count": 3}).json()["times"]
    assert [t["time"] for t in times] == [
        (parse(made["next"]) + timedelta(hours=n)).isoformat(timespec="milliseconds").replace("+00:00", "Z") for n in range(3)]


def test_it_fires_on_time_and_says_so(client, schedule):
    made = schedule("pulse", every="1s")
    fired = until(lambda: (s := client.get(f"{PATH}/pulse").json())["fired"] >= 2 and s, why="two firings")
    assert client.wait(fired["last_job"])["state"] == "done"
    late = parse(fired["last_fired"]) - parse(fired["last_time"])
    assert timedelta(0) <= late < timedelta(seconds=30)
    assert (parse(fired["last_time"]) - parse(made["next"])) % timedelta(seconds=1) == timedelta(0)


def test_what_a_dead_server_missed(new_server):
    """Killed for a while: each time is done once, and what was missed is made up as asked."""
    server = new_server()
    client = server.client()
    for missed in ("skip", "all"):
        client.post(PATH, json={"name": missed, "every": "1s", "step": "test.noop", "missed": missed})
    until(lambda: client.get(f"{PATH}/all").json()["fired"] >= 1)
    server.kill()
    time.sleep(2.5)  # the time that is missed
    server.start()
    client = server.client()
    started = parse(client.get(f"{PATH}/all").json()["created"])
    until(lambda: parse(client.get(f"{PATH}/all").json()["last_time"]) >= started + timedelta(seconds=5))
    for name in ("skip", "all"):
        client.post(f"{PATH}/{name}/pause")
    every, some = client.get(f"{PATH}/all").json(), client.get(f"{PATH}/skip").json()
    jobs = client.get("/api/v1/jobs", {"limit": 200}).json()["jobs"]
    assert every["skipped"] == 0 and len(jobs) == every["fired"] + some["fired"]
    seconds = (parse(every["last_time"]) - started).total_seconds()
    assert every["fired"] == round(seconds)
    assert some["skipped"] >= 1 and some["fired"] + some["skipped"] == round(
        (parse(some["last_time"]) - parse(some["created"])).total_seconds())
    assert "missed" in some["skip_reason"]


def test_overlap_skip_and_cancel(client, schedule):
    schedule("slow", every="1s", step="test.sleep", params={"ms": 60000}, overlap="skip")
    schedule("newest", every="1s", step="test.sleep", params={"ms": 60000}, overlap="cancel")
    slow = until(lambda: (s := client.get(f"{PATH}/slow").json())["skipped"] >= 1 and s, why="a skipped time")
    assert slow["fired"] == 1 and slow["skip_reason"] == "the job before has not ended"
    assert client.post(f"{PATH}/slow/run").json()["reason"] == "conflict"
    newest = until(lambda: (s := client.get(f"{PATH}/newest").json())["fired"] >= 2 and s, why="two firings")
    canceled = [j for j in client.get("/api/v1/jobs", {"state": "canceled", "step": "test.sleep"}).json()["jobs"]]
    assert newest["last_job"] not in [j["id"] for j in canceled[1:]] and canceled
    for name in ("slow", "newest"):
        client.post(f"{PATH}/{name}/pause")
        client.post(f"/api/v1/jobs/{client.get(f'{PATH}/{name}').json()['last_job']}/cancel")


DEFINITION = """
name: by-clock
inputs:
  tone: {type: text, default: plain}
on:
  schedule:
    - {every: 1s, with: {tone: warm}, overlap: allow}
    - {cron: "0 9 * * mon-fri", zone: Europe/Berlin}
steps:
  a: {uses: test.noop}
"""


def test_a_pipeline_by_the_clock(client, schedule):
    stored = client.request("PUT", "/api/v1/pipelines/by-clock", body=DEFINITION.encode(), headers={"Content-Type": "application/yaml"})
    assert stored.status in (200, 201), stored.text()
    fired = until(lambda: (s := client.get(f"{PATH}/by-clock").json())["fired"] >= 1 and s, why="a firing")
    assert (fired["declared_by"], fired["pipeline"], fired["params"]) == ("by-clock", "by-clock", {"tone": "warm"})
    assert client.wait(fired["last_job"])["state"] == "done"
    assert client.get(f"{PATH}/by-clock.2").json()["words"] == "At 09:00 on weekdays, Europe/Berlin"
    assert client.delete(f"{PATH}/by-clock").json()["reason"] == "conflict"

    own = schedule("own", pipeline="by-clock", inputs={"tone": "cold"}, cron="@yearly")
    assert own["params"] == {"tone": "cold"}
    assert client.wait(client.post(f"{PATH}/own/run").json()["id"])["state"] == "done"
    wrong = client.post(PATH, json={"name": "w", "pipeline": "by-clock", "cron": "@daily", "inputs": {"size": 1}}).json()
    assert (wrong["reason"], wrong["param"]) == ("bad_param", "size")
    assert client.post(PATH, json={"name": "w", "pipeline": "nowhere", "cron": "@daily"}).json()["reason"] == "unknown_pipeline"

    assert client.delete("/api/v1/pipelines/by-clock").status == 204
    assert client.get(f"{PATH}/by-clock").status == 404


def test_on_the_command_line(server):
    to = ("--server", server.url, "--key", server.key)
    made = cli("schedules", "create", "by-hand", "--cron", "0 9 * * mon-fri", "--zone", "Europe/Berlin", "--step", "text.stats",
               "--params", '{"text": "hello"}', *to, check=0).stdout
    assert "At 09:00 on weekdays, Europe/Berlin" in made
    assert "by-hand" in cli("schedules", *to, check=0).stdout
    assert json.loads(cli("schedules", "show", "by-hand", "--json", *to, check=0).stdout)["params"] == {"text": "hello"}
    assert "paused" in cli("schedules", "pause", "by-hand", *to, check=0).stdout
    assert "job_" in cli("schedules", "run", "by-hand", *to, check=0).stdout
    cli("schedules", "resume", "by-hand", *to, check=0)
    assert len(cli("schedules", "preview", "by-hand", "--count", "2", *to, check=0).stdout.splitlines()) == 3
    shown = cli("schedules", "preview", "--cron", "0 0 L * *", *to, check=0).stdout
    assert shown.startswith("At 00:00 on the last day of the month, UTC")
    cli("schedules", "create", "by-hand", "--every", "1d", "--step", "test.noop", "--replace", *to, check=0)
    assert "cron" in cli("schedules", "create", "x", "--cron", "a b", "--step", "test.noop", *to, check=2).stderr
    assert "usage" in cli("schedules", "mend", *to, check=2).stderr
    cli("schedules", "delete", "by-hand", *to, check=0)
    assert "no schedule" in cli("schedules", "show", "by-hand", *to, check=1).stderr
