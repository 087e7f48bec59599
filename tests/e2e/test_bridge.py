"""Bridges to Cloudflare Queues, against a counterpart that speaks their API."""

import json

import pytest

import platen
from cloudflare import Cloudflare
from platen import cli, until

ENV = {"CLOUDFLARE_API_TOKEN": Cloudflare.TOKEN, "CLOUDFLARE_ACCOUNT_ID": Cloudflare.ACCOUNT, "PLATEN_BRIDGE_WRONG": "nonsense"}
ARGS = ["--allow-private", "127.0.0.0/8"]


@pytest.fixture
def cloud():
    c = Cloudflare()
    yield c
    c.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    s = platen.Server(tmp_path_factory.mktemp("bridge"), args=ARGS, env=ENV)
    yield s
    s.stop()


@pytest.fixture
def client(server):
    c = server.client()
    yield c
    for b in c.get("/api/v1/bridges").json()["bridges"]:
        assert c.delete(f"/api/v1/bridges/{b['name']}").status == 204


def add(client, cloud, **body):
    answer = client.post("/api/v1/bridges", json={"base_url": cloud.url, **body})
    assert answer.status == 201, answer
    return answer.json()


def status(client, name):
    found, = [b["status"] for b in client.get("/api/v1/bridges").json()["bridges"] if b["name"] == name]
    return found


def lease(client, queue, **more):
    return client.post(f"/api/v1/queues/{queue}/lease", json=more).json()["tasks"]


def finish(client, task):
    assert client.post(f"/api/v1/tasks/{task['id']}/complete", json={"attempt": task["attempt"]}).status == 200


def test_messages_become_tasks(client, cloud):
    remote = cloud.queue("orders")
    cloud.put(remote, {"order": 1})
    cloud.put(remote, "plain words", kind="text")
    cloud.put(remote, b"\x00\xff", kind="bytes")
    add(client, cloud, name="orders", remote=remote, queue="cf-orders")
    tasks = []
    until(lambda: tasks.extend(lease(client, "cf-orders", max=10, wait=5)) or len(tasks) == 3, why="three tasks")
    assert sorted(json.dumps(t["payload"]) for t in tasks) == ['"plain words"', '{"bytes": "AP8="}', '{"order": 1}']
    until(lambda: cloud.waiting(remote) == 0, why="the acknowledgement")
    for t in tasks:
        finish(client, t)
    until(lambda: status(client, "orders")["messages"] == 3, why="the count")
    assert status(client, "orders")["ok"] and status(client, "orders")["dead_letters"] == 0


def test_messages_become_jobs_of_a_step(client, cloud):
    remote = cloud.queue("texts")
    for n in range(120):  # more than one pull
        cloud.put(remote, {"text": "w " * (n + 1)})
    add(client, cloud, name="texts", remote=remote, step="text.stats")
    until(lambda: cloud.waiting(remote) == 0, why="all to be taken")
    until(lambda: status(client, "texts")["messages"] == 120, why="the count")
    jobs = client.get("/api/v1/jobs", {"step": "text.stats", "limit": 200}).json()["jobs"]
    assert sorted(client.wait(j["id"])["data"]["words"] for j in jobs[:120]) == list(range(1, 121))


def test_an_acknowledgement_that_gets_lost(client, cloud):
    remote = cloud.queue("lost")
    cloud.fail["messages/ack"] = [(500, None, (10001, "internal"))]
    cloud.put(remote, 1)
    add(client, cloud, name="lost", remote=remote, queue="cf-lost")
    task, = lease(client, "cf-lost", wait=20)
    until(lambda: not status(client, "lost")["ok"], why="the failure to be shown")
    assert status(client, "lost")["reason"] == "remote_failed"
    with cloud.lock:
        for m in cloud.queues[remote].messages:
            m["visible"] = 0  # their visibility timeout passes: delivered again
    until(lambda: cloud.waiting(remote) == 0, 20, why="the second acknowledgement")
    assert lease(client, "cf-lost") == [], "it was taken once"
    until(lambda: status(client, "lost")["ok"], 20, why="the next round")
    assert status(client, "lost")["messages"] == 1
    finish(client, task)


def test_poison(client, cloud):
    """A message that cannot be taken comes again and again, and then is a dead letter here."""
    cloud.hurry = 0.001
    remote = cloud.queue("poison")
    cloud.put(remote, {"txt": "no such parameter"})
    cloud.put(remote, b"not base64 of json", kind="v8")
    add(client, cloud, name="poison", remote=remote, step="text.stats", poison=3)
    until(lambda: cloud.waiting(remote) == 0, 30, why="the dead letters")
    until(lambda: status(client, "poison")["dead_letters"] == 2, why="the count")
    letters = client.get("/api/v1/dead-letters").json()["dead_letters"][:2]
    assert {d["reason"] for d in letters} == {"bad_param", "bad_request"}
    job = client.job(letters[0]["job"])
    assert job["state"] == "failed" and client.event_types(job["id"]) == ["job.added", "task.dead", "job.failed"]
    assert any(client.job(d["job"])["params"]["payload"] == {"txt": "no such parameter"} for d in letters)


def test_their_dead_letters_are_mirrored(client, cloud):
    dead = cloud.queue("dlq")
    remote = cloud.queue("with-dlq", dead=dead)
    cloud.put(dead, {"order": 13})
    add(client, cloud, name="mirror", remote=remote, dead_remote=dead, queue="cf-mirror")
    until(lambda: cloud.waiting(dead) == 0, why="the mirror")
    until(lambda: status(client, "mirror")["dead_letters"] == 1, why="the count")
    letter, = client.get("/api/v1/dead-letters", {"queue": "cf-mirror"}).json()["dead_letters"]
    assert letter["reason"] == "task_refused" and "dead letter" in letter["detail"]
    # Redriven, it is a task for the workers here.
    assert client.post(f"/api/v1/dead-letters/{letter['id']}/redrive").json() == {"count": 1}
    task, = lease(client, "cf-mirror", wait=20)
    assert task["payload"] == {"order": 13}
    finish(client, task)


def test_tasks_become_messages(client, cloud):
    remote = cloud.queue("out")
    add(client, cloud, name="out", direction="out", remote=remote, queue="cf-out")
    made = client.post("/api/v1/jobs", json={"jobs": [{"step": "queue.send", "params": {"to": "cf-out", "payload": {"n": n}}}
                                                      for n in range(250)]}).json()["jobs"]
    jobs = [client.wait(j["id"]) for j in made[:3] + made[-3:]]
    assert {j["state"] for j in jobs} == {"done"} and jobs[0]["data"] == {"bridge": "out"}
    until(lambda: cloud.waiting(remote) == 250, why="all messages")
    assert sorted(json.loads(m["data"])["n"] for m in cloud.queues[remote].messages) == list(range(250))
    assert client.post("/api/v1/queues/cf-out/lease", json={}).status == 409
    late = client.post("/api/v1/queues/cf-out/tasks", json={"payload": "late", "delay_ms": 200}).json()["id"]
    assert client.wait(late)["state"] == "done"


def test_what_they_refuse(client, cloud):
    remote = cloud.queue("refusing")
    add(client, cloud, name="refusing", direction="out", remote=remote, queue="cf-refusing")
    made = client.post("/api/v1/jobs", json={"jobs": [
        {"step": "queue.send", "attempts": 1, "params": {"to": "cf-refusing", "payload": p}}
        for p in ("good", "poison", "x" * 130_000, "fine")]}).json()["jobs"]
    jobs = [client.wait(j["id"]) for j in made]
    assert [j["state"] for j in jobs] == ["done", "failed", "failed", "done"]
    assert [jobs[1]["reason"], jobs[2]["reason"]] == ["task_failed", "task_refused"]
    assert "10207" in jobs[1]["detail"] and cloud.waiting(remote) == 2


def test_when_they_are_overloaded_no_attempt_counts(client, cloud):
    remote = cloud.queue("busy")
    cloud.fail["messages/batch"] = [(429, None, (10250, "queue overloaded"))]
    add(client, cloud, name="busy", direction="out", remote=remote, queue="cf-busy")
    job = client.post("/api/v1/queues/cf-busy/tasks", json={"payload": 1, "attempts": 1}).json()["id"]
    assert client.wait(job)["state"] == "done" and cloud.waiting(remote) == 1


def test_what_is_missing_is_said(client, cloud, new_server):
    remote = cloud.queue("there")
    worker = cloud.queue("of-a-worker", http_pull=False)
    for body, reason, word in (
            ({"name": "x", "queue": "q"}, "bridge_missing", "remote"),
            ({"name": "x", "remote": remote}, "bad_param", "queue"),
            ({"name": "x", "remote": remote, "queue": "default"}, "bad_param", "serves"),
            ({"name": "x", "remote": remote, "step": "no.step"}, "unknown_step", "no.step"),
            ({"name": "x", "remote": remote, "queue": "q", "token_env": "HOME"}, "bad_param", "token_env"),
            ({"name": "x", "remote": remote, "queue": "q", "base_url": "http://10.0.0.1/"}, "address_refused", ""),
            ({"name": "a b", "remote": remote, "queue": "q"}, "bad_param", "name")):
        answer = client.post("/api/v1/bridges", json=body)
        assert answer.json()["reason"] == reason and word in answer.json()["detail"], answer
    add(client, cloud, name="wrong-token", remote=remote, queue="q1", token_env="PLATEN_BRIDGE_WRONG")
    add(client, cloud, name="no-token", remote=remote, queue="q2", token_env="PLATEN_BRIDGE_UNSET")
    add(client, cloud, name="no-queue", remote="f" * 32, queue="q3")
    add(client, cloud, name="a-worker", remote=worker, queue="q4")
    add(client, cloud, name="good", remote=remote, queue="q5")
    assert client.post("/api/v1/bridges", json={"name": "good", "remote": remote, "queue": "q6"}).json()["reason"] == "conflict"
    for name, word in (("wrong-token", "refused"), ("no-token", "PLATEN_BRIDGE_UNSET"), ("no-queue", "10104"), ("a-worker", "consumer")):
        answer = client.post(f"/api/v1/bridges/{name}/check")
        assert answer.json()["reason"] == "bridge_missing" and word in answer.json()["detail"] and answer.json()["hint"], answer
    assert client.post("/api/v1/bridges/good/check").json() == {"name": "good", "remote_name": "there"}
    until(lambda: status(client, "no-token")["at"] is not None)
    assert status(client, "no-token")["reason"] == "bridge_missing"
    # Without the account anywhere.
    bare = new_server(env={"CLOUDFLARE_API_TOKEN": None, "CLOUDFLARE_ACCOUNT_ID": None})
    answer = bare.client().post("/api/v1/bridges", json={"name": "x", "remote": remote, "queue": "q"})
    assert answer.json()["reason"] == "bridge_missing" and "account" in answer.json()["detail"]


def test_it_goes_on_after_a_crash(new_server, cloud):
    server = new_server(args=ARGS, env=ENV)
    remote = cloud.queue("crash")
    add(server.client(), cloud, name="crash", remote=remote, queue="cf-crash")
    for n in range(50):
        cloud.put(remote, n)
    until(lambda: server.client().get("/api/v1/queues").json()["queues"], why="the first tasks")
    server.kill()
    with cloud.lock:
        for m in cloud.queues[remote].messages:
            m["visible"] = 0
    cloud.put(remote, 50)
    server.start()
    until(lambda: cloud.waiting(remote) == 0, 30, why="the rest")
    tasks = lease(server.client(), "cf-crash", max=100)
    assert sorted(t["payload"] for t in tasks) == list(range(51)), "each once"


def test_the_command_line(server, client, cloud):
    remote = cloud.queue("by-hand")
    target = ("--server", server.url, "--key", client.key)
    made = cli("bridges", "add", "by-hand", "--remote", remote, "--queue", "cf-hand", "--base-url", cloud.url, *target, check=0)
    assert "by-hand" in made.stdout
    assert "by-hand" in cli("bridges", *target, check=0).stdout
    assert json.loads(cli("bridges", "list", "--json", *target, check=0).stdout)["bridges"][0]["name"] == "by-hand"
    assert "by-hand" in cli("bridges", "check", "by-hand", *target, check=0).stdout
    missing = cli("bridges", "check", "nowhere", *target)
    assert missing.returncode != 0 and "no bridge" in missing.stderr
    assert cli("bridges", "add", *target).returncode == 2
    cli("bridges", "remove", "by-hand", *target, check=0)
    assert client.get("/api/v1/bridges").json()["bridges"] == []
